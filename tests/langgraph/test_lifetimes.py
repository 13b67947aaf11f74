"""Lifetimes beyond the suite: what a renewal writes, who sweeps, what a tier's policy adds: L29."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from axon.adapters.memory import MemoryAdapter
from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.errors import AdapterUnavailable, ConfigError
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, Tier
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon.testing.langgraph_base import index_of
from axon_integrations.langgraph import AxonStore


class WatchedAdapter(MemoryAdapter):
    """Tells what is written and deleted."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock=clock)
        self.put: list[str] = []
        self.deleted = threading.Event()
        self.broken = False
        self.tried = threading.Event()

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        self.put += [entry.id for entry in entries]
        await super().put_many(namespace, entries)

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        self.deleted.set()
        return await super().delete_many(namespace, ids)

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        self.tried.set()
        if self.broken:
            raise AdapterUnavailable("the backend is away")
        return await super().expired(namespace, limit)


@pytest.fixture
def adapter(clock: ManualClock) -> WatchedAdapter:
    return WatchedAdapter(clock)


@pytest.fixture
def memory(adapter: WatchedAdapter, clock: ManualClock) -> MemorySystem:
    return MemorySystem(
        MemoryConfig(persistent=PersistentPolicy()), adapters={Tier.PERSISTENT: adapter}, clock=clock
    )


async def test_a_renewal_keeps_everything_but_the_end(memory: MemorySystem, clock: ManualClock) -> None:
    store = AxonStore(memory, index=index_of("text[*]"), ttl={"default_ttl": 10})
    await store.aput(("a",), "k", {"text": ["abc", "xyz"]})
    before = {entry.id: entry async for entry in store.memory.scan()}
    clock.advance(60)
    await store.aget(("a",), "k")
    after = {entry.id: entry async for entry in store.memory.scan()}
    assert len(before) == 2
    for id, entry in after.items():
        assert (entry.expires_at - before[id].expires_at).total_seconds() == 60
        assert (entry.updated_at, entry.metadata, entry.text) == (
            before[id].updated_at, before[id].metadata, before[id].text,
        )  # fmt: skip
        assert entry.embedding.tolist() == before[id].embedding.tolist()


async def test_many_reads_of_a_moment_write_once(
    memory: MemorySystem, adapter: WatchedAdapter, clock: ManualClock
) -> None:
    store = AxonStore(memory, ttl={"default_ttl": 10})
    await store.aput(("a",), "k", {})
    for _ in range(20):
        clock.advance(0.1)
        await store.aget(("a",), "k")
    assert len(adapter.put) == 2
    clock.advance(599)
    assert await store.aget(("a",), "k") is not None


async def test_items_without_an_end_are_never_written_by_reads(
    memory: MemorySystem, adapter: WatchedAdapter, clock: ManualClock
) -> None:
    store = AxonStore(memory)
    await store.aput(("a",), "k", {})
    clock.advance(3600)
    await store.aget(("a",), "k")
    await store.asearch(())
    assert len(adapter.put) == 1


async def test_a_renewal_does_not_undo_a_put(memory: MemorySystem, clock: ManualClock) -> None:
    store = AxonStore(memory, ttl={"default_ttl": 10})
    await store.aput(("a",), "k", {"v": 0})
    for n in range(1, 20):
        clock.advance(60)
        await asyncio.gather(
            store.asearch(()), store.aput(("a",), "k", {"v": n}), store.aget(("a",), "k"), store.asearch(())
        )
        item = await store.aget(("a",), "k")
        assert item is not None
        assert item.value == {"v": n}


async def test_a_sweep_frees_the_room(
    memory: MemorySystem, adapter: WatchedAdapter, clock: ManualClock
) -> None:
    store = AxonStore(memory, index=index_of("text[*]"), ttl={"default_ttl": 1})
    await store.aput(("a",), "gone", {"text": ["abc", "xyz"]})
    await store.aput(("a",), "stays", {"text": ["abc"]}, ttl=None)
    clock.advance(61)
    assert len(await adapter.expired(store.memory.namespace)) == 2
    assert await store.asweep_ttl() == 2
    assert await store.asweep_ttl() == 0
    assert await adapter.expired(store.memory.namespace) == []
    assert [item.key for item in await store.asearch(())] == ["stays"]


def test_the_first_call_starts_the_sweeper(
    memory: MemorySystem, adapter: WatchedAdapter, clock: ManualClock
) -> None:
    interval: Any = 0.0001
    store = AxonStore(memory, ttl={"default_ttl": 1, "sweep_interval_minutes": interval})
    store.put(("a",), "k", {})
    clock.advance(61)
    assert adapter.deleted.wait(30)
    assert store.stop_ttl_sweeper(30)


def test_a_sweeper_outlives_a_backend_that_is_away(
    memory: MemorySystem, adapter: WatchedAdapter, clock: ManualClock
) -> None:
    store = AxonStore(memory, ttl={"default_ttl": 1})
    store.put(("a",), "k", {})
    adapter.broken = True
    store.start_ttl_sweeper(0.0001)
    assert adapter.tried.wait(30)
    clock.advance(61)
    adapter.broken = False
    assert adapter.deleted.wait(30)
    assert store.stop_ttl_sweeper(30)


def test_a_sweeper_is_started_once_and_stopped_by_closing(memory: MemorySystem) -> None:
    store = AxonStore(memory)
    before = threading.active_count()
    store.start_ttl_sweeper(60)
    store.start_ttl_sweeper()
    assert threading.active_count() == before + 1
    sweeper = store._sweeper._thread
    assert sweeper is not None
    store.close()
    sweeper.join(30)
    assert not sweeper.is_alive()
    assert store.stop_ttl_sweeper()


def test_a_sweeper_ends_with_its_store(memory: MemorySystem) -> None:
    store = AxonStore(memory)
    store.start_ttl_sweeper(60)
    sweeper = store._sweeper._thread
    assert sweeper is not None
    del store
    gc.collect()
    sweeper.join(30)
    assert not sweeper.is_alive()


async def test_the_policy_of_the_tier_is_the_default_below(clock: ManualClock) -> None:
    config = MemoryConfig(session=SessionPolicy(ttl_seconds=60))
    async with MemorySystem(config, clock=clock) as memory:
        store = AxonStore(memory)
        await store.aput(("a",), "by policy", {})
        await store.aput(("a",), "by itself", {}, ttl=2)
        clock.advance(59)
        assert len(await store.asearch(())) == 2
        clock.advance(2)
        assert [item.key for item in await store.asearch(())] == ["by itself"]


@pytest.mark.parametrize(
    "ttl",
    [
        {"ttl": 1},
        {"default_ttl": 0},
        {"default_ttl": "1"},
        {"sweep_interval_minutes": -1},
        {"refresh_on_read": 1},
    ],
    ids=repr,
)
def test_a_configuration_that_cannot_work(memory: MemorySystem, ttl: Any) -> None:
    with pytest.raises(ConfigError):
        AxonStore(memory, ttl=ttl)
