"""What LlamaIndex expects of any vector store object, and loops, threads, dumps: R1, R20 to R23, R25, R40."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core import StorageContext, VectorStoreIndex
from llama_index.core.vector_stores.types import BasePydanticVectorStore, VectorStoreQueryMode
from numpy.typing import NDArray

from axon.core.config import MemoryConfig
from axon.core.errors import EmbeddingMismatchError, InvalidInputError, SyncCallError
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon.core.portal import run_blocking
from axon.core.ports import EmbedderSpec
from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.helpers import ask, filters, ids, node, where

SECRET = "hunter2-secret"


def test_r1_it_is_a_vector_store_that_keeps_text(store: AxonVectorStore) -> None:
    assert isinstance(store, BasePydanticVectorStore)
    assert store.stores_text is True
    assert store.is_embedding_query is True
    assert store.class_name() == AxonVectorStore.class_name() == "AxonVectorStore"
    assert store.client is not None


def test_r1_an_empty_store_is_true_and_is_kept(store: AxonVectorStore) -> None:
    assert store
    assert StorageContext.from_defaults(vector_store=store).vector_store is store
    assert VectorStoreIndex.from_vector_store(store).vector_store is store


def test_r40_every_method_takes_what_llama_index_passes() -> None:
    for name, method in inspect.getmembers(BasePydanticVectorStore, inspect.isfunction):
        if name.startswith("_") or name not in vars(BasePydanticVectorStore):
            continue
        ours = inspect.signature(getattr(AxonVectorStore, name))
        theirs = inspect.signature(method)
        assert list(theirs.parameters)[:1] == list(ours.parameters)[:1]
        for parameter in theirs.parameters.values():
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                assert parameter.name in ours.parameters, f"{name}({parameter.name})"


def test_r40_nothing_of_the_base_is_left_undone() -> None:
    for name in ("get_nodes", "delete_nodes", "clear", "persist", "aget_nodes", "async_add", "adelete"):
        assert getattr(AxonVectorStore, name) is not getattr(BasePydanticVectorStore, name)
    for name in ("adelete_nodes", "aclear", "aquery"):
        assert getattr(AxonVectorStore, name) is not getattr(BasePydanticVectorStore, name)


async def every_async_method(store: AxonVectorStore) -> None:
    assert await store.async_add([node("a", [1, 0]), node("b", [0, 1], doc="D")]) == ["a", "b"]
    assert ids(await store.aquery(ask([1, 0]))) == ["a", "b"]
    words = ask([1, 0], query_str="text", mode=VectorStoreQueryMode.HYBRID)
    assert sorted(ids(await store.aquery(words))) == ["a", "b"]
    assert [each.node_id for each in await store.aget_nodes(["b"])] == ["b"]
    await store.adelete("D")
    await store.adelete_nodes(filters=filters(where("id", "b")))
    assert [each.node_id for each in await store.aget_nodes()] == ["a"]
    await store.aclear()
    assert await store.aget_nodes() == []


def test_r20_no_async_method_goes_through_the_blocking_face(store: AxonVectorStore) -> None:
    """On the loop that serves blocking calls, a blocking call would raise."""
    run_blocking(every_async_method(store))


class GatedEmbedder:
    """Answers when the gate is open, and the gate is opened from the same loop."""

    spec = EmbedderSpec(provider="test", model="gated", dims=2)

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()

    async def embed_array(self, texts: Sequence[str], *, kind: str = "document") -> NDArray[np.float32]:
        self.asked.set()
        await self.gate.wait()
        return np.ones((len(texts), 2), dtype=np.float32)


async def test_r20_the_loop_runs_on_while_a_backend_is_slow() -> None:
    embedder = GatedEmbedder()
    async with MemorySystem(MemoryConfig.in_memory(), embedder=embedder) as memory:
        store = AxonVectorStore(memory)
        await store.async_add([node("a", [1, 1])])
        waiting = asyncio.create_task(store.aquery(ask(None, query_str="anything")))
        await asyncio.wait_for(embedder.asked.wait(), 10)
        assert not waiting.done()
        assert ids(await store.aquery(ask([1, 1]))) == ["a"], "others are served meanwhile"
        embedder.gate.set()
        assert ids(await asyncio.wait_for(waiting, 10)) == ["a"]


async def test_r20_a_large_add_gives_others_their_turn(in_process: MemorySystem) -> None:
    store = AxonVectorStore(in_process)
    adding = asyncio.create_task(store.async_add([node(f"n{at}", [1, at]) for at in range(2000)]))
    turns = 0
    while not adding.done():
        turns += 1
        await asyncio.sleep(0)
    assert len(await adding) == 2000
    assert turns > 20


def test_r21_blocking_and_async_calls_share_one_object(store: AxonVectorStore) -> None:
    def in_a_loop_of_its_own(name: str) -> None:
        async def work() -> None:
            await store.async_add([node(f"async {name}", [1, 0])])
            store.add([node(f"blocking inside {name}", [1, 0])])
            assert len(ids(await store.aquery(ask([1, 0], k=20)))) >= 2
            assert len(ids(store.query(ask([1, 0], k=20)))) >= 2

        asyncio.run(work())

    store.add([node("blocking", [1, 0])])
    in_a_loop_of_its_own("first")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(in_a_loop_of_its_own, [f"thread {at}" for at in range(3)], timeout=60))
    names = ["first", "thread 0", "thread 1", "thread 2"]
    expected = {
        "blocking",
        *(f"async {name}" for name in names),
        *(f"blocking inside {name}" for name in names),
    }
    assert {each.node_id for each in store.get_nodes()} == expected
    assert {each.node_id for each in asyncio.run(store.aget_nodes())} == expected


def test_r21_a_blocking_call_on_its_own_loop_names_the_other_form(store: AxonVectorStore) -> None:
    async def wrong() -> None:
        store.query(ask([1, 0]))

    with pytest.raises(SyncCallError, match="await"):
        run_blocking(wrong())


async def test_r22_a_wrong_or_missing_embedding_is_refused_before_anything_is_written(
    store: AxonVectorStore,
) -> None:
    bare = node("bare", [1, 0])
    bare.embedding = None
    with pytest.raises(InvalidInputError, match="'bare' has no embedding") as missing:
        await store.async_add([node("a", [1, 0]), bare])
    assert (missing.value.index, missing.value.stored) == (1, 0)
    with pytest.raises(EmbeddingMismatchError) as uneven:
        store.add([*(node(f"n{at}", [1, at]) for at in range(1500)), node("long", [1, 0, 0])])
    assert (uneven.value.index, uneven.value.stored) == (1500, 0)
    assert store.get_nodes() == []
    store.add([node("a", [1, 0])])
    with pytest.raises(EmbeddingMismatchError):
        store.add([node("b", [1, 0, 0])])
    with pytest.raises(EmbeddingMismatchError):
        await store.aquery(ask([1, 0, 0]))
    assert [each.node_id for each in store.get_nodes()] == ["a"]


def test_adding_nothing_is_nothing(store: AxonVectorStore) -> None:
    assert store.add([]) == []


@pytest.fixture
def secretive(tmp_path: Path) -> AxonVectorStore:
    persistent = PersistentPolicy(
        adapter_type="sqlite", adapter_config={"path": str(tmp_path / f"{SECRET}.db")}
    )
    memory = MemorySystem(MemoryConfig(persistent=persistent))
    return AxonVectorStore(memory, tier="persistent", namespace="tenant")


def test_r23_no_dump_shows_the_memory(secretive: AxonVectorStore) -> None:
    dumps = [
        repr(secretive),
        str(secretive),
        json.dumps(secretive.to_dict()),
        json.dumps(secretive.model_dump()),
        secretive.model_dump_json(),
        secretive.to_json(),
        pickle.dumps(secretive).decode("latin-1"),
    ]
    for dump in dumps:
        assert SECRET not in dump
        assert "tenant" in dump
    assert secretive.to_dict()["class_name"] == "AxonVectorStore"


def test_r23_a_pickle_comes_back_without_a_memory_and_says_so(secretive: AxonVectorStore) -> None:
    back = pickle.loads(pickle.dumps(secretive))
    assert (back.tier, back.namespace) == ("persistent", "tenant")
    with pytest.raises(
        InvalidInputError, match=r"AxonVectorStore\(memory, tier='persistent', namespace='tenant'\)"
    ):
        back.query(ask([1, 0]))


def test_r23_a_dump_becomes_a_store_again_on_a_memory(
    secretive: AxonVectorStore, store: AxonVectorStore
) -> None:
    back = AxonVectorStore.from_dict(secretive.to_dict(), memory=store.client)
    assert (back.tier, back.namespace) == ("persistent", "tenant")
    assert back.client.namespace == "tenant"
    with pytest.raises(TypeError, match="memory"):
        AxonVectorStore.from_dict(secretive.to_dict())  # type: ignore[call-arg]


def test_spans_are_recorded(store: AxonVectorStore) -> None:
    from llama_index.core.instrumentation import get_dispatcher
    from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler

    handler = SimpleSpanHandler()
    dispatcher = get_dispatcher("axon_integrations.llama_index.vector_store")
    dispatcher.add_span_handler(handler)
    try:
        store.add([node("a", [1, 0])])
        store.query(ask([1, 0]))
        asyncio.run(store.aquery(ask([1, 0])))
        asyncio.run(store.adelete("a"))
    finally:
        dispatcher.span_handlers.remove(handler)
    names = [span.id_.split("-")[0] for span in handler.completed_spans]
    assert names == [f"AxonVectorStore.{name}" for name in ("add", "query", "aquery", "adelete")]


def test_a_node_without_importance_goes_to_the_most_durable_tier_there_is() -> None:
    memory = MemorySystem(MemoryConfig(session=SessionPolicy()))
    AxonVectorStore(memory).add([node("a", [1, 0])])
    assert run_blocking(memory.get("a")).tier == "session"
    run_blocking(memory.aclose())


def test_nodes_survive_upkeep(in_process: MemorySystem) -> None:
    store = AxonVectorStore(in_process)
    store.add([node(f"n{at}", [1, at], importance=at / 9) for at in range(10)])
    run_blocking(in_process.maintain())
    run_blocking(in_process.compact())
    assert len(store.get_nodes()) == 10


def test_metadata_fills_the_entrys_fields_and_stays(in_process: MemorySystem) -> None:
    store = AxonVectorStore(in_process)
    metadata: dict[str, Any] = {"tags": ["x", "y"], "importance": 0.25, "session_id": "s1"}
    store.add([node("a", [1, 0], **metadata)])
    entry = run_blocking(in_process.get("a"))
    assert (entry.tags, entry.importance, entry.session_id, entry.tier) == (
        ["x", "y"],
        0.25,
        "s1",
        "ephemeral",
    )
    assert store.get_nodes()[0].metadata == metadata
