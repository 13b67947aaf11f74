"""Moves between tiers with a fault at every step: nothing acknowledged is lost, nothing is returned twice, all heals.

Each scenario is first run without a fault, to count the calls that its move makes of the adapters. It is then run
once for every call, with the fault before and after it, as an error and as a cancellation; then a new memory, which
knows nothing of what the old one was about to do, stands for the process that comes after a crash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest

from axon import MemoryConfig, MemorySystem, Tier
from axon.adapters.memory import MemoryAdapter
from axon.core.adapter_options import MemoryOptions
from axon.core.clock import ManualClock
from axon.core.errors import AxonError
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.core.ports import StorageAdapter
from axon.embedders.hashing import HashingEmbedder
from axon.testing import Fault, FaultPlan, FaultyAdapter

DAY = 86_400.0
Step: TypeAlias = Callable[[MemorySystem, ManualClock], Awaitable[object]]


@dataclass
class Scenario:
    """A memory, what is stored first, and the operation that moves entries.

    Attributes
    ----------
    act : what moves.
    tier, texts : what is stored beforehand, and where; all of it has to stay.
    policies : of the session tier.
    recalls : of the first text, so that it may rise.
    wait : seconds that pass before ``act``.
    """

    name: str
    act: Step
    tier: Tier = Tier.SESSION
    policies: dict[str, Any] = field(default_factory=dict)
    texts: tuple[str, ...] = ("red fox", "green tea", "blue whale")
    recalls: int = 0
    wait: float = 0.0


async def promote_one(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.promote((await ids(memory))["red fox"], "persistent")


async def promote_two_levels(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.promote((await ids(memory))["red fox"], "persistent")
    await memory.demote((await ids(memory))["red fox"], "ephemeral")


async def demote_one(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.demote((await ids(memory))["green tea"], "ephemeral")


async def maintain(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.maintain()


async def store_one_more(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.store("one more", tier="session", id="new")


async def bulk_store_more(memory: MemorySystem, clock: ManualClock) -> None:
    await memory.bulk_store(["one more", "two more", "three more"], tier="session")


async def store_again_elsewhere(memory: MemorySystem, clock: ManualClock) -> None:
    id = (await ids(memory))["red fox"]
    clock.advance(1)
    await memory.store("red fox", id=id, tier="persistent")


SCENARIOS = [
    Scenario("promote", promote_one),
    Scenario("promote and demote", promote_two_levels),
    Scenario("demote", demote_one),
    Scenario("promotion by policy", maintain, policies={"promote_after": 2}, recalls=2),
    Scenario("demotion by policy", maintain, policies={"demote_after_seconds": DAY}, wait=2 * DAY),
    Scenario("overflow at a store", store_one_more, policies={"max_entries": 3, "overflow": "move"}),
    Scenario(
        "overflow at a bulk",
        bulk_store_more,
        policies={"max_entries": 2, "overflow": "move", "eviction": "fifo"},
    ),
    Scenario("an id stored again in another tier", store_again_elsewhere),
]


class Bench:
    """A memory on three adapters that outlive it, as servers and files do."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clock = ManualClock()
        self.plan = FaultPlan()
        self.adapters: dict[Tier, StorageAdapter] = {
            tier: FaultyAdapter(MemoryAdapter(MemoryOptions(), clock=self.clock), self.plan, tier)
            for tier in Tier
        }
        self.memory = self.new_memory()

    def new_memory(self) -> MemorySystem:
        config = MemoryConfig(
            ephemeral=EphemeralPolicy(),
            session=SessionPolicy(**self.scenario.policies),
            persistent=PersistentPolicy(),
        )
        return MemorySystem(
            config, embedder=HashingEmbedder(dims=64), clock=self.clock, adapters=self.adapters
        )

    async def prepare(self) -> None:
        for text in self.scenario.texts:
            await self.memory.store(text, tier=self.scenario.tier, tags=[text], metadata={"text": text})
            self.clock.advance(0.001)
        for _ in range(self.scenario.recalls):
            await self.memory.recall("red fox", k=1, tier="session")
        self.clock.advance(self.scenario.wait)

    async def act(self, fault: Fault | None) -> int:
        """Do what moves, and return how many calls of the adapters that took."""
        self.plan.arm(fault)
        try:
            await self.scenario.act(self.memory, self.clock)
        except (AxonError, asyncio.CancelledError):
            assert self.plan.struck.is_set(), "an error that nothing injected"
        made = len(self.plan.calls)
        self.plan.arm(None)
        return made


async def ids(memory: MemorySystem) -> dict[str, str]:
    """Ids by text."""
    return {entry.text: entry.id async for entry in memory.scan()}


async def assert_whole(memory: MemorySystem, texts: tuple[str, ...]) -> None:
    """Fail unless every text is there, once, whichever way it is read."""
    walked = [entry async for entry in memory.scan()]
    assert len({entry.id for entry in walked}) == len(walked), "a walk shows an entry twice"
    by_text = {entry.text: entry for entry in walked}
    assert set(texts) <= set(by_text)
    for text in texts:
        entry = by_text[text]
        assert (entry.tags, entry.metadata) in (([text], {"text": text}), ([], {}))
        assert entry.embedding is not None
        assert (await memory.get(entry.id)) is not None
        results = await memory.recall(text, k=20)
        assert len({result.entry.id for result in results}) == len(results), "a recall returns an entry twice"
        assert results[0].text == text
        nearest = (await memory.recall(np.array(entry.embedding), k=1))[0]
        assert nearest.text == text


