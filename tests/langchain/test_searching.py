"""Similarity search: scores, relevance, k, what documents carry."""

from __future__ import annotations

import warnings
from math import cos, radians
from typing import Any

import pytest

from axon.core.config import MemoryConfig
from axon.core.errors import EmbeddingError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy, RankingPolicy
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings, at

ANGLES = [0, 20, 60, 90, 180]


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add_texts(
        [str(angle) for angle in ANGLES], [{"angle": angle} for angle in ANGLES], ids=list("abcde")
    )
    return store


def test_l11_scores_are_cosines(filled: AxonVectorStore) -> None:
    scored = filled.similarity_search_with_score("0", k=5)
    assert [document.page_content for document, _ in scored] == [str(angle) for angle in ANGLES]
    assert [score for _, score in scored] == pytest.approx(
        [cos(radians(angle)) for angle in ANGLES], abs=1e-6
    )
    by_vector = filled.similarity_search_with_score_by_vector(at(0), k=5)
    assert by_vector == scored


async def test_l11_all_forms_agree(filled: AxonVectorStore) -> None:
    scored = filled.similarity_search_with_score("15", 3)
    documents = [document for document, _ in scored]
    assert await filled.asimilarity_search_with_score("15", 3) == scored
    assert await filled.asimilarity_search_with_score_by_vector(at(15), 3) == scored
    assert filled.similarity_search("15", 3) == documents
    assert await filled.asimilarity_search("15", 3) == documents
    assert filled.similarity_search_by_vector(at(15), 3) == documents
    assert await filled.asimilarity_search_by_vector(at(15), 3) == documents
    assert filled.search("15", "similarity", k=3) == documents


async def test_l11_relevance_is_in_0_1_without_a_warning(filled: AxonVectorStore) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scored = filled.similarity_search_with_relevance_scores("0", k=5)
        assert await filled.asimilarity_search_with_relevance_scores("0", k=5) == scored
    wanted = [(1 + cos(radians(angle))) / 2 for angle in ANGLES]
    assert [score for _, score in scored] == pytest.approx(wanted, abs=1e-6)
    assert scored[0][1] == 1.0
    assert scored[-1][1] == 0.0


@pytest.mark.parametrize("angle", range(0, 90, 7))
def test_l11_an_identical_document_has_relevance_1_exactly(store: AxonVectorStore, angle: int) -> None:
    store.add_texts([str(angle)])
    assert store.similarity_search_with_relevance_scores(str(angle), score_threshold=1.0)[0][1] == 1.0


def test_l11_relevance_alone_ranks_whatever_the_memory_weighs(embedding: PlaneEmbeddings) -> None:
    ranking = RankingPolicy(importance_weight=5.0, mode="text")
    with AxonVectorStore.from_texts(
        ["10", "50"],
        embedding,
        importance=[0.0, 1.0],
        memory=MemorySystem(MemoryConfig(persistent=PersistentPolicy(), ranking=ranking)),
    ) as store:
        assert [document.page_content for document in store.similarity_search("0")] == ["10", "50"]


def test_an_empty_store_finds_nothing(store: AxonVectorStore) -> None:
    assert store.similarity_search("0") == []
    assert store.max_marginal_relevance_search("0") == []


@pytest.mark.parametrize("k", [0, -1, True, 1.5, "3"])
async def test_l12_k_below_1_is_a_value_error(filled: AxonVectorStore, k: Any) -> None:
    for call in (
        lambda: filled.similarity_search("0", k=k),
        lambda: filled.similarity_search_with_score("0", k),
        lambda: filled.similarity_search_with_relevance_scores("0", k=k),
        lambda: filled.similarity_search_by_vector(at(0), k=k),
        lambda: filled.max_marginal_relevance_search("0", k=k),
        lambda: filled.max_marginal_relevance_search("0", fetch_k=k),
    ):
        with pytest.raises(ValueError, match="k must be"):
            call()
    with pytest.raises(ValueError, match="k must be"):
        await filled.asimilarity_search("0", k=k)


def test_l12_k_beyond_the_corpus_returns_all(filled: AxonVectorStore) -> None:
    assert len(filled.similarity_search("0", k=50)) == 5


@pytest.mark.parametrize(
    "method", ["similarity_search", "similarity_search_with_score", "max_marginal_relevance_search"]
)
async def test_l12_unknown_keywords_are_type_errors(filled: AxonVectorStore, method: str) -> None:
    with pytest.raises(TypeError, match="'fliter'; did you mean 'filter'"):
        getattr(filled, method)("0", fliter={})
    with pytest.raises(TypeError, match="'fliter'"):
        await getattr(filled, f"a{method}")("0", fliter={})


def test_l7_metadata_comes_back_as_stored(filled: AxonVectorStore) -> None:
    assert filled.similarity_search("0", k=1)[0].metadata == {"angle": 0}
    assert filled.get_by_ids(["a"])[0].metadata == {"angle": 0}


async def test_l7_fields_are_added_on_request(filled: AxonVectorStore) -> None:
    filled.add_texts(["30"], [{"score": "mine"}], ids=["f"], tags=["t"], session_id="s")
    (document,) = await filled.asimilarity_search(
        "30", k=1, include=["score", "tier", "importance", "tags", "session_id", "created_at", "expires_at"]
    )
    entry = await filled.memory.get("f")
    assert entry is not None
    assert document.metadata == {
        "score": pytest.approx(1.0),
        "tier": "persistent",
        "importance": 0.5,
        "tags": ["t"],
        "session_id": "s",
        "created_at": entry.created_at.isoformat(),
        "expires_at": None,
    }
    (document,) = filled.similarity_search("90", k=1, score_key="how near")
    assert document.metadata == {"angle": 90, "how near": pytest.approx(1.0)}
    (document,) = filled.max_marginal_relevance_search("90", k=1, score_key="how near")
    assert document.metadata == {"angle": 90, "how near": pytest.approx(1.0)}


@pytest.mark.parametrize("keywords", [{"include": ["scores"]}, {"score_key": ""}, {"score_key": 1}])
def test_l7_wrong_requests_are_typed_errors(filled: AxonVectorStore, keywords: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        filled.similarity_search("0", **keywords)


@pytest.mark.parametrize("vector", [[1.0], [1.0, 0.0, 0.0], [float("nan"), 0.0], []])
def test_a_vector_of_the_wrong_kind_is_a_typed_error(filled: AxonVectorStore, vector: list[float]) -> None:
    with pytest.raises(EmbeddingError):
        filled.similarity_search_by_vector(vector)


def test_tier_narrows_a_search(tiers: MemorySystem, embedding: PlaneEmbeddings) -> None:
    store = AxonVectorStore(tiers, embedding)
    store.add_texts(["1", "2", "3"], tier=["ephemeral", "session", "persistent"])
    assert [document.page_content for document in store.similarity_search("0", tier="session")] == ["2"]
    found = store.similarity_search("0", tier=["ephemeral", "persistent"])
    assert [document.page_content for document in found] == ["1", "3"]
    assert [
        document.page_content for document in store.similarity_search("0", filter={"tier": "session"})
    ] == ["2"]
    with pytest.raises(InvalidInputError):
        store.similarity_search("0", tier="gold")
