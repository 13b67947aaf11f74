"""What a query answers: R7 to R9, R13, R17 to R19."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.vector_stores.types import VectorStoreQueryMode

from axon.core.config import MemoryConfig
from axon.core.errors import InvalidInputError
from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon.core.policies import RankingPolicy
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.helpers import ask, filters, ids, node, where

TEXTS = {
    "a": ("the cat sat on the mat", [1.0, 0.0, 0.0]),
    "b": ("a dog chased the cat", [0.8, 0.6, 0.0]),
    "c": ("stocks fell sharply today", [0.0, 1.0, 0.0]),
    "d": ("rain is expected tomorrow", [0.0, 0.0, 1.0]),
    "e": ("zebras are striped", [-1.0, 0.0, 0.0]),
}


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    importance = {"a": 0.1, "b": 0.5, "c": 0.9}
    docs = {"a": "D1", "b": "D1", "c": "D2"}
    store.add(
        [
            node(id_, vector, text, docs.get(id_), letter=id_, **_stated("importance", importance.get(id_)))
            for id_, (text, vector) in TEXTS.items()
        ]
    )
    return store


def _stated(key: str, value: Any) -> dict[str, Any]:
    return {} if value is None else {key: value}


def test_r7_similarity_is_the_cosine_descending_and_equal_across_tiers(filled: AxonVectorStore) -> None:
    result = filled.query(ask([2.0, 1.0, 0.0]))
    assert ids(result) == ["b", "a", "c", "d", "e"]
    asked = np.array([2.0, 1.0, 0.0])
    for id_, similarity in zip(ids(result), result.similarities or [], strict=True):
        vector = np.array(TEXTS[id_][1])
        cosine = float(asked @ vector / np.linalg.norm(asked) / np.linalg.norm(vector))
        assert similarity == pytest.approx(cosine, abs=1e-5)
    assert result.similarities == sorted(result.similarities or [], reverse=True)


def test_r7_the_same_node_has_the_same_similarity_in_every_tier(in_process: MemorySystem) -> None:
    similarities = []
    for tier in ("ephemeral", "session", "persistent"):
        store = AxonVectorStore(in_process, tier=tier, namespace=f"only {tier}")
        store.add([node("x", [0.3, 0.4, 1.0])])
        result = store.query(ask([1.0, 0.2, 0.1]))
        similarities += result.similarities or []
    assert len(similarities) == 3
    assert similarities == pytest.approx([similarities[0]] * 3, abs=1e-6)


def test_r7_the_memorys_own_ranking_does_not_change_a_vector_query() -> None:
    config = MemoryConfig.in_memory().model_copy(
        update={"ranking": RankingPolicy(mode="text", importance_weight=10.0, recency_weight=5.0)}
    )
    memory = MemorySystem(config)
    store = AxonVectorStore(memory)
    store.add([node("near", [1, 0], importance=0.01), node("far", [0, 1], importance=1)])
    result = store.query(ask([1, 0], k=2))
    assert ids(result) == ["near", "far"]
    assert result.similarities == pytest.approx([1.0, 0.0], abs=1e-6)
    run_blocking(memory.aclose())


def test_r7_an_empty_answer_is_three_empty_lists(store: AxonVectorStore) -> None:
    result = store.query(ask([1.0, 0.0, 0.0]))
    assert (result.nodes, result.similarities, result.ids) == ([], [], [])


def test_r8_an_empty_node_ids_of_a_query_is_no_restriction(filled: AxonVectorStore) -> None:
    assert sorted(ids(filled.query(ask([1, 0, 0], node_ids=[])))) == list("abcde")
    assert sorted(ids(filled.query(ask([1, 0, 0], node_ids=None)))) == list("abcde")
    assert ids(filled.query(ask([1, 0, 0], node_ids=["c", "a", "nobody"]))) == ["a", "c"]


@pytest.mark.parametrize(
    ("doc_ids", "expected"),
    [
        (None, "abcde"),
        ([], ""),
        (["nobody"], ""),
        (["D1"], "ab"),
        (["D1", "D2", "nobody"], "abc"),
        (["a"], ""),
    ],
)
def test_r9_doc_ids(filled: AxonVectorStore, doc_ids: list[str] | None, expected: str) -> None:
    assert sorted(ids(filled.query(ask([1, 0, 0], doc_ids=doc_ids)))) == list(expected)


def test_r9_node_ids_doc_ids_and_filters_intersect(filled: AxonVectorStore) -> None:
    either = filters(where("letter", "a"), where("letter", "c"), condition="or")
    assert ids(filled.query(ask([1, 0, 0], node_ids=["b", "c"], filters=either))) == ["c"]
    assert ids(filled.query(ask([1, 0, 0], doc_ids=["D1"], filters=either))) == ["a"]
    assert ids(filled.query(ask([1, 0, 0], doc_ids=["D1"], node_ids=["b"], filters=either))) == []
    assert ids(filled.query(ask([1, 0, 0], doc_ids=["D1"], node_ids=["a"], filters=either))) == ["a"]


@pytest.mark.parametrize("mode", ["semantic_hybrid", "svm", "logistic_regression", "linear_regression"])
def test_r13_r18_other_modes_are_refused_by_name(filled: AxonVectorStore, mode: str) -> None:
    with pytest.raises(ValueError, match=mode):
        filled.query(ask([1, 0, 0], query_str="cat", mode=VectorStoreQueryMode(mode)))


def test_r13_an_unknown_keyword_or_field_is_refused_by_name(filled: AxonVectorStore) -> None:
    with pytest.raises(TypeError, match="qdrant_filters"):
        filled.query(ask([1, 0, 0]), qdrant_filters={"must": []})
    with pytest.raises(ValueError, match="other_vector"):
        filled.query(ask([1, 0, 0], embedding_field="other_vector"))
    with pytest.raises(TypeError, match="where"):
        filled.get_nodes(where={})
    with pytest.raises(TypeError, match="upsert"):
        filled.add([], upsert=True)


def test_r17_filters_alone_are_a_query(filled: AxonVectorStore) -> None:
    result = filled.query(ask(None, filters=filters(where("letter", ["b", "d"], "in"))))
    assert sorted(ids(result)) == ["b", "d"]
    assert result.similarities == [1.0, 1.0]
    assert len(ids(filled.query(ask(None, k=1, filters=filters(where("letter", ["b", "d"], "in")))))) == 1
    assert ids(filled.query(ask(None, node_ids=["d"]))) == ["d"]
    with pytest.raises(ValueError, match="nothing is asked"):
        filled.query(ask(None))
    with pytest.raises(InvalidInputError, match="similarity_top_k"):
        filled.query(ask(None, k=0, node_ids=["d"]))


@pytest.mark.parametrize("mode", ["text_search", "sparse"])
def test_r17_words_alone_are_a_query(filled: AxonVectorStore, mode: str) -> None:
    result = filled.query(ask(None, query_str="striped zebras", mode=VectorStoreQueryMode(mode)))
    assert ids(result) == ["e"]
    assert 0 < (result.similarities or [0])[0] <= 1
    found = filled.query(ask(None, query_str="cat", mode=VectorStoreQueryMode(mode), doc_ids=["D1"]))
    assert sorted(ids(found)) == ["a", "b"]
    for blank in (None, "", "  "):
        with pytest.raises(ValueError, match="query_str"):
            filled.query(ask([1, 0, 0], query_str=blank, mode=VectorStoreQueryMode(mode)))


def test_r17_sparse_top_k_counts_for_sparse_only(filled: AxonVectorStore) -> None:
    words: dict[str, Any] = {"query_str": "cat", "k": 2, "sparse_top_k": 1}
    assert len(ids(filled.query(ask(None, mode=VectorStoreQueryMode.SPARSE, **words)))) == 1
    assert len(ids(filled.query(ask(None, mode=VectorStoreQueryMode.TEXT_SEARCH, **words)))) == 2


def test_r18_alpha_0_is_words_alone_and_1_is_vectors_alone(filled: AxonVectorStore) -> None:
    def hybrid(alpha: float | None, **fields: Any) -> list[str]:
        asked = ask([0, 0, 1], query_str="cat", mode=VectorStoreQueryMode.HYBRID, alpha=alpha, **fields)
        return ids(filled.query(asked))

    assert set(hybrid(0.0)[:2]) == {"a", "b"}
    assert hybrid(1.0)[0] == "d"
    assert hybrid(1.0, k=1, node_ids=["a", "d"]) == ["d"]
    mixed = filled.query(ask([0, 0, 1], query_str="cat", mode=VectorStoreQueryMode.HYBRID, alpha=0.4))
    assert {"a", "b", "d"} <= set(ids(mixed))
    assert mixed.similarities == sorted(mixed.similarities or [], reverse=True)
    assert all(0 <= each <= 1 for each in mixed.similarities or [])


def test_r18_hybrid_uses_the_vector_of_the_query(filled: AxonVectorStore) -> None:
    """The memory's own embedder is another model here; the index has embedded the question already."""
    for vector, nearest in (([0, 1, 0], "c"), ([0, 0, 1], "d")):
        result = filled.query(ask(vector, query_str="zzz", mode=VectorStoreQueryMode.HYBRID, alpha=0.5))
        assert ids(result)[0] == nearest


