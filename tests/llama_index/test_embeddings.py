"""Embedders across the border, both ways: R37."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import TextNode
from numpy.typing import NDArray

from axon.core.config import MemoryConfig
from axon.core.errors import EmbeddingError, EmbeddingMismatchError, EmptyTextError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon.core.ports import Embedder, EmbedderSpec
from axon.embedders.hashing import HashingEmbedder
from axon_integrations.llama_index import AxonEmbedding, AxonVectorStore, LlamaIndexEmbedder, from_llama_index
from tests.llama_index.helpers import WORD_DIMS, AsyncEmbedding, WordEmbedding, ask, ids


class KindEmbedder:
    """Documents and queries get different vectors; counts its calls."""

    spec = EmbedderSpec(provider="test", model="kinds", dims=2, max_batch=5000)

    def __init__(self) -> None:
        self.calls: list[tuple[str, int]] = []

    async def embed_array(self, texts: Sequence[str], *, kind: str = "document") -> NDArray[np.float32]:
        self.calls.append((kind, len(texts)))
        return np.array([[len(text), kind == "query"] for text in texts], dtype=np.float32)


async def test_r37_an_axon_embedder_is_a_llama_index_model() -> None:
    embedder = KindEmbedder()
    model = AxonEmbedding(embedder)
    assert (model.model_name, model.embed_batch_size, model.dims) == ("kinds", 2048, 2)
    assert model.get_query_embedding("ab") == await model.aget_query_embedding("ab") == [2.0, 1.0]
    assert model.get_text_embedding("ab") == await model.aget_text_embedding("ab") == [2.0, 0.0]
    assert embedder.calls == [("query", 1)] * 2 + [("document", 1)] * 2
    embedder.calls.clear()
    assert model.get_text_embedding_batch(["a", "bb"]) == await model.aget_text_embedding_batch(["a", "bb"])
    assert embedder.calls == [("document", 2)] * 2


def test_r37_the_batch_size_can_be_chosen() -> None:
    embedder = KindEmbedder()
    AxonEmbedding(embedder, embed_batch_size=3).get_text_embedding_batch(["x"] * 7)
    assert embedder.calls == [("document", 3), ("document", 3), ("document", 1)]


def test_r37_a_blank_text_is_an_error_with_its_index() -> None:
    memory = MemorySystem(MemoryConfig.in_memory())
    with pytest.raises(EmptyTextError) as caught:
        AxonEmbedding(memory.embedder).get_text_embedding_batch(["fine", " "])
    assert caught.value.index == 1


@pytest.mark.parametrize("model", [WordEmbedding(), AsyncEmbedding()], ids=lambda each: type(each).__name__)
async def test_r37_a_llama_index_model_is_an_axon_embedder(model: WordEmbedding) -> None:
    embedder = from_llama_index(model)
    assert isinstance(embedder, Embedder)
    assert (embedder.spec.dims, embedder.spec.max_batch) == (None, model.embed_batch_size)
    texts = [f"text {at}" for at in range(model.embed_batch_size)]
    model.calls.clear()
    rows = await embedder.embed_array(texts)
    assert model.calls == [len(texts)], "one call of the model for one batch"
    assert (rows.shape, rows.dtype, rows.flags.c_contiguous) == ((len(texts), WORD_DIMS), np.float32, True)
    assert embedder.spec.dims == WORD_DIMS
    assert rows[3] == pytest.approx(model.get_text_embedding("text 3"))
    asked = await embedder.embed_array(["text 3", "x"], kind="query")
    assert asked[0] == pytest.approx(model.get_query_embedding("text 3"))


class ThreadNoting(WordEmbedding):
    """Notes the threads that its blocking forms run in."""

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        THREADS.append(threading.current_thread())
        return super()._get_text_embeddings(texts)


THREADS: list[threading.Thread] = []


async def test_r37_a_blocking_model_does_not_run_on_the_loop() -> None:
    THREADS.clear()
    await from_llama_index(ThreadNoting()).embed_array(["a"])
    assert len(THREADS) == 1
    assert THREADS[0] is not threading.current_thread()


async def test_r37_an_async_model_runs_on_the_callers_loop_and_never_on_the_shared_one() -> None:
    model = AsyncEmbedding()
    embedder = from_llama_index(model)
    await embedder.embed_array(["a"])
    assert model.loops == [asyncio.get_running_loop()]
    rows = await asyncio.to_thread(run_blocking, embedder.embed_array(["a"]))
    assert rows.shape == (1, WORD_DIMS)
    assert len(model.loops) == 1, "the blocking form served the blocking call"


def test_r37_a_model_on_an_axon_embedder_serves_a_memory_without_a_deadlock() -> None:
    memory = MemorySystem(embedder=LlamaIndexEmbedder(AxonEmbedding(KindEmbedder())))
    run_blocking(memory.store("there and back"), timeout=30)
    assert run_blocking(memory.recall("back", mode="vector"), timeout=30)[0].text == "there and back"
    run_blocking(memory.aclose())


class Broken(MockEmbedding):
    """Fails, or answers with too few vectors."""

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        if texts == ["fail"]:
            raise RuntimeError("no quota")
        return [[1.0] * (at + 1) for at in range(len(texts))]


async def test_r37_a_failing_model_is_an_embedding_error() -> None:
    embedder = from_llama_index(Broken(embed_dim=2))
    with pytest.raises(EmbeddingError, match="no quota") as caught:
        await asyncio.to_thread(run_blocking, embedder.embed_array(["fail"]))
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(EmbeddingError, match=r"\[1, 2\] dimensions"):
        await asyncio.to_thread(run_blocking, embedder.embed_array(["a", "b"]))
    with pytest.raises(EmbeddingError, match="not str"):
        from_llama_index("text-embedding-3-small")  # type: ignore[arg-type]


async def test_r37_memory_and_index_on_one_model_agree() -> None:
    model = WordEmbedding()
    async with MemorySystem(embedder=from_llama_index(model)) as memory:
        await memory.store("told to the memory about otters", id="told")
        store = AxonVectorStore(memory)
        index = VectorStoreIndex.from_vector_store(store, embed_model=model)
        await index.ainsert_nodes([TextNode(id_="indexed", text="put into the index about otters")])
        found = await index.as_retriever(similarity_top_k=2).aretrieve("otters")
        assert {each.node_id for each in found} == {"told", "indexed"}
        recalled = await memory.recall("otters", mode="vector")
        assert [(each.entry.id, pytest.approx(each.similarity)) for each in recalled] == [
            (each.node_id, each.score) for each in found
        ]
        assert ids(await store.aquery(ask(None, query_str="told to the memory about otters")))[0] == "told"
        with pytest.raises(EmbeddingMismatchError):
            await store.async_add([TextNode(id_="other model", text="x", embedding=[1.0, 2.0])])


def test_r37_there_and_back_is_the_same_embedder() -> None:
    embedder = HashingEmbedder()
    model = AxonEmbedding(embedder)
    assert from_llama_index(model) is embedder
    assert len(model.get_text_embedding("a text")) == model.dims
    assert "AxonEmbedding" in str(model.to_dict())