async def copies(bench: Bench) -> dict[str, int]:
    """In how many tiers each entry lies."""
    found: dict[str, int] = {}
    for tier in Tier:
        async for entry in bench.memory.scan(tier=tier):
            found[entry.id] = found.get(entry.id, 0) + 1
    return found


async def calls_of(scenario: Scenario) -> int:
    bench = Bench(scenario)
    await bench.prepare()
    made = await bench.act(None)
    await assert_whole(bench.memory, scenario.texts)
    assert set((await copies(bench)).values()) == {1}
    return made


@pytest.mark.parametrize("action", ["raise", "cancel"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_fault_at_any_step_loses_nothing_and_heals(
    scenario: Scenario, when: Literal["before", "after"], action: Literal["raise", "cancel"]
) -> None:
    steps = await calls_of(scenario)
    assert steps >= 3, "a move reads, writes and deletes"
    for step in range(1, steps + 1):
        bench = Bench(scenario)
        await bench.prepare()
        await bench.act(Fault(step, when=when, action=action))
        await assert_whole(bench.memory, scenario.texts)
        bench.memory = bench.new_memory()
        await assert_whole(bench.memory, scenario.texts)
        await bench.memory.maintain()
        await assert_whole(bench.memory, scenario.texts)
        assert set((await copies(bench)).values()) == {1}, f"{bench.plan.calls} left copies behind"


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_repeating_what_failed_succeeds(scenario: Scenario) -> None:
    for step in range(1, await calls_of(scenario) + 1):
        bench = Bench(scenario)
        await bench.prepare()
        await bench.act(Fault(step, when="after"))
        await bench.memory.maintain()
        await bench.act(None)
        await assert_whole(bench.memory, scenario.texts)
        assert set((await copies(bench)).values()) == {1}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_readers_see_everything_once_while_a_move_is_held_up(scenario: Scenario) -> None:
    for step in range(1, await calls_of(scenario) + 1):
        bench = Bench(scenario)
        await bench.prepare()
        bench.plan.arm(Fault(step, action="delay", turns=200))
        moving = asyncio.ensure_future(scenario.act(bench.memory, bench.clock))
        await bench.plan.struck.wait()
        await assert_whole(bench.memory, scenario.texts)
        await moving
        await assert_whole(bench.memory, scenario.texts)


async def test_an_entry_written_again_during_its_move_keeps_the_new_text() -> None:
    for step in range(1, await calls_of(SCENARIOS[0]) + 1):
        bench = Bench(SCENARIOS[0])
        await bench.prepare()
        id = (await ids(bench.memory))["red fox"]
        bench.plan.arm(Fault(step, action="delay"))
        moving = asyncio.ensure_future(promote_one(bench.memory, bench.clock))
        await bench.plan.struck.wait()
        bench.clock.advance(1)
        await bench.memory.update(id, text="red fox, second edition")
        await asyncio.gather(moving, return_exceptions=True)
        await bench.memory.maintain()
        entry = await bench.memory.get(id)
        assert entry is not None
        assert entry.text == "red fox, second edition"
        assert set((await copies(bench)).values()) == {1}


async def test_an_entry_deleted_during_its_move_stays_deleted() -> None:
    for step in range(1, await calls_of(SCENARIOS[0]) + 1):
        bench = Bench(SCENARIOS[0])
        await bench.prepare()
        id = (await ids(bench.memory))["red fox"]
        bench.plan.arm(Fault(step, action="delay"))
        moving = asyncio.ensure_future(promote_one(bench.memory, bench.clock))
        await bench.plan.struck.wait()
        assert await bench.memory.delete(id)
        await asyncio.gather(moving, return_exceptions=True)
        await bench.memory.maintain()
        assert await bench.memory.get(id) is None, f"back from the dead after step {step}"


@pytest.mark.parametrize("change", ["update", "store", "delete"])
async def test_a_move_passes_over_what_is_being_written(change: str) -> None:
    """The other way round: the write is held up at every step, and a policy moves the entry meanwhile."""
    scenario = next(each for each in SCENARIOS if each.name == "promotion by policy")

    async def write(memory: MemorySystem, id: str) -> None:
        if change == "update":
            await memory.update(id, text="red fox, second edition")
        elif change == "store":
            await memory.store("red fox, second edition", id=id, tier="session")
        else:
            await memory.delete(id)

    step, struck = 0, True
    while struck:
        step += 1
        bench = Bench(scenario)
        await bench.prepare()
        id = (await ids(bench.memory))["red fox"]
        bench.clock.advance(1)
        bench.plan.arm(Fault(step, action="delay"))
        writing = asyncio.ensure_future(write(bench.memory, id))
        await asyncio.wait(
            [writing, asyncio.ensure_future(bench.plan.struck.wait())], return_when=asyncio.FIRST_COMPLETED
        )
        struck = bench.plan.struck.is_set()
        await asyncio.gather(writing, bench.memory.maintain())
        await bench.memory.maintain()
        entry = await bench.memory.get(id)
        assert (entry and entry.text) == (None if change == "delete" else "red fox, second edition"), (
            f"step {step}"
        )
        assert set((await copies(bench)).values()) == {1}
    assert step > 3, "the write was never held up"