def test_r18_hybrid_top_k_and_bad_alpha(filled: AxonVectorStore) -> None:
    hybrid: dict[str, Any] = {"query_str": "cat", "mode": VectorStoreQueryMode.HYBRID}
    assert len(ids(filled.query(ask([1, 0, 0], k=5, hybrid_top_k=2, **hybrid)))) == 2
    for alpha in (-0.1, 1.5, math.nan):
        with pytest.raises(ValueError, match="alpha"):
            filled.query(ask([1, 0, 0], alpha=alpha, **hybrid))
    with pytest.raises(ValueError, match="query_str"):
        filled.query(ask([1, 0, 0], mode=VectorStoreQueryMode.HYBRID))


def test_r18_the_threshold_keyword_wins(store: AxonVectorStore) -> None:
    store.add([node("best", [1, 0]), node("twin", [0.999, 0.045]), node("other", [0.5, 0.866])])
    varied, near = ["best", "other"], ["best", "twin"]

    def diverse(threshold: float | None, **keywords: Any) -> list[str]:
        asked = ask([1, 0], k=2, mode=VectorStoreQueryMode.MMR, mmr_threshold=threshold)
        return ids(store.query(asked, **keywords))

    assert diverse(0.1) == varied
    assert diverse(1.0) == near
    assert diverse(0.1, mmr_threshold=1.0) == near
    assert diverse(1.0, mmr_threshold=0.1) == varied
    assert diverse(1.0, mmr_threshold=None) == diverse(0.5) == diverse(None)
    assert diverse(1.0, mmr_threshold=0) == varied
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="mmr_threshold"):
            diverse(wrong)


