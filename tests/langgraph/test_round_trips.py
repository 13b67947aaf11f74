"""How often the backend and the model are asked: L30."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.store.base import GetOp, PutOp, SearchOp

from axon.adapters.memory import MemoryAdapter
from axon.core.clock import SystemClock
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.models import Hit, MemoryEntry, SearchRequest, Tier
from axon.core.policies import PersistentPolicy
from axon_integrations.langgraph import AxonStore


class CountingAdapter(MemoryAdapter):
    """Counts what would be round trips to a backend."""

    def __init__(self) -> None:
        super().__init__(clock=SystemClock())
        self.calls: Counter[str] = Counter()

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        self.calls["put"] += 1
        await super().put_many(namespace, entries)

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        self.calls["get"] += 1
        return await super().get_many(namespace, ids)

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        self.calls["delete"] += 1
        return await super().delete_many(namespace, ids)

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        self.calls["search"] += 1
        return await super().search_many(namespace, requests)


class Model:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.calls.append(list(texts))
        return [[float(len(text)), 1.0] for text in texts]


@pytest.fixture
def adapter() -> CountingAdapter:
    return CountingAdapter()


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def store(adapter: CountingAdapter, model: Model) -> AxonStore:
    memory = MemorySystem(MemoryConfig(persistent=PersistentPolicy()), adapters={Tier.PERSISTENT: adapter})
    return AxonStore(memory, index={"dims": 2, "embed": model, "fields": ["text"]})


async def test_l30_concurrent_calls_share_round_trips(
    store: AxonStore, adapter: CountingAdapter, model: Model
) -> None:
    calls: list[Any] = []
    for n in range(50):
        calls += [store.aput(("a",), str(n), {"text": f"text {n}"}), store.aget(("a",), str(n))]
    answers = await asyncio.gather(*calls)
    assert [item.value["text"] for item in answers[1::2]] == [f"text {n}" for n in range(50)]
    assert adapter.calls.total() <= 3
    assert [len(texts) for texts in model.calls] == [50]


async def test_gets_alone_are_one_round_trip(store: AxonStore, adapter: CountingAdapter) -> None:
    await store.aput(("a",), "k", {})
    adapter.calls.clear()
    await asyncio.gather(*(store.aget(("a",), key) for key in ("k", "k", "missing")))
    assert adapter.calls == {"get": 1}


async def test_a_batch_is_a_few_round_trips(store: AxonStore, adapter: CountingAdapter, model: Model) -> None:
    await store.abatch([PutOp(("a",), str(n), {"text": f"old {n}"}) for n in range(20)])
    adapter.calls.clear()
    model.calls.clear()
    await store.abatch(
        [
            *(PutOp(("a",), str(n), {"text": f"new {n}"}) for n in range(10)),
            *(PutOp(("a",), str(n), None) for n in range(10, 20)),
            *(GetOp(("a",), str(n)) for n in range(20)),
            SearchOp(("a",), query="old"),
        ]
    )
    # The state before for the gets and for the writes, one write, one deletion, one search.
    assert adapter.calls == {"get": 2, "put": 1, "delete": 1, "search": 1}
    assert sorted(map(len, model.calls)) == [1, 10]


async def test_deleting_what_is_not_there_writes_nothing(store: AxonStore, adapter: CountingAdapter) -> None:
    await store.adelete(("a",), "missing")
    assert adapter.calls == {"get": 1}


async def test_a_failing_text_fails_its_own_put_only(store: AxonStore, model: Model) -> None:
    class Moody(Model):
        async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
            if "bad" in texts:
                raise RuntimeError("this model dislikes a word")
            return await super().__call__(texts)

    picky = AxonStore(
        store.memory, index={"dims": 2, "embed": Moody(), "fields": ["text"]}, namespace="picky"
    )
    outcomes = await asyncio.gather(
        *(picky.aput(("a",), word, {"text": word}) for word in ("good", "bad", "fine")),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["NoneType", "EmbeddingError", "NoneType"]
    assert {item.key for item in await picky.asearch(())} == {"good", "fine"}
