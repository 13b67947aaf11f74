"""R25: what would go with the process is persisted, what lasts by itself is not, what has expired is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import TextNode

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.conftest import CONFIGS
from tests.llama_index.helpers import WordEmbedding, ask, ids, node

FILE = "default__vector_store.json"
NODES = [
    node("a", [1, 0], doc="D", tags=["x"], importance=0.1, deep={"list": [1, None]}),
    node("b", [0, 1], importance=0.9),
]


def seen(store: AxonVectorStore) -> list[TextNode]:
    return sorted(store.get_nodes(), key=lambda each: each.node_id)  # type: ignore[return-value,arg-type]


def test_r25_a_storage_context_persists_and_reloads(tmp_path: Path) -> None:
    store = AxonVectorStore(MemorySystem(MemoryConfig.in_memory()))
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex([], storage_context=context, embed_model=WordEmbedding())
    index.insert_nodes([TextNode(id_="a", text="otters swim"), TextNode(id_="b", text="eagles fly")])
    context.persist(str(tmp_path / "kept"))

    back = AxonVectorStore.from_persist_dir(str(tmp_path / "kept"), MemorySystem(MemoryConfig.in_memory()))
    assert seen(back) == seen(store)
    again = StorageContext.from_defaults(persist_dir=str(tmp_path / "kept"), vector_store=back)
    loaded = load_index_from_storage(again, embed_model=WordEmbedding())
    assert [each.node_id for each in loaded.as_retriever(similarity_top_k=1).retrieve("who can fly")] == ["b"]


def test_r25_vectors_fields_and_tiers_come_back(tmp_path: Path) -> None:
    store = AxonVectorStore(MemorySystem(MemoryConfig.in_memory()))
    store.add(NODES)
    path = str(tmp_path / "new" / "folder" / "nodes.jsonl")
    store.persist(path)
    back = AxonVectorStore.from_persist_path(path, MemorySystem(MemoryConfig.in_memory()), namespace="other")
    assert seen(back) == seen(store)
    assert back.query(ask([1, 0])).similarities == pytest.approx([1.0, 0.0])
    assert run_blocking(back.client.get("a")).tier == "ephemeral"
    back.delete("D")
    assert [each.node_id for each in seen(back)] == ["b"]


def test_r25_a_bound_store_persists_its_own(tmp_path: Path) -> None:
    memory = MemorySystem(MemoryConfig.in_memory())
    AxonVectorStore(memory).add(NODES)
    AxonVectorStore(memory, namespace="mine").add([node("m", [1, 0])])
    path = str(tmp_path / "nodes")
    AxonVectorStore(memory, tier="ephemeral").persist(path)
    back = AxonVectorStore.from_persist_path(path, MemorySystem())
    assert [each.node_id for each in seen(back)] == ["a"]
    AxonVectorStore(memory, namespace="mine").persist(path)
    back = AxonVectorStore.from_persist_path(path, MemorySystem())
    assert [each.node_id for each in seen(back)] == ["m"]


def test_r25_a_durable_tier_writes_nothing_and_is_still_there(tmp_path: Path) -> None:
    config: Callable[[], MemoryConfig] = lambda: CONFIGS["sqlite"](tmp_path)  # noqa: E731 - made twice below
    memory = MemorySystem(config())
    store = AxonVectorStore(memory)
    store.add(NODES)
    before = seen(store)
    store.persist(str(tmp_path / FILE))
    assert not (tmp_path / FILE).exists()
    run_blocking(memory.aclose())
    assert sqlite3.connect(tmp_path / "one.db").execute("pragma integrity_check").fetchone() == ("ok",)

    back = AxonVectorStore.from_persist_dir(str(tmp_path), MemorySystem(config()))
    assert seen(back) == before
    assert ids(back.query(ask([1, 0]))) == ["a", "b"]
    run_blocking(back.client.aclose())


def test_r25_of_several_tiers_only_the_fleeting_one_is_written(tmp_path: Path) -> None:
    memory = MemorySystem(MemoryConfig.local(tmp_path / "m.db"))
    AxonVectorStore(memory).add(NODES)
    AxonVectorStore(memory).persist(str(tmp_path / FILE))
    run_blocking(memory.aclose())
    back = AxonVectorStore.from_persist_dir(str(tmp_path), MemorySystem())
    assert [each.node_id for each in seen(back)] == ["a"]
    reopened = AxonVectorStore.from_persist_dir(
        str(tmp_path), MemorySystem(MemoryConfig.local(tmp_path / "m.db"))
    )
    assert [each.node_id for each in seen(reopened)] == ["a", "b"]
    run_blocking(reopened.client.aclose())


def test_r25_another_file_system() -> None:
    files = MemoryFileSystem()
    store = AxonVectorStore(MemorySystem())
    store.add(NODES)
    store.persist("/kept/here/nodes", fs=files)
    back = AxonVectorStore.from_persist_path("/kept/here/nodes", MemorySystem(), fs=files)
    assert seen(back) == seen(store)
    assert seen(AxonVectorStore.from_persist_path("/nowhere", MemorySystem(), fs=files)) == []


@pytest.mark.parametrize("name", CONFIGS)
def test_r25_what_has_expired_is_never_returned(tmp_path: Path, name: str) -> None:
    clock = ManualClock()
    memory = MemorySystem(CONFIGS[name](tmp_path), clock=clock)
    store = AxonVectorStore(memory)
    store.add([node("brief", [1, 0], doc="D")], ttl=60)
    store.add([node("lasting", [1, 0.1], doc="D")])
    assert ids(store.query(ask([1, 0]))) == ["brief", "lasting"]
    clock.advance(61)
    assert ids(store.query(ask([1, 0]))) == ["lasting"]
    assert [each.node_id for each in store.get_nodes()] == ["lasting"]
    assert [each.node_id for each in store.get_nodes(["brief", "lasting"])] == ["lasting"]
    assert ids(store.query(ask(None, doc_ids=["D"]))) == ["lasting"]
    run_blocking(memory.aclose())


def test_r25_a_policys_ttl_does_not_reach_nodes_without_importance() -> None:
    clock = ManualClock()
    config = MemoryConfig.in_memory()
    fleeting = config.ephemeral.model_copy(update={"ttl_seconds": 10.0})
    memory = MemorySystem(MemoryConfig(ephemeral=fleeting, persistent=PersistentPolicy()), clock=clock)
    store = AxonVectorStore(memory)
    store.add([node("stays", [1, 0]), node("goes", [0, 1], importance=0.1)])
    clock.advance(11)
    assert [each.node_id for each in store.get_nodes()] == ["stays"]