def test_r18_mmr_similarity_is_the_cosine_and_candidates_can_be_limited(store: AxonVectorStore) -> None:
    store.add([node("best", [1, 0]), node("twin", [0.999, 0.045]), node("other", [0.5, 0.866])])
    result = store.query(ask([1, 0], k=2, mode=VectorStoreQueryMode.MMR, mmr_threshold=0.1))
    assert result.similarities == pytest.approx([1.0, 0.5], abs=1e-3)
    limited = store.query(
        ask([1, 0], k=2, mode=VectorStoreQueryMode.MMR, mmr_threshold=0.1), mmr_prefetch_k=2
    )
    assert ids(limited) == ["best", "twin"]
    assert ids(store.query(ask([1, 0], mode=VectorStoreQueryMode.MMR, node_ids=["nobody"]))) == []


@pytest.mark.parametrize("threshold", [None, 0.2, 0.5, 0.8, 1.0])
def test_r18_mmr_chooses_as_llama_index_does(in_process: MemorySystem, threshold: float | None) -> None:
    rng = random.Random(5)
    vectors = [[rng.gauss(0, 1) for _ in range(6)] for _ in range(30)]
    store = AxonVectorStore(in_process)
    store.add([node(f"n{at}", vector) for at, vector in enumerate(vectors)])
    asked = [rng.gauss(0, 1) for _ in range(6)]
    _, expected = get_top_k_mmr_embeddings(
        asked,
        vectors,
        similarity_top_k=8,
        embedding_ids=[f"n{at}" for at in range(30)],
        mmr_threshold=threshold,
    )
    result = store.query(ask(asked, k=8, mode=VectorStoreQueryMode.MMR, mmr_threshold=threshold))
    assert ids(result) == expected


