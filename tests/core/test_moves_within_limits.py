"""Moves keep the limits of the tier they move into: how many entries it holds, how many it takes per call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from axon import MemoryConfig, MemorySystem, Tier
from axon.adapters.memory import MemoryAdapter
from axon.core.adapter_options import MemoryOptions
from axon.core.clock import ManualClock
from axon.core.models import MemoryEntry
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.embedders.hashing import HashingEmbedder


class NarrowAdapter(MemoryAdapter):
    """Takes two entries per call, as a remote backend takes some thousands."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(MemoryOptions(), clock=clock)
        self.capabilities = msgspec.structs.replace(self.capabilities, max_batch=2)

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        assert len(entries) <= 2, f"{len(entries)} entries in one call"
        await super().put_many(namespace, entries)


def memory_of(clock: ManualClock, narrow: bool = False, **policies: Any) -> MemorySystem:
    adapters = {tier: NarrowAdapter(clock) for tier in Tier} if narrow else None
    return MemorySystem(
        MemoryConfig(**policies), embedder=HashingEmbedder(dims=64), clock=clock, adapters=adapters
    )


async def fill(memory: MemorySystem, clock: ManualClock, count: int, tier: str) -> None:
    for n in range(count):
        await memory.store(f"text number {n}", tier=tier)
        clock.advance(1)


async def sizes(memory: MemorySystem) -> list[int]:
    return [await memory.count(tier=tier) for tier in memory.tiers]


async def test_an_overflow_does_not_overfill_the_next_tier(clock: ManualClock) -> None:
    limit: dict[str, Any] = {"max_entries": 2, "overflow": "move", "eviction": "fifo"}
    memory = memory_of(
        clock,
        ephemeral=EphemeralPolicy(**limit),
        session=SessionPolicy(**limit),
        persistent=PersistentPolicy(),
    )
    await fill(memory, clock, 8, "ephemeral")
    assert await sizes(memory) == [2, 2, 4]
    await memory.bulk_store([f"bulk {n}" for n in range(5)], tier="ephemeral")
    assert await sizes(memory) == [2, 2, 9]


async def test_a_demotion_does_not_overfill_the_tier_below(clock: ManualClock) -> None:
    memory = memory_of(
        clock,
        ephemeral=EphemeralPolicy(max_entries=2, eviction="fifo"),
        session=SessionPolicy(demote_after_seconds=10),
    )
    await fill(memory, clock, 5, "session")
    clock.advance(20)
    report = await memory.maintain()
    assert await sizes(memory) == [2, 0]
    assert (report.demoted, report.evicted) == (5, 3)


async def test_a_promotion_does_not_overfill_the_tier_above(clock: ManualClock) -> None:
    memory = memory_of(
        clock,
        session=SessionPolicy(promote_after=1),
        persistent=PersistentPolicy(max_entries=2, eviction="fifo"),
    )
    await fill(memory, clock, 5, "session")
    await memory.recall("text number", k=5)
    report = await memory.maintain()
    assert await sizes(memory) == [0, 2]
    assert (report.promoted, report.evicted) == (5, 3)


@pytest.mark.parametrize(
    "way",
    [pytest.param("promotion"), pytest.param("demotion"), "overflow", "bulk"],
)
async def test_no_call_carries_more_than_the_target_takes(clock: ManualClock, way: str) -> None:
    policies: dict[str, dict[str, Any]] = {
        "promotion": {"promote_after": 1},
        "demotion": {"demote_after_seconds": 10},
        "overflow": {"max_entries": 2, "overflow": "move", "eviction": "fifo"},
        "bulk": {},
    }
    memory = memory_of(
        clock,
        narrow=True,
        ephemeral=EphemeralPolicy(),
        session=SessionPolicy(**policies[way]),
        persistent=PersistentPolicy(),
    )
    await memory.bulk_store([f"text number {n}" for n in range(7)], tier="session")
    if way == "promotion":
        await memory.recall("text number", k=7, mode="vector")
    clock.advance(20)
    await memory.maintain()
    assert await sizes(memory) == {
        "promotion": [0, 0, 7], "demotion": [7, 0, 0], "overflow": [0, 2, 5], "bulk": [0, 7, 0],
    }[way]  # fmt: skip
