"""Random sequences of operations on a whole memory, compared with a dict of what was acknowledged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from axon.core.clock import ManualClock
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.filter.evaluate import matches
from axon.core.memory_system import MemorySystem
from axon.core.models import EntryRecord, MemoryEntry, RecallResult, Tier
from axon.core.policies import RecallMode
from axon.core.routing import DURABILITY
from axon.testing import generate
from axon.testing.entries import same_json
from axon.testing.generate import IDS, IMPORTANCES, SESSIONS, TAGS
from axon.testing.stateful import Lanes
from axon.testing.strategies import DrawnChoices, filters

WORDS = ("red fox", "green tea", "the red tea", "blue whale and fox", "42")
MANY = 200
"""More results than a run ever stores, so that recall has to return every match."""


@st.composite
def drafts(draw: st.DrawFn, keyed: bool = False) -> dict[str, Any]:
    """Draw the arguments of one ``store``."""
    choices = DrawnChoices(draw)
    return {
        "text": choices.pick(WORDS),
        "id": choices.pick(IDS[:5]) if keyed or choices.number(0, 1) else None,
        "importance": choices.pick((None, *IMPORTANCES)),
        "tags": generate.some(choices, TAGS, 2),
        "metadata": {key: generate.json_value(choices) for key in generate.some(choices, generate.KEYS, 2)},
        "tier": choices.pick((None, None, *Tier)),
        "ttl": choices.pick((None, None, 1.5, 86_400.0)),
        "session_id": choices.pick((None, *SESSIONS)),
    }


class MemoryMachine(RuleBasedStateMachine):
    """Drives one memory with three tiers and default policies.

    Parameters
    ----------
    make_memory : makes the memory on a clock, and makes it again on the same data when the machine reopens it.
    survives : tiers whose entries outlive the object; empty if it is not to be reopened.
    """

    def __init__(
        self, make_memory: Callable[[ManualClock], MemorySystem], survives: Collection[Tier] = ()
    ) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.make_memory = make_memory
        self.survives = survives
        self.lanes = Lanes()
        self.model: dict[str, MemoryEntry] = {}
        self.memory = make_memory(self.clock)

    def teardown(self) -> None:
        """Empty the memory and close it."""
        self.lanes.run(self.memory.clear())
        self.lanes.run(self.memory.aclose())
        self.lanes.close()

    def live(self, node: FilterNode = EVERYTHING) -> dict[str, MemoryEntry]:
        """Select the acknowledged entries that have not expired and match."""
        now_us = self.clock.now_us()
        unexpired = (
            entry
            for entry in self.model.values()
            if entry.record.expires_us is None or entry.record.expires_us > now_us
        )
        return {entry.id: entry for entry in unexpired if matches(node, entry)}

    def expect(self, id: str, draft: dict[str, Any]) -> None:
        """Note what a store of ``draft`` has to leave behind."""
        now_us, ttl = self.clock.now_us(), draft["ttl"]
        importance = 0.5 if draft["importance"] is None else draft["importance"]
        routed = Tier.EPHEMERAL if importance < 0.3 else Tier.SESSION if importance < 0.7 else Tier.PERSISTENT
        entry = MemoryEntry.of(
            EntryRecord(
                id=id,
                text=draft["text"],
                importance=importance,
                tags=tuple(draft["tags"]),
                metadata=draft["metadata"],
                created_us=now_us,
                updated_us=now_us,
                expires_us=None if ttl is None else now_us + round(ttl * 1_000_000),
                session_id=draft["session_id"],
                keyed=draft["id"] is not None,
            )
        )
        entry.tier = draft["tier"] or routed
        self.model[id] = entry

    @rule(draft=drafts())
    def store(self, draft: dict[str, Any]) -> None:
        """Store one text."""
        id = self.lanes.run(self.memory.store(**draft))
        assert draft["id"] in (None, id)
        self.expect(id, draft)

    @rule(many=st.lists(drafts(), min_size=1, max_size=4), size=st.integers(1, 4))
    def bulk_store(self, many: list[dict[str, Any]], size: int) -> None:
        """Store several, an id perhaps more than once: the last one counts."""
        ids = self.lanes.run(self.memory.bulk_store(many, batch_size=size))
        assert len(ids) == len(many)
        for id, draft in zip(ids, many, strict=True):
            self.expect(id, draft)

    @rule(pick=st.integers(0, 20), data=st.data())
    def update(self, pick: int, data: st.DataObject) -> None:
        """Change some fields of an entry where it lies."""
        entry = self.picked(pick)
        if entry is None:
            return
        draft = data.draw(drafts())
        changes = {
            name: draft[name]
            for name in ("text", "importance", "tags", "metadata")
            if data.draw(st.booleans())
        }
        if changes.get("importance", 0.0) is None:
            del changes["importance"]
        self.lanes.run(self.memory.update(entry.id, **changes))
        if "tags" in changes:
            changes["tags"] = tuple(changes["tags"])
        self.replace(entry, updated_us=self.clock.now_us(), **changes)

    @rule(pick=st.integers(0, 20))
    def delete(self, pick: int) -> None:
        """Delete one entry, or one that is not there."""
        entry = self.picked(pick)
        assert self.lanes.run(self.memory.delete("missing" if entry is None else entry.id)) is (
            entry is not None
        )
        if entry is not None:
            del self.model[entry.id]

    @rule(node=filters(max_depth=2, tier=True))
    def forget(self, node: FilterNode) -> None:
        """Delete by filter, in every tier."""
        if node == EVERYTHING:
            return
        gone = self.live(node)
        report = self.lanes.run(self.memory.forget(filter=node))
        assert report.deleted == len(gone)
        for id in gone:
            del self.model[id]

    @rule(pick=st.integers(0, 20), tier=st.sampled_from(Tier))
    def move(self, pick: int, tier: Tier) -> None:
        """Promote or demote one entry."""
        entry = self.picked(pick)
        if entry is None or entry.tier is None:
            return
        up = DURABILITY[tier] >= DURABILITY[entry.tier]
        self.lanes.run(self.memory.promote(entry.id, tier) if up else self.memory.demote(entry.id, tier))
        entry.tier = tier

    @rule()
    def maintain(self) -> None:
        """Keep house: by default nothing but expired entries may go, and nothing may move."""
        report = self.lanes.run(self.memory.maintain())
        assert (report.evicted, report.promoted, report.demoted, report.condensed, report.healed) == (
            0,
            0,
            0,
            0,
            0,
        )

    @rule(tier=st.sampled_from(Tier))
    def clear(self, tier: Tier) -> None:
        """Delete everything in one tier."""
        self.lanes.run(self.memory.clear(tier=tier))
        self.model = {id: entry for id, entry in self.model.items() if entry.tier is not tier}

    @rule(seconds=st.sampled_from((0.000001, 1.0, 1.5, 86_400.0)))
    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    @precondition(lambda self: bool(self.survives))
    @rule()
    def come_back(self) -> None:
        """Close, and open again: what lay in a durable tier is there, the rest is gone."""
        self.lanes.run(self.memory.aclose())
        self.memory = self.make_memory(self.clock)
        self.model = {id: entry for id, entry in self.model.items() if entry.tier in self.survives}

    @rule(
        query=st.sampled_from(WORDS),
        mode=st.sampled_from(("vector", "hybrid")),
        node=filters(max_depth=2, tier=True),
    )
    def recall(self, query: str, mode: RecallMode, node: FilterNode) -> None:
        """Recall everything that matches: each once, best first, from the tier where it lies."""
        results = self.lanes.run(self.memory.recall(query, k=MANY, mode=mode, filter=node))
        wanted = self.live(node)
        assert sorted(result.entry.id for result in results) == sorted(wanted)
        for result in results:
            self.same(result.entry, wanted[result.entry.id])
            assert result.tier is wanted[result.entry.id].tier
        assert_ranked(results)

    @rule(query=st.sampled_from(WORDS), k=st.integers(1, 3))
    def recall_few(self, query: str, k: int) -> None:
        """Recall the best few: a text is nearest to itself."""
        results = self.lanes.run(self.memory.recall(query, k=k, mode="vector"))
        assert len(results) == min(k, len(self.live()))
        twins = sum(entry.text == query for entry in self.live().values())
        assert [result.text for result in results[:twins]] == [query] * min(k, twins)
        assert_ranked(results)

    @invariant()
    def all_agrees(self) -> None:
        """Fail unless the memory holds exactly what was acknowledged, each entry once."""
        wanted = self.live()
        found = self.lanes.run(self.everything())
        assert sorted(entry.id for entry in found) == sorted(wanted)
        for entry in found:
            self.same(entry, wanted[entry.id])
        assert self.lanes.run(self.memory.count()) == len(wanted)
        ids = [*wanted, "missing"]
        read = self.lanes.run(self.memory.get_many(ids))
        assert [entry and entry.id for entry in read] == [*wanted, None]

    async def everything(self) -> list[MemoryEntry]:
        """Walk the whole memory."""
        return [entry async for entry in self.memory.scan()]

    def picked(self, pick: int) -> MemoryEntry | None:
        """Return the live entry at a position, or None beyond the last."""
        entries = list(self.live().values())
        return entries[pick] if pick < len(entries) else None

    def replace(self, entry: MemoryEntry, **fields: Any) -> None:
        """Put a changed copy of an entry into the model."""
        changed = MemoryEntry.of(msgspec.structs.replace(entry.record, **fields))
        changed.tier = entry.tier
        self.model[entry.id] = changed

    def same(self, found: MemoryEntry, wanted: MemoryEntry) -> None:
        """Fail unless everything but the access statistics is as acknowledged."""
        record = msgspec.structs.replace(found.record, access_count=0, accessed_us=None)
        assert record == wanted.record
        assert same_json(found.metadata, wanted.metadata)
        assert found.tier is wanted.tier


def assert_ranked(results: list[RecallResult]) -> None:
    """Fail unless scores are in [0, 1] and do not rise."""
    scores = [result.score for result in results]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
