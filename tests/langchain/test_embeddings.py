"""Embedding models both ways: L24."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding

from axon.core.errors import ConfigError, EmbeddingError, EmptyTextError
from axon.core.memory_system import MemorySystem
from axon.core.ports import Embedder
from axon.embedders import HashingEmbedder
from axon_integrations.langchain import AxonEmbeddings, AxonVectorStore, from_langchain
from tests.langchain.planes import AsyncPlaneEmbeddings, PlaneEmbeddings, at


@pytest.mark.parametrize("kind", [PlaneEmbeddings, AsyncPlaneEmbeddings])
async def test_l24_langchain_to_axon(kind: type[PlaneEmbeddings]) -> None:
    embedder = from_langchain(kind())
    assert isinstance(embedder, Embedder)
    rows = await embedder.embed_array(["30", "60"])
    assert rows.dtype == np.float32
    assert rows.tolist() == [pytest.approx(at(30)), pytest.approx(at(60))]
    queries = await embedder.embed_array(["45", "50"], kind="query")
    assert queries.tolist() == [pytest.approx(at(45)), pytest.approx(at(50))]
    assert embedder.spec.dims == 2


@pytest.mark.parametrize("kind", [PlaneEmbeddings, AsyncPlaneEmbeddings])
async def test_l24_queries_are_embedded_as_queries(
    kind: type[PlaneEmbeddings], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def right_angle(self: PlaneEmbeddings, text: str) -> list[float]:
        return at(90)

    monkeypatch.setattr(PlaneEmbeddings, "embed_query", lambda self, text: at(90))
    monkeypatch.setattr(AsyncPlaneEmbeddings, "aembed_query", right_angle)
    store = AxonVectorStore.from_texts(["0", "80"], kind())
    assert (await store.asimilarity_search("0", k=1))[0].page_content == "80"
    assert store.max_marginal_relevance_search("0", k=1)[0].page_content == "80"


async def test_l24_axon_to_langchain() -> None:
    embeddings = AxonEmbeddings(HashingEmbedder())
    documents = await embeddings.aembed_documents(["red fox", "green tea"])
    assert embeddings.embed_documents(["red fox", "green tea"]) == documents
    assert embeddings.embed_query("red fox") == await embeddings.aembed_query("red fox")
    assert all(type(number) is float for number in documents[0])
    assert embeddings.embed_documents([]) == []
    with pytest.raises(EmptyTextError):
        embeddings.embed_documents(["red fox", " "])


def test_l24_there_and_back_is_the_same_object() -> None:
    embedder = HashingEmbedder()
    assert from_langchain(AxonEmbeddings(embedder)) is embedder


def test_l24_one_batched_call_per_add(store: AxonVectorStore, embedding: PlaneEmbeddings) -> None:
    store.add_texts([str(n) for n in range(50)])
    assert [len(call) for call in embedding.calls] == [50]


async def test_l24_concurrent_equal_texts_are_embedded_once(memory: MemorySystem) -> None:
    embedding = AsyncPlaneEmbeddings()
    store = AxonVectorStore(memory, embedding)
    await asyncio.gather(*(store.aadd_texts(["7"]) for _ in range(20)))
    assert embedding.calls == [["7"]]
    assert len(await store.asimilarity_search("7", k=99)) == 20


async def test_vectors_are_stored_and_queried_by_the_embedding_given(memory: MemorySystem) -> None:
    store = AxonVectorStore(memory, PlaneEmbeddings())
    await store.aadd_texts(["30"], ids=["x"])
    entry = await store.memory.get("x")
    assert entry is not None
    assert entry.embedding == pytest.approx(at(30))


@pytest.mark.parametrize(
    ("embeddings", "name"),
    [
        (PlaneEmbeddings(), "PlaneEmbeddings"),
        (DeterministicFakeEmbedding(size=3), "DeterministicFakeEmbedding"),
        (type("Named", (PlaneEmbeddings,), {"model": "small-3"})(), "Named:small-3"),
        (type("Named", (PlaneEmbeddings,), {"model": object(), "model_name": "mini"})(), "Named:mini"),
    ],
)
def test_the_fingerprint_tells_models_apart(embeddings: Any, name: str) -> None:
    assert from_langchain(embeddings).spec.model == name
    assert from_langchain(embeddings, model="mine", revision="2").spec.fingerprint.startswith(
        "langchain/mine@2"
    )


async def test_a_failing_model_is_an_embedding_error_with_its_cause(memory: MemorySystem) -> None:
    class Broken(PlaneEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            raise OSError("no connection")

    store = AxonVectorStore(memory, Broken())
    with pytest.raises(EmbeddingError, match="no connection") as caught:
        await store.aadd_texts(["1"])
    root: BaseException | None = caught.value
    while root is not None and root.__cause__ is not None:
        root = root.__cause__
    assert isinstance(root, OSError)


async def test_a_short_answer_is_an_embedding_error(memory: MemorySystem) -> None:
    class Short(PlaneEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return super().embed_documents(texts)[:-1]

    with pytest.raises(EmbeddingError):
        await AxonVectorStore(memory, Short()).aadd_texts(["1", "2"])


@pytest.mark.parametrize("wrong", ["name-of-a-model", None, lambda texts: texts])
def test_what_is_no_model_is_a_config_error(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        from_langchain(wrong)
    with pytest.raises(ConfigError):
        AxonEmbeddings(wrong)


def test_max_batch_is_checked_and_honoured(memory: MemorySystem) -> None:
    with pytest.raises(ConfigError, match="max_batch"):
        from_langchain(PlaneEmbeddings(), max_batch=0)
    embedding = PlaneEmbeddings()
    scoped = memory.scope("small", embedder=from_langchain(embedding, max_batch=3))
    AxonVectorStore(scoped).add_texts([str(n) for n in range(7)])
    assert sorted(len(call) for call in embedding.calls) == [1, 3, 3]
