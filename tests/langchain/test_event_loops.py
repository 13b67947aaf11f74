"""Native async, and a blocking form that works with and without a running loop: L2, L3."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.vectorstores import VectorStore

import axon_integrations.langchain as face
from axon.core.errors import SyncCallError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon_integrations.langchain import AxonEmbeddings, AxonRetriever, AxonVectorStore
from tests.langchain.planes import AsyncPlaneEmbeddings, PlaneEmbeddings, at
from tests.loop_turns import counted_turns

NATIVE = (
    "aget_by_ids adelete aadd_texts aadd_documents asimilarity_search asimilarity_search_with_score "
    "asimilarity_search_by_vector amax_marginal_relevance_search "
    "amax_marginal_relevance_search_by_vector afrom_texts"
).split()


@pytest.mark.parametrize("name", NATIVE)
def test_l2_the_ten_are_overridden(name: str) -> None:
    assert getattr(AxonVectorStore, name) is not getattr(VectorStore, name)


def test_l2_retriever_and_embeddings_are_native_too() -> None:
    assert AxonRetriever._aget_relevant_documents is not BaseRetriever._aget_relevant_documents
    assert AxonEmbeddings.aembed_documents is not Embeddings.aembed_documents
    assert AxonEmbeddings.aembed_query is not Embeddings.aembed_query


@pytest.mark.parametrize(
    "name",
    [name for name in face.__all__ if inspect.isclass(getattr(face, name)) and name != "AxonTranslator"],
)
def test_l2_no_class_inherits_a_method_that_runs_in_an_executor(name: str) -> None:
    """The asynchronous defaults of LangChain's storage classes call ``run_in_executor``; none of them is left."""
    cls = getattr(face, name)
    left = [
        method
        for method, function in inspect.getmembers(cls, inspect.isfunction)
        if method.startswith("a") and "run_in_executor" in function.__code__.co_names
    ]
    # Those of every Runnable, which transform streams and never reach a store.
    assert [method for method in left if getattr(Runnable, method, None) is not getattr(cls, method)] == []


async def test_l2_no_call_takes_langchains_detour_through_a_thread(
    memory: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("run_in_executor was called")

    for module in ("vectorstores.base", "retrievers", "embeddings.embeddings", "runnables.config"):
        monkeypatch.setattr(f"langchain_core.{module}.run_in_executor", refuse)
    for embedding in (PlaneEmbeddings(), AsyncPlaneEmbeddings()):
        store = await AxonVectorStore.afrom_texts(
            ["1"], embedding, memory=memory, namespace=type(embedding).__name__
        )
        await AxonVectorStore.afrom_documents([Document(page_content="1")], embedding)
        ids = await store.aadd_documents([Document(page_content="2")])
        assert await store.aget_by_ids(ids)
        assert await store.asimilarity_search("1")
        assert await store.asimilarity_search_with_score("1")
        assert await store.asimilarity_search_with_relevance_scores("1")
        assert await store.asimilarity_search_by_vector(at(1))
        assert await store.amax_marginal_relevance_search("1")
        assert await store.amax_marginal_relevance_search_by_vector(at(1))
        assert await store.asearch("1", "mmr")
        assert await store.as_retriever().ainvoke("1")
        assert await AxonRetriever(memory=store.memory).ainvoke("1")
        assert await AxonEmbeddings(store.memory.embedder).aembed_query("1")
        assert await store.adelete(ids)


async def test_l2_a_large_add_lets_other_tasks_run(store: AxonVectorStore) -> None:
    documents = [Document(page_content=str(n % 360), metadata={"n": n}) for n in range(5000)]
    async with counted_turns() as of_the_add:
        await store.aadd_documents(documents, batch_size=500)
    async with counted_turns() as of_the_search:
        found = await store.asimilarity_search(
            "0", k=2, filter=lambda document: document.metadata["n"] in (180, 540)
        )
    assert len(found) == 2
    assert of_the_add.count > 5
    assert of_the_search.count > 5


async def test_l2_a_model_without_async_form_does_not_hold_the_loop(memory: MemorySystem) -> None:
    """The model waits for a task of the loop, so on the loop's own thread it would wait for ever."""
    asked, loop_ran = threading.Event(), threading.Event()

    class Waiting(PlaneEmbeddings):
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            asked.set()
            assert loop_ran.wait(10)
            return super().embed_documents(texts)

    async def answer() -> None:
        await asyncio.to_thread(asked.wait, 10)
        loop_ran.set()

    store = AxonVectorStore(memory, Waiting())
    await asyncio.gather(store.aadd_texts(["1"]), answer())
    asked.clear()
    loop_ran.clear()
    assert len((await asyncio.gather(store.asimilarity_search("2"), answer()))[0]) == 1


def test_l3_sync_without_a_loop(store: AxonVectorStore) -> None:
    store.add_texts(["1"])
    assert len(store.similarity_search("1")) == 1


async def test_l3_sync_inside_a_running_loop(store: AxonVectorStore) -> None:
    store.add_texts(["1"])
    assert len(store.similarity_search("1")) == 1
    assert len(await store.asimilarity_search("1")) == 1
    assert len(AxonRetriever(memory=store.memory).invoke("1")) == 1


def test_l3_one_object_serves_threads_loops_and_blocking_calls(store: AxonVectorStore) -> None:
    store.add_texts(["1"])
    asyncio.run(store.aadd_texts(["2"]))
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(store.similarity_search("1")))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2] * 4
    assert len(asyncio.run(store.asimilarity_search("1"))) == 2


def test_l3_a_sync_call_on_our_own_loop_raises_and_names_the_async_form(store: AxonVectorStore) -> None:
    async def inside() -> None:
        store.similarity_search("1")

    with pytest.raises(SyncCallError, match="asimilarity_search"):
        run_blocking(inside())


def test_l3_a_generator_runs_in_the_callers_thread(store: AxonVectorStore) -> None:
    store.add_texts(["1"])
    store.add_texts(
        document.page_content for text in ["1", "2"] for document in store.similarity_search(text)
    )
    assert len(store.similarity_search("1")) == 3
