"""What operations cost, in calls and held items instead of seconds: these hold on any machine."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from axon import Filter, MemoryConfig, MemorySystem, Tier
from axon.adapters.memory import MemoryAdapter
from axon.core.clock import ManualClock
from axon.core.policies import EphemeralPolicy, PersistentPolicy
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.engine import workers
from axon.testing import FaultPlan, FaultyAdapter

DIMS = 8


class CountingEmbedder:
    """Gives every text the same vector, and notes the texts of each call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    @property
    def spec(self) -> EmbedderSpec:
        return EmbedderSpec(provider="test", model="counting", dims=DIMS, max_batch=1000)

    async def embed_array(
        self, texts: Sequence[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        self.calls.append(list(texts))
        return np.ones((len(texts), DIMS), np.float32)


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def plan() -> FaultPlan:
    """Counts the calls of both adapters."""
    return FaultPlan()


@pytest.fixture
async def memory(embedder: CountingEmbedder, plan: FaultPlan) -> AsyncIterator[MemorySystem]:
    """Two tiers, each behind a wrapper that counts calls."""
    adapters = {
        tier: FaultyAdapter(MemoryAdapter(), plan, str(tier)) for tier in (Tier.EPHEMERAL, Tier.PERSISTENT)
    }
    config = MemoryConfig(ephemeral=EphemeralPolicy(), persistent=PersistentPolicy())
    async with MemorySystem(config, embedder=embedder, adapters=adapters) as memory:
        yield memory


def counted(plan: FaultPlan) -> Counter[tuple[str, str]]:
    """The calls since the last look."""
    calls = Counter(plan.calls)
    plan.arm(None)
    return calls


async def test_one_call_of_the_model_per_text_and_none_for_given_vectors(
    memory: MemorySystem, embedder: CountingEmbedder
) -> None:
    await memory.store("a text")
    assert embedder.calls == [["a text"]]
    await memory.store("another text", embedding=np.ones(DIMS, np.float32))
    await memory.recall(np.ones(DIMS, np.float32))
    await memory.recall("words", mode="text")
    assert len(embedder.calls) == 1


async def test_a_recall_embeds_once_for_all_tiers_and_remembers(
    memory: MemorySystem, embedder: CountingEmbedder
) -> None:
    await memory.store("kept", tier=Tier.PERSISTENT)
    await memory.store("fleeting", tier=Tier.EPHEMERAL)
    embedder.calls.clear()
    for _ in range(3):
        assert len(await memory.recall("a question")) == 2
    assert embedder.calls == [["a question"]]


async def test_a_bulk_call_embeds_batch_by_batch(memory: MemorySystem, embedder: CountingEmbedder) -> None:
    await memory.bulk_store([f"text {n}" for n in range(1100)], batch_size=500)
    assert [len(texts) for texts in embedder.calls] == [500, 500, 100]


async def test_a_bulk_call_writes_each_batch_at_once(memory: MemorySystem, plan: FaultPlan) -> None:
    await memory.store("binds the embedder", tier=Tier.PERSISTENT)
    counted(plan)
    await memory.bulk_store([f"text {n}" for n in range(2500)], tier=Tier.PERSISTENT)
    assert counted(plan) == {("persistent", "put_many"): 3}


async def test_a_store_under_a_fresh_id_is_one_call_and_under_a_known_one_looks_elsewhere(
    memory: MemorySystem, plan: FaultPlan
) -> None:
    await memory.store("binds the embedder", tier=Tier.PERSISTENT)
    counted(plan)
    await memory.store("a text", tier=Tier.PERSISTENT)
    assert counted(plan) == {("persistent", "put_many"): 1}
    await memory.store("a text", tier=Tier.PERSISTENT, id="known")
    assert counted(plan) == {("persistent", "put_many"): 1, ("ephemeral", "delete_many"): 1}


async def test_reading_many_is_one_call_per_tier(memory: MemorySystem, plan: FaultPlan) -> None:
    ids = await memory.bulk_store([f"text {n}" for n in range(300)], tier=Tier.PERSISTENT)
    counted(plan)
    assert None not in await memory.get_many(ids)
    assert counted(plan) == {("ephemeral", "get_many"): 1, ("persistent", "get_many"): 1}


@pytest.mark.parametrize("filter", [None, Filter(tags=["t"])])
async def test_a_recall_is_one_search_per_tier(
    memory: MemorySystem, plan: FaultPlan, filter: Filter | None
) -> None:
    await memory.bulk_store([f"text {n}" for n in range(300)], tags=["t"], tier=Tier.PERSISTENT)
    counted(plan)
    assert len(await memory.recall(np.ones(DIMS, np.float32), k=10, filter=filter)) == 10
    assert counted(plan) == {("ephemeral", "search_many"): 1, ("persistent", "search_many"): 1}
    await memory.recall(np.ones(DIMS, np.float32), tier=Tier.PERSISTENT, filter=filter)
    assert counted(plan) == {("persistent", "search_many"): 1}


async def test_access_statistics_are_written_for_many_recalls_at_once(
    memory: MemorySystem, plan: FaultPlan
) -> None:
    await memory.store("a text", tier=Tier.PERSISTENT)
    counted(plan)
    for _ in range(100):
        await memory.recall(np.ones(DIMS, np.float32))
        await asyncio.sleep(0)
    assert counted(plan)["persistent", "touch_many"] == 0
    await memory._runtime.flush_touches()
    assert counted(plan) == {("persistent", "touch_many"): 1}
    assert [entry.access_count async for entry in memory.scan()] == [100]


@pytest.fixture
def adapter() -> MemoryAdapter:
    return MemoryAdapter()


@pytest.fixture
async def plain(adapter: MemoryAdapter, embedder: CountingEmbedder) -> AsyncIterator[MemorySystem]:
    """One tier, on an adapter that the test looks into."""
    config = MemoryConfig(persistent=PersistentPolicy())
    async with MemorySystem(config, embedder=embedder, adapters={Tier.PERSISTENT: adapter}) as memory:
        yield memory


async def test_storing_indexes_no_text(plain: MemorySystem, adapter: MemoryAdapter) -> None:
    def lag() -> int:
        view = adapter._arenas["default"].view(0)
        assert view.text is not None
        return view.text.lag(view.size)

    await plain.bulk_store([f"text {n}" for n in range(50)])
    for n in range(50):
        await plain.store(f"single text {n}")
    await plain.recall("text", mode="vector")
    assert lag() == 100
    await plain.recall("text", mode="text")
    assert lag() == 0


async def test_small_recalls_stay_on_their_thread(
    plain: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> Any:
        raise AssertionError("a thread was asked for")

    await plain.bulk_store([f"text {n}" for n in range(1000)], tags=["t"])
    await plain.recall("text 7")  # catches up with a thousand texts, which a worker does
    monkeypatch.setattr(workers, "executor", refuse)
    ids = [await plain.store(f"one more {n}") for n in range(10)]
    assert len(await plain.recall("text 7", filter=Filter(tags=["t"]))) == 10
    assert len(await plain.recall("more", mode="vector")) == 10
    assert await plain.get(ids[0]) is not None
    assert await plain.delete(ids[0])
    assert await plain.count(filter=Filter(tags=["t"])) == 1000


class Held(str):
    """A text that knows how many of its kind are held, and how many were at most."""

    now = most = 0

    def __init__(self, *_: object) -> None:
        Held.now += 1
        Held.most = max(Held.most, Held.now)

    def __del__(self) -> None:
        Held.now -= 1


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_bulk_call_holds_one_batch_of_a_generator(plain: MemorySystem, is_async: bool) -> None:
    def items() -> Iterator[str]:
        for n in range(100_000):
            yield Held(f"text {n}")

    async def later() -> AsyncIterator[str]:
        for item in items():
            yield item

    make: Callable[[], Any] = later if is_async else items
    Held.now = Held.most = 0
    assert len(await plain.bulk_store(make(), batch_size=500)) == 100_000
    # The generators here hold the item they handed out last.
    assert Held.most <= 500 + 2
    assert Held.now == 0


@pytest.mark.parametrize("seconds", [0.0, 10.0])
async def test_what_an_adapter_answers_at_once_is_what_it_answers_when_awaited(
    plain: MemorySystem, adapter: MemoryAdapter, seconds: float
) -> None:
    adapter.clock = clock = ManualClock()
    plain._runtime.clock = clock
    ids = [await plain.store("stays"), await plain.store("ends", ttl=5.0), "never stored"]
    clock.advance(seconds)
    at_once = [adapter.get_now("default", id) for id in ids]
    assert at_once == await adapter.get_many("default", ids)
    assert [entry is not None for entry in at_once] == [True, seconds == 0.0, False]
