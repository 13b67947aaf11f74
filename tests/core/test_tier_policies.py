"""Every policy field changes behaviour, on a clock that moves only when told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from axon import MemoryConfig, MemorySystem, Tier
from axon.adapters.memory import MemoryAdapter
from axon.core.clock import ManualClock
from axon.core.filter.ast import EVERYTHING
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy


def session_memory(clock: ManualClock, summarizer: Any = None, **policy: Any) -> MemorySystem:
    config = MemoryConfig(session=SessionPolicy(**policy), persistent=PersistentPolicy())
    return MemorySystem(config, clock=clock, summarizer=summarizer)


async def stored(memory: MemorySystem, count: int, clock: ManualClock) -> list[str]:
    ids = []
    for number in range(count):
        clock.advance(1)
        ids.append(await memory.store(f"note {number}", importance=0.5))
    return ids


async def survivors(memory: MemorySystem, ids: list[str], tier: str | None = None) -> list[int]:
    entries = await memory.get_many(ids)
    return [n for n, entry in enumerate(entries) if entry is not None and tier in (None, entry.tier)]


async def test_ttl_seconds_holds_to_the_second_before_any_sweep(clock: ManualClock) -> None:
    memory = session_memory(clock, ttl_seconds=5)
    id = await memory.store("short-lived", importance=0.5)
    longer = await memory.store("longer", importance=0.5, ttl=100)
    clock.advance(4.999999)
    assert await memory.get(id) is not None
    clock.advance(0.000001)
    assert await memory.get(id) is None
    assert [result.entry.id for result in await memory.recall("short-lived longer")] == [longer]
    assert await memory.count() == 1
    assert [entry.id async for entry in memory.scan()] == [longer]
    assert (await memory.maintain()).expired == 1
    assert (await memory.maintain()).expired == 0


async def test_promotion_ends_the_lifetime_that_the_tier_gave_but_not_the_users(clock: ManualClock) -> None:
    memory = session_memory(clock, ttl_seconds=5)
    by_policy = await memory.store("one", importance=0.5)
    by_user = await memory.store("two", importance=0.5, ttl=7)
    for id in (by_policy, by_user):
        await memory.promote(id, "persistent")
    clock.advance(6)
    assert await memory.get(by_policy) is not None
    assert await memory.get(by_user) is not None
    clock.advance(2)
    assert await memory.get(by_user) is None


async def test_max_entries_with_fifo(clock: ManualClock) -> None:
    memory = session_memory(clock, max_entries=10, eviction="fifo")
    ids = []
    for number in range(15):
        clock.advance(1)
        ids.append(await memory.store(f"note {number}", importance=0.5))
        assert await memory.count(tier="session") <= 10
    assert await survivors(memory, ids) == list(range(5, 15))


async def test_max_entries_with_lru_keeps_what_is_recalled(clock: ManualClock) -> None:
    memory = session_memory(clock, max_entries=3, eviction="lru")
    ids = []
    for number in range(3):
        clock.advance(1)
        ids.append(await memory.store(f"note {number}", importance=0.5))
    clock.advance(1)
    assert (await memory.recall("note 0", k=1, mode="text"))[0].entry.id == ids[0]
    clock.advance(1)
    ids.append(await memory.store("note 3", importance=0.5))
    assert await survivors(memory, ids) == [0, 2, 3]


async def test_max_entries_with_importance(clock: ManualClock) -> None:
    memory = session_memory(clock, max_entries=2, eviction="importance")
    ids = [await memory.store(f"note {n}", importance=weight) for n, weight in enumerate((0.6, 0.4, 0.5))]
    assert await survivors(memory, ids) == [0, 2]


async def test_overflow_moves_to_the_next_tier(clock: ManualClock) -> None:
    memory = session_memory(clock, max_entries=2, eviction="fifo", overflow="move")
    ids = []
    for number in range(5):
        clock.advance(1)
        ids.append(await memory.store(f"note {number}", importance=0.5))
    assert await survivors(memory, ids) == [0, 1, 2, 3, 4]
    assert await survivors(memory, ids, "persistent") == [0, 1, 2]


async def test_a_bulk_larger_than_the_limit_ends_at_the_limit(clock: ManualClock) -> None:
    memory = session_memory(clock, max_entries=10)
    await memory.bulk_store([f"note {n}" for n in range(50)], importance=0.5, batch_size=20)
    assert await memory.count(tier="session") == 10


async def test_promote_after_and_demote_after_seconds(clock: ManualClock) -> None:
    config = MemoryConfig(
        ephemeral=EphemeralPolicy(),
        session=SessionPolicy(promote_after=2, demote_after_seconds=100),
        persistent=PersistentPolicy(),
    )
    memory = MemorySystem(config, clock=clock)
    loved, ignored = await stored(memory, 2, clock)
    keyed = await memory.store("by its key", id="k", importance=0.5)
    for _ in range(2):
        await memory.recall("note 0", k=1, mode="text")
    clock.advance(98)
    assert (await memory.maintain()).promoted == 1
    clock.advance(2)
    report = await memory.maintain()
    assert (report.promoted, report.demoted) == (0, 1)
    tiers = {entry.id: entry.tier for entry in await memory.get_many([loved, ignored, keyed]) if entry}
    assert tiers == {loved: Tier.PERSISTENT, ignored: Tier.EPHEMERAL, keyed: Tier.SESSION}


async def test_nothing_moves_or_goes_by_default(clock: ManualClock) -> None:
    memory = MemorySystem(clock=clock)
    ids = [await memory.store(f"note {n}", importance=n / 30) for n in range(30)]
    before = [(entry.id, entry.tier) async for entry in memory.scan()]
    for _ in range(5):
        await memory.recall("note")
    clock.advance(10 * 365 * 86400)
    report = await memory.maintain()
    assert (report.expired, report.evicted, report.promoted, report.demoted, report.condensed) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert [(entry.id, entry.tier) async for entry in memory.scan()] == before
    assert len(before) == len(ids)


async def test_compaction_condenses_past_the_threshold_and_names_its_sources(clock: ManualClock) -> None:
    memory = session_memory(clock, compaction_threshold=10, compaction_batch_size=5)
    keyed = await memory.store("addressed by key", id="key", importance=0.5)
    ids = []
    for number in range(12):
        clock.advance(1)
        text, tags = f"note {number} about compaction", [f"t{number % 2}"]
        ids.append(await memory.store(text, importance=0.4 + number / 100, tags=tags))
    await memory.maintain()
    assert await memory.count(tier="session") <= 10
    summaries = [entry async for entry in memory.scan() if entry.sources]
    assert [summary.sources for summary in summaries] == [ids[:5]]
    assert summaries[0].importance == pytest.approx(0.44)
    assert set(summaries[0].tags) == {"t0", "t1"}
    assert "note 3 about compaction" in summaries[0].text
    assert await survivors(memory, ids) == list(range(5, 12))
    assert await memory.get(keyed) is not None


async def test_compaction_starts_by_itself(clock: ManualClock) -> None:
    adapter = MemoryAdapter(clock=clock)
    config = MemoryConfig(session=SessionPolicy(compaction_threshold=10, compaction_batch_size=5))
    memory = MemorySystem(config, clock=clock, adapters={Tier.SESSION: adapter})
    await stored(memory, 30, clock)
    await memory.aclose()  # waits for what runs in the background, and leaves an adapter of the caller's open
    assert await adapter.count(memory.namespace, EVERYTHING) <= 10


async def test_dry_run_tells_the_plan_and_changes_nothing(clock: ManualClock) -> None:
    memory = session_memory(clock, compaction_batch_size=4)
    ids = await stored(memory, 8, clock)
    plan = await memory.compact("session", dry_run=True)
    assert plan.dry_run
    assert sorted(id for group in plan.condensed.values() for id in group) == sorted(ids)
    assert await survivors(memory, ids) == list(range(8))
    done = await memory.compact("session")
    assert done.condensed == plan.condensed
    assert await memory.count() == 2


class Failing:
    async def summarize(self, texts: Sequence[str]) -> str:
        if any("note 1" in text for text in texts):
            raise RuntimeError("no model today")
        return "condensed"


async def test_a_failing_summariser_changes_nothing(clock: ManualClock) -> None:
    memory = session_memory(clock, summarizer=Failing(), compaction_batch_size=4)
    ids = await stored(memory, 8, clock)
    report = await memory.compact("session")
    assert list(report.failed.values()) == ["RuntimeError: no model today"]
    assert await survivors(memory, ids) == [0, 1, 2, 3]
    assert len(report.summaries) == 1


async def test_sessions_are_not_condensed_together(clock: ManualClock) -> None:
    memory = session_memory(clock, compaction_batch_size=10)
    for number in range(6):
        await memory.store(f"note {number}", importance=0.5, session_id=f"s{number % 2}")
    report = await memory.compact("session")
    assert sorted(len(group) for group in report.condensed.values()) == [3, 3]
    assert {entry.session_id async for entry in memory.scan()} == {"s0", "s1"}
