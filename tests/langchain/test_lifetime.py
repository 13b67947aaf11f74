"""L37: a store closes what it made and nothing else."""

from __future__ import annotations

import gc
import threading
from pathlib import Path

import psutil
import pytest

from axon.core.config import MemoryConfig
from axon.core.errors import AdapterUnavailable, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings


def test_l37_a_memory_passed_in_stays_open(memory: MemorySystem, embedding: PlaneEmbeddings) -> None:
    with AxonVectorStore(memory, embedding) as store:
        store.add_texts(["1"])
    store.close()
    with AxonVectorStore.from_texts(["2"], embedding, memory=memory) as again:
        assert len(again.similarity_search("1")) == 2
    assert len(AxonVectorStore(memory, embedding).similarity_search("1")) == 2
    assert len(store.similarity_search("3")) == 2


async def test_l37_a_memory_of_its_own_is_closed(embedding: PlaneEmbeddings) -> None:
    async with await AxonVectorStore.afrom_texts(["1"], embedding) as store:
        assert len(await store.asimilarity_search("1")) == 1
    await store.aclose()
    with pytest.raises(AdapterUnavailable):
        await store.asimilarity_search("1")
    blocking = AxonVectorStore.from_texts(["1"], embedding)
    blocking.close()
    blocking.close()
    with pytest.raises(AdapterUnavailable):
        blocking.similarity_search("1")


def test_l37_the_models_thread_ends_with_the_store(memory: MemorySystem, embedding: PlaneEmbeddings) -> None:
    before = set(threading.enumerate())
    with AxonVectorStore(memory, embedding) as store:
        store.add_texts(["1"])
        started = set(threading.enumerate()) - before
        (worker,) = [thread for thread in started if "langchain-embedder" in thread.name]
    worker.join(10)
    assert not worker.is_alive()


async def test_l37_a_failed_from_texts_leaves_nothing_open(
    embedding: PlaneEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[MemorySystem] = []
    original = MemorySystem.aclose

    async def noted(self: MemorySystem) -> None:
        closed.append(self)
        await original(self)

    monkeypatch.setattr(MemorySystem, "aclose", noted)
    with pytest.raises(InvalidInputError):
        AxonVectorStore.from_texts(["1"], embedding, ids=["a", "b"])
    with pytest.raises(InvalidInputError):
        await AxonVectorStore.afrom_texts(["1"], embedding, importance=2)
    with pytest.raises(TypeError):
        AxonVectorStore.from_documents([], embedding, colour="red")
    assert len(closed) == 3


def test_l37_two_hundred_cycles_leak_nothing(tmp_path: Path) -> None:
    process = psutil.Process()

    def cycle(number: int) -> None:
        memory = MemorySystem(MemoryConfig.local(tmp_path / f"{number % 4}.db"))
        with AxonVectorStore(memory, PlaneEmbeddings(), namespace=str(number)) as store:
            store.add_texts(["1"])
            assert store.similarity_search("1")
        run_blocking(memory.aclose())

    for number in range(8):
        cycle(number)
    gc.collect()
    files, threads = process.num_fds(), threading.active_count()
    for number in range(200):
        cycle(number)
    gc.collect()
    assert process.num_fds() <= files + 5
    assert threading.active_count() <= threads + 2


def test_from_texts_takes_everything_the_constructor_and_add_texts_take(
    tiers: MemorySystem, embedding: PlaneEmbeddings
) -> None:
    store = AxonVectorStore.from_texts(
        ["1", "2"],
        embedding,
        [{"n": 1}, {"n": 2}],
        ids=["a", None],
        memory=tiers,
        tier="session",
        namespace="mine",
        tags=["t"],
        importance=0.9,
    )
    assert store.memory.namespace == "mine"
    assert store.tiers == ("session",)
    (document,) = store.similarity_search("1", k=1, include=["tier", "tags", "importance"])
    assert document.id == "a"
    assert document.metadata == {"n": 1, "tier": "session", "tags": ["t"], "importance": 0.9}


def test_from_texts_without_an_embedding_uses_the_memorys(memory: MemorySystem) -> None:
    with AxonVectorStore.from_texts(["the fox is red"], memory=memory) as store:
        assert store.similarity_search("fox")[0].page_content == "the fox is red"
