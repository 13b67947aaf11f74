from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.filter.ast import EVERYTHING, Field, Ne
from axon.core.keyed import Changes, KeyedEntries
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, Tier
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.core.portal import run_blocking
from axon.core.telemetry import Operation, add_hook

NAME = Field("name", is_metadata=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[MemorySystem]:
    config = MemoryConfig(
        ephemeral=EphemeralPolicy(), session=SessionPolicy(ttl_seconds=60), persistent=PersistentPolicy()
    )
    system = MemorySystem(config, clock=clock)
    yield system
    run_blocking(system.aclose())


@pytest.fixture
def entries(memory: MemorySystem) -> KeyedEntries:
    return KeyedEntries(memory, Tier.SESSION)


def entry_of(entries: KeyedEntries, id: str) -> MemoryEntry:
    return MemoryEntry.of(entries.record(id, "text", {"name": id}, now_us=entries.now_us()))


async def put(entries: KeyedEntries, *ids: str) -> None:
    async def plan(stored: Mapping[str, MemoryEntry]) -> Changes:
        return Changes([entry_of(entries, id) for id in ids])

    await entries.change(ids, plan)


async def walk(entries: KeyedEntries, page: int = 100) -> list[str]:
    return [entry.id async for entry in entries.newest_first(EVERYTHING, page)]


def test_reads_go_to_the_tier_and_those_above(entries: KeyedEntries) -> None:
    assert entries.tiers == (Tier.SESSION, Tier.PERSISTENT)


async def test_a_plan_sees_what_is_stored_and_what_it_says_is_done(entries: KeyedEntries) -> None:
    await put(entries, "a", "b")

    async def plan(stored: Mapping[str, MemoryEntry]) -> Changes:
        assert stored.keys() == {"a"}
        return Changes([entry_of(entries, "c")], ["a", "missing"])

    changes = await entries.change(["a", "c", "missing"], plan)
    assert [entry.id for entry in changes.entries] == ["c"]
    assert await entries.distinct(NAME, EVERYTHING) == {"b", "c"}


async def test_nobody_else_changes_the_ids_of_a_plan(entries: KeyedEntries) -> None:
    async def add_one(stored: Mapping[str, MemoryEntry]) -> Changes:
        count = stored["n"].metadata["count"] if "n" in stored else 0
        await asyncio.sleep(0)
        record = entries.record("n", "text", {"count": count + 1}, now_us=entries.now_us())
        return Changes([MemoryEntry.of(record)])

    await asyncio.gather(*(entries.change(["n"], add_one) for _ in range(20)))
    assert (await entries.get_many(["n"]))["n"].metadata == {"count": 20}


async def test_what_others_are_changing_is_passed_over_on_request(entries: KeyedEntries) -> None:
    await put(entries, "a", "b")
    seen: list[str] = []

    async def outer(stored: Mapping[str, MemoryEntry]) -> Changes:
        async def inner(stored: Mapping[str, MemoryEntry]) -> Changes:
            seen.extend(stored)
            return Changes([])

        await entries.change(["a", "b"], inner, wait=False)
        return Changes([])

    await entries.change(["a"], outer)
    assert seen == ["b"]


async def test_a_plan_that_fails_lets_others_come(entries: KeyedEntries) -> None:
    async def broken(stored: Mapping[str, MemoryEntry]) -> Changes:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await entries.change(["a"], broken)
    await put(entries, "a")
    assert await walk(entries) == ["a"]


async def test_records_keep_their_times(entries: KeyedEntries, clock: ManualClock) -> None:
    now = clock.now_us()
    record = entries.record("a", "text", {}, now_us=now, created_us=5, ttl=1.5)
    assert (record.created_us, record.updated_us, record.expires_us) == (5, now, now + 1_500_000)
    assert record.keyed
    assert entries.record("a", "text", {}, now_us=now).expires_us == now + 60_000_000


async def test_the_latest_come_first_over_all_tiers(
    memory: MemorySystem, entries: KeyedEntries, clock: ManualClock
) -> None:
    durable = KeyedEntries(memory, Tier.PERSISTENT)
    for number in range(6):
        await put((entries, durable)[number % 2], str(number))
        clock.advance(1)
    await put(durable, "y", "x")
    for page in (1, 2, 100):
        assert await walk(entries, page) == ["x", "y", "5", "4", "3", "2", "1", "0"]
        assert await walk(durable, page) == ["x", "y", "5", "3", "1"]
    assert await entries.distinct(NAME, Ne(NAME, "3")) == {"x", "y", "5", "4", "2", "1", "0"}


async def test_a_copy_that_a_move_left_is_seen_once(memory: MemorySystem, entries: KeyedEntries) -> None:
    await put(entries, "a")
    await put(KeyedEntries(memory, Tier.PERSISTENT), "a")
    assert await walk(entries) == ["a"]
    assert await entries.distinct(NAME, EVERYTHING) == {"a"}
    await put(entries, "a")
    assert [await memory.count(tier=tier) for tier in Tier] == [0, 1, 0]


async def test_a_sweep_deletes_what_has_expired(entries: KeyedEntries, clock: ManualClock) -> None:
    await put(entries, "a", "b")
    assert await entries.sweep() == 0
    clock.advance(61)
    assert await entries.sweep() == 2
    assert await entries.get_many(["a", "b"]) == {}


async def test_hooks_hear_of_changes(entries: KeyedEntries) -> None:
    heard: list[Operation] = []
    remove = add_hook(heard.append)
    await put(entries, "a", "b")
    remove()
    assert [(operation.name, operation.items) for operation in heard] == [("change", 2)]