async def test_r19_keywords_act_alike_in_query_and_aquery(filled: AxonVectorStore) -> None:
    asked = ask([1, 0, 0])
    other = filled.client.scope("elsewhere")
    await AxonVectorStore(other).async_add([node("z", [1, 0, 0])])
    several = len(filled.client.tiers) > 1
    cases: list[tuple[dict[str, Any], str]] = [
        ({"min_importance": 0.5}, "bcde"),
        ({"filter": Filter(metadata={"letter": "d"})}, "d"),
        ({"filter": {"letter": {"$in": ["a", "e"]}}}, "ae"),
        ({"filter": {"letter": {"$in": ["a", "e"]}}, "min_importance": 0.2}, "e"),
        ({"namespace": "elsewhere"}, "z"),
        ({"tier": "persistent"}, "cde" if several else "abcde"),
        ({"tier": ["persistent"], "min_importance": 0.7}, "c"),
    ]
    if several:
        cases += [({"tier": "ephemeral"}, "a"), ({"tier": ["ephemeral", "session"]}, "ab")]
    for keywords, expected in cases:
        found = ids(await filled.aquery(asked, **keywords))
        assert sorted(found) == list(expected), keywords
        assert ids(filled.query(asked, **keywords)) == found
        assert sorted(each.node_id for each in await filled.aget_nodes(**keywords)) == list(expected)
        asked_for = ids(await filled.aquery(ask(None, node_ids=list("abcdez")), **keywords))
        assert sorted(asked_for) == list(expected)


def test_r19_a_filter_keyword_narrows_and_never_widens(filled: AxonVectorStore) -> None:
    asked = ask([1, 0, 0], filters=filters(where("letter", ["a", "b"], "in")))
    assert ids(filled.query(asked, filter={"letter": {"$ne": "a"}})) == ["b"]


def test_r19_a_bound_store_stays_in_its_tier_and_namespace(in_process: MemorySystem) -> None:
    AxonVectorStore(in_process).add([node("free", [1, 0])])
    bound = AxonVectorStore(in_process, tier="session", namespace="mine")
    bound.add([node("inside", [1, 0], importance=1.0)])
    assert ids(bound.query(ask([1, 0]), tier="session", namespace="mine")) == ["inside"]
    assert run_blocking(in_process.scope("mine").count(tier="session")) == 1
    for keywords in ({"namespace": "default"}, {"tier": "persistent"}, {"tier": ["session", "persistent"]}):
        with pytest.raises(InvalidInputError, match="bound"):
            bound.query(ask([1, 0]), **keywords)
        with pytest.raises(InvalidInputError, match="bound"):
            bound.delete_nodes(["free"], **keywords)
    with pytest.raises(InvalidInputError, match="bound"):
        bound.add([node("outside", [1, 0])], namespace="default")
    with pytest.raises(InvalidInputError, match="nowhere"):
        AxonVectorStore(in_process, tier="nowhere")
    with pytest.raises(InvalidInputError, match="tier"):
        AxonVectorStore(in_process).query(ask([1, 0]), tier=[])


def test_k_below_1_is_an_error(filled: AxonVectorStore) -> None:
    with pytest.raises(InvalidInputError, match="k"):
        filled.query(ask([1, 0, 0], k=0))
