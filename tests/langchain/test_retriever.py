"""Retrievers: the three search types of LangChain's, and our own (L14)."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document
from pydantic import ValidationError

from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonRetriever, AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings


def contents(documents: list[Document]) -> list[str]:
    return [document.page_content for document in documents]


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add_texts(
        ["0 fox", "10 hen", "20 fox", "30 hen", "90 owl"],
        [{"n": n} for n in range(5)],
        tags=[["a"], ["a", "b"], ["b"], [], ["a"]],
        importance=[0.1, 0.5, 0.9, 0.9, 0.2],
    )
    return store


async def test_l14_search_types(filled: AxonVectorStore) -> None:
    similarity = filled.as_retriever(search_kwargs={"k": 2})
    assert contents(similarity.invoke("0")) == contents(await similarity.ainvoke("0")) == ["0 fox", "10 hen"]
    mmr = filled.as_retriever(search_type="mmr", search_kwargs={"k": 2, "fetch_k": 5, "lambda_mult": 0.0})
    assert contents(mmr.invoke("0")) == contents(await mmr.ainvoke("0")) == ["0 fox", "90 owl"]
    threshold = filled.as_retriever(
        search_type="similarity_score_threshold", search_kwargs={"score_threshold": 0.95, "k": 5}
    )
    near = ["0 fox", "10 hen", "20 fox"]
    assert contents(threshold.invoke("0")) == contents(await threshold.ainvoke("0")) == near


async def test_l14_k_and_filter_of_a_call(filled: AxonVectorStore) -> None:
    retriever = filled.as_retriever(search_kwargs={"k": 1, "filter": {"n": {"$gte": 1}}})
    assert contents(retriever.invoke("0")) == ["10 hen"]
    assert contents(await retriever.ainvoke("0", k=2, filter={"n": {"$gte": 3}})) == ["30 hen", "90 owl"]


def test_l14_axon_retriever_settings_and_calls(filled: AxonVectorStore) -> None:
    ask = AxonRetriever(memory=filled.memory, k=3, tags=["a"], mode="vector").invoke
    assert contents(ask("0")) == ["0 fox", "10 hen", "90 owl"]
    assert contents(ask("0", k=1)) == ["0 fox"]
    assert contents(ask("0", min_importance=0.5)) == ["10 hen"]
    assert contents(ask("0", tags=["b"])) == ["10 hen"]
    assert contents(ask("0", filter={"n": 4})) == ["90 owl"]


async def test_l14_a_calls_filter_is_added_to_the_constructors(filled: AxonVectorStore) -> None:
    retriever = AxonRetriever(
        memory=filled.memory, mode="vector", filter={"n": {"$lte": 2}}, min_importance=0.3
    )
    assert contents(await retriever.ainvoke("0")) == ["10 hen", "20 fox"]
    assert contents(await retriever.ainvoke("0", filter={"n": {"$gte": 2}}, min_importance=0.0)) == ["20 fox"]
    assert await retriever.ainvoke("0", filter={"n": 4}) == []
    odd = lambda document: document.metadata["n"] % 2 == 1  # noqa: E731
    both = AxonRetriever(memory=filled.memory, mode="vector", filter=odd)
    assert contents(await both.ainvoke("0", filter=lambda document: document.metadata["n"] > 1)) == ["30 hen"]


async def test_l14_a_calls_tier_never_widens(tiers: MemorySystem, embedding: PlaneEmbeddings) -> None:
    store = AxonVectorStore(tiers, embedding)
    store.add_texts(["1", "2"], tier=["session", "persistent"])
    retriever = AxonRetriever(memory=store.memory, tier="session", mode="vector")
    assert contents(retriever.invoke("0")) == ["1"]
    assert retriever.invoke("0", tier="persistent") == []
    assert contents(await retriever.ainvoke("0", tier=["session", "persistent"])) == ["1"]


async def test_l14_text_and_hybrid_modes(filled: AxonVectorStore) -> None:
    text = AxonRetriever(memory=filled.memory, mode="text")
    assert sorted(contents(text.invoke("owl"))) == ["90 owl"]
    hybrid = AxonRetriever(memory=filled.memory, k=1)
    assert contents(await hybrid.ainvoke("45 owl")) == ["90 owl"]
    assert contents(await hybrid.ainvoke("45 owl", mode="vector")) == ["30 hen"]


def test_l7_metadata_is_exact_unless_asked(filled: AxonVectorStore) -> None:
    assert AxonRetriever(memory=filled.memory, k=1, mode="vector").invoke("0")[0].metadata == {"n": 0}
    asking = AxonRetriever(memory=filled.memory, k=1, mode="vector", include=["importance"], score_key="s")
    assert asking.invoke("0")[0].metadata == {"n": 0, "importance": 0.1, "s": pytest.approx(1.0)}


@pytest.mark.parametrize(
    "settings",
    [
        {"k": 0},
        {"filter": {"n": {"$near": 1}}},
        {"filter": 7},
        {"tier": "gold"},
        {"min_importance": 2},
        {"mode": "magic"},
        {"include": ["scores"]},
    ],
)
def test_wrong_settings_are_errors_at_once(memory: MemorySystem, settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # pydantic's for the field types, ours for the rest
        AxonRetriever(memory=memory, **settings)


def test_a_memory_is_needed() -> None:
    with pytest.raises(ValidationError):
        AxonRetriever(memory="axon.db")


@pytest.mark.parametrize("keywords", [{"k": 0}, {"filter": "n"}, {"min_importance": "x"}, {"tags": "a"}])
async def test_wrong_calls_are_value_errors(filled: AxonVectorStore, keywords: dict[str, Any]) -> None:
    retriever = AxonRetriever(memory=filled.memory)
    with pytest.raises(ValueError):  # each value has a message of its own
        retriever.invoke("0", **keywords)
    with pytest.raises(ValueError):  # as above
        await retriever.ainvoke("0", **keywords)


def test_l12_unknown_keywords_are_type_errors(filled: AxonVectorStore) -> None:
    with pytest.raises(TypeError, match="fliter"):
        AxonRetriever(memory=filled.memory).invoke("0", fliter={})


def test_filters_of_every_form(filled: AxonVectorStore) -> None:
    retriever = AxonRetriever(
        memory=filled.memory, mode="vector", filter=Filter(tags=["a"]) & ~Filter(tags=["b"])
    )
    assert contents(retriever.invoke("0")) == ["0 fox", "90 owl"]
