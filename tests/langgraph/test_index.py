"""Which models embed, and what a configuration that cannot work is answered with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from axon.core.config import MemoryConfig
from axon.core.errors import (
    ConfigError,
    EmbeddingError,
    EmbeddingMismatchError,
    InvalidInputError,
)
from axon.core.memory_system import MemorySystem
from axon.embedders import HashingEmbedder
from axon.embedders.callable import from_callable
from axon.testing.langgraph_base import LetterEmbeddings, index_of
from axon_integrations.langgraph import AxonStore

LETTERS = LetterEmbeddings()


async def later(texts: Sequence[str]) -> list[list[float]]:
    await asyncio.sleep(0)
    return LETTERS.embed_documents(list(texts))


class Callable:
    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        return await later(texts)


FORMS = {
    "LangChain embeddings": LETTERS,
    "function": LETTERS.embed_documents,
    "lambda": lambda texts: LETTERS.embed_documents(texts),
    "coroutine function": later,
    "callable object": Callable(),
    "Axon embedder": from_callable(LETTERS.embed_documents, name="letters"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("blocking", [False, True], ids=["awaited", "blocking"])
def test_every_form_of_a_model(memory: MemorySystem, form: str, blocking: bool) -> None:
    store = AxonStore(memory, index={"dims": LetterEmbeddings.dims, "embed": FORMS[form], "fields": ["text"]})
    if blocking:
        store.put(("a",), "k", {"text": "needle"})
        found = store.search(("a",), query="needle")
    else:
        asyncio.run(store.aput(("a",), "k", {"text": "needle"}))
        found = asyncio.run(store.asearch(("a",), query="needle"))
    assert found[0].score == pytest.approx(1.0)
    store.close()


async def test_a_model_by_name_needs_langchain(memory: MemorySystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """LangGraph resolves such names with LangChain; what it says is in the message."""
    monkeypatch.setattr("langgraph.store.base.embed._get_init_embeddings", lambda: None)
    with pytest.raises(ConfigError, match="pip install 'langchain"):
        AxonStore(memory, index={"embed": "provider:model"})
    monkeypatch.setattr(
        "langgraph.store.base.embed._get_init_embeddings", lambda: {"provider:model": LETTERS}.get
    )
    store = AxonStore(memory, index={"embed": "provider:model"})
    await store.aput(("a",), "k", {"text": "needle"})
    assert (await store.asearch((), query="needle"))[0].score is not None


async def test_without_embed_the_memory_embeds(memory: MemorySystem) -> None:
    store = AxonStore(memory, index={"fields": ["text"]})
    assert store.memory.embedder.spec == HashingEmbedder().spec
    await store.aput(("a",), "k", {"text": "the deploy key"})
    found = await store.asearch((), query="the deploy key")
    assert found[0].score == pytest.approx(1.0)


async def test_an_empty_configuration_embeds_everything(memory: MemorySystem) -> None:
    store = AxonStore(memory, index={})
    await store.aput(("a",), "k", {"any": "the deploy key"})
    assert (await store.asearch((), query="deploy key"))[0].score is not None
    assert store.index_config == {}


async def test_without_an_index_nothing_is_embedded_and_words_rank(memory: MemorySystem) -> None:
    store = AxonStore(memory)
    await store.aput(("a",), "tea", {"text": "Ada drinks green tea"}, index=["text"])
    await store.aput(("a",), "coffee", {"notes": ["Bob drinks coffee", 3]})
    await store.aput(("a",), "nothing", {})
    found = await store.asearch((), query="who drinks tea?")
    assert [item.key for item in found] == ["tea", "coffee", "nothing"]
    assert found[0].score is not None
    assert found[1].score is not None
    assert found[0].score > found[1].score > 0
    assert found[2].score is None
    assert [item.key for item in await store.asearch((), query="coffee", limit=1)] == ["coffee"]
    # The names of fields are no words of an item.
    assert [item.score for item in await store.asearch((), query="text notes")] == [None] * 3
    entries = [entry async for entry in store.memory.scan()]
    assert [entry.embedding for entry in entries] == [None] * 3


async def test_pages_of_words_show_each_item_once(memory: MemorySystem) -> None:
    store = AxonStore(memory)
    for n in range(20):
        await store.aput(("a",), str(n), {"text": "green tea" if n % 3 else "coffee", "n": n})
    seen: list[str] = []
    while page := await store.asearch((), query="tea", filter={"n": {"$ne": 4}}, limit=3, offset=len(seen)):
        seen += [item.key for item in page]
    assert sorted(seen) == sorted(str(n) for n in range(20) if n != 4)
    assert all(int(key) % 3 for key in seen[:12])


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ({"embedding": LETTERS}, "unknown key 'embedding'"),
        ({"fields": "text"}, "list of paths"),
        ({"fields": [1]}, "list of paths"),
        ({"embed": 3}, "not int"),
        ({"embed": LETTERS, "dims": 0}, "dims"),
    ],
    ids=repr,
)
def test_a_configuration_that_cannot_work(memory: MemorySystem, index: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        AxonStore(memory, index=index)


@pytest.mark.parametrize("index", ["text", [1], True, 3, {"text": 1}], ids=repr)
async def test_paths_of_a_put_that_are_none(store: AxonStore, index: Any) -> None:
    with pytest.raises(InvalidInputError, match="list of paths"):
        await store.aput(("a",), "k", {}, index=index)


async def test_other_dimensions_than_stated_are_an_error(memory: MemorySystem) -> None:
    store = AxonStore(memory, index={**index_of("text"), "dims": 5})
    with pytest.raises(EmbeddingError, match="5"):
        await store.aput(("a",), "k", {"text": "abc"})
    assert await store.asearch(()) == []


async def test_another_model_on_the_same_items_is_an_error(memory: MemorySystem) -> None:
    await AxonStore(memory, index=index_of("text")).aput(("a",), "k", {"text": "abc"})
    other = AxonStore(memory, index={"embed": from_callable(later, name="another"), "fields": ["text"]})
    with pytest.raises(EmbeddingMismatchError, match="another"):
        await other.aput(("a",), "l", {"text": "abc"})
    with pytest.raises(EmbeddingMismatchError, match="another"):
        await other.asearch((), query="abc")
    assert await other.aget(("a",), "k") is not None


async def test_vectors_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "axon.db"
    async with MemorySystem(MemoryConfig.local(path)) as memory:
        await AxonStore(memory, index=index_of("text")).aput(("a",), "k", {"text": "needle"})
    async with MemorySystem(MemoryConfig.local(path)) as memory:
        store = AxonStore(memory, index=index_of("text"))
        assert (await store.asearch((), query="needle"))[0].score == pytest.approx(1.0)
        assert await store.alist_namespaces() == [("a",)]


async def test_closing_ends_what_the_store_made(memory: MemorySystem) -> None:
    async with AxonStore(memory, index=index_of("text")) as store:
        await store.aput(("a",), "k", {"text": "abc"})
    await store.aclose()
    assert await memory.count() == 0
    assert await AxonStore(memory).aget(("a",), "k") is not None


def test_a_store_of_its_own_closes_its_memory() -> None:
    with AxonStore() as store:
        store.put(("a",), "k", {"v": 1})
        memory = store.memory
    with pytest.raises(ConnectionError, match="closed"):
        asyncio.run(memory.count())
    store.close()
