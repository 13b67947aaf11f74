"""Filters of every form give what the evaluator says, and nothing is dropped: L16, L17, L18."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from axon.core.config import MemoryConfig
from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter import Filter, as_node
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.filter.evaluate import matches
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, Tier
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.core.portal import run_blocking
from axon.testing.generate import SeededChoices, filter_tree
from axon_integrations.langchain import AxonVectorStore, to_filter
from tests.langchain.planes import PlaneEmbeddings
from tests.langchain.random_filters import OPERATORS, random_filter, random_rows

pytestmark = pytest.mark.filterwarnings(
    "ignore:metadata key:axon_integrations._shared.inputs.ReservedMetadataWarning"
)

ROWS = 40


def three_tiers(path: Path, adapter: str) -> MemoryConfig:
    def options(tier: str) -> dict[str, Any]:
        if adapter == "memory":
            return {}
        return {"adapter_type": adapter, "adapter_config": {"path": str(path), "collection": tier}}

    return MemoryConfig(
        ephemeral=EphemeralPolicy(**options("ephemeral")),
        session=SessionPolicy(**options("session")),
        persistent=PersistentPolicy(**options("persistent")),
    )


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def corpus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[AxonVectorStore, list[MemoryEntry]]]:
    """Forty varied documents over three tiers, and what the memory holds of them."""
    path = tmp_path_factory.mktemp("filters") / "axon.db"
    memory = MemorySystem(three_tiers(path, request.param))
    store = AxonVectorStore(memory, PlaneEmbeddings())
    store.add_texts([str(number) for number in range(ROWS)], **random_rows(random.Random(1), ROWS))

    async def entries() -> list[MemoryEntry]:
        return [entry async for entry in store.memory.scan()]

    yield store, run_blocking(entries())
    run_blocking(memory.aclose())


def wanted(node: FilterNode, entries: list[MemoryEntry]) -> set[str]:
    return {entry.id for entry in entries if matches(node, entry)}


def found(store: AxonVectorStore, filter_: Any, k: int = ROWS) -> set[str | None]:
    return {document.id for document in store.similarity_search("0", k=k, filter=filter_)}


@pytest.mark.parametrize("seed", range(5))
def test_l16_dicts_give_what_the_evaluator_says(
    corpus: tuple[AxonVectorStore, list[MemoryEntry]], seed: int
) -> None:
    store, entries = corpus
    rng = random.Random(seed)
    seen: set[str] = set()
    deciding = 0
    for _ in range(1000):
        filter_ = random_filter(rng)
        ids = wanted(as_node(filter_), entries)
        assert found(store, filter_) == ids, filter_
        deciding += 0 < len(ids) < ROWS
        seen.update(word for word in OPERATORS if f"'{word}'" in repr(filter_))
    assert seen == set(OPERATORS)
    assert deciding > 200


def test_l16_trees_and_filters_give_what_the_evaluator_says(
    corpus: tuple[AxonVectorStore, list[MemoryEntry]],
) -> None:
    store, entries = corpus
    for seed in range(1000):
        node = filter_tree(SeededChoices(seed), entries, tier=True)
        assert found(store, Filter.of(node)) == found(store, node) == wanted(node, entries), node


def test_l18_residuals_fetch_on_until_k_or_exhausted(
    corpus: tuple[AxonVectorStore, list[MemoryEntry]],
) -> None:
    store, entries = corpus
    for seed in range(200):
        node, k = filter_tree(SeededChoices(seed), entries, tier=True), 1 + seed % ROWS
        passing = wanted(node, entries)
        results = store.similarity_search(
            "0", k=k, filter=lambda document, passing=passing: document.id in passing
        )
        assert results == store.similarity_search("0", k=k, filter=node), node
        assert len(results) == min(k, len(passing))


def test_the_corpus_is_varied(corpus: tuple[AxonVectorStore, list[MemoryEntry]]) -> None:
    """The properties above would hold of nothing, too."""
    _, entries = corpus
    assert len(entries) == ROWS
    assert {entry.tier for entry in entries} == set(Tier)


def test_l17_the_dict_round_trip_is_lossless() -> None:
    rng = random.Random(7)
    for _ in range(1000):
        written = Filter.from_dict(random_filter(rng))
        assert Filter.from_dict(written.to_dict()) == written


def test_l17_the_documented_round_trip() -> None:
    written = Filter(tags=["a", "b"], min_importance=0.3, max_importance=0.9, metadata={"lang": "en"})
    read = {
        "$and": [
            {"tags": {"$all": ["a", "b"]}},
            {"importance": {"$gte": 0.3, "$lte": 0.9}},
            {"metadata.lang": "en"},
        ]
    }
    assert to_filter(read) == to_filter(written) == (written.node, None)


def test_l17_three_declarative_forms_are_one_tree() -> None:
    directive = Operation(
        Operator.AND,
        [
            Comparison(Comparator.EQ, "tags", "a"),
            Comparison(Comparator.GTE, "importance", 0.3),
            Comparison(Comparator.NE, "lang", "en"),
        ],
    )
    written = Filter(tags=["a"], min_importance=0.3, metadata={"lang": {"$ne": "en"}})
    assert to_filter(directive) == (written.node, None)
    assert to_filter({"tags": "a", "importance": {"$gte": 0.3}, "lang": {"$ne": "en"}}) == (
        written.node,
        None,
    )


@pytest.mark.parametrize("empty", [None, {}, Filter()])
def test_nothing_given_matches_everything(empty: Any) -> None:
    assert to_filter(empty) == (EVERYTHING, None)


@pytest.fixture
def animals(store: AxonVectorStore) -> AxonVectorStore:
    store.add_texts(
        [str(n) for n in range(40)],
        [{"n": n, "nested": {"list": [n]}} for n in range(40)],
        tags=[["even" if n % 2 == 0 else "odd"] for n in range(40)],
    )
    return store


async def test_l17_callables_are_applied(animals: AxonVectorStore) -> None:
    rare = lambda document: document.metadata["n"] in (31, 37)  # noqa: E731
    assert [document.page_content for document in animals.similarity_search("0", k=1, filter=rare)] == ["31"]
    found_all = await animals.asimilarity_search("0", k=5, filter=rare)
    assert [document.page_content for document in found_all] == ["31", "37"]
    assert animals.similarity_search("0", filter=lambda document: False) == []


def test_l17_callables_see_the_document_and_each_only_once(animals: AxonVectorStore) -> None:
    seen: list[str | None] = []

    def spoil(document: Document) -> bool:
        seen.append(document.id)
        document.metadata["nested"]["list"].append("spoilt")
        return int(document.page_content) > 20

    (first,) = animals.similarity_search("0", k=1, filter=spoil)
    assert (first.page_content, first.metadata) == ("21", {"n": 21, "nested": {"list": [21]}})
    assert len(seen) == len(set(seen))
    assert len(animals.get_by_ids([id_ for id_ in seen if id_])) == len(seen) >= 22


def test_l17_a_structured_querys_filter_is_applied(animals: AxonVectorStore) -> None:
    directive = Comparison(Comparator.IN, "n", [3, 30])
    assert [document.page_content for document in animals.similarity_search("0", filter=directive)] == [
        "3",
        "30",
    ]


@pytest.mark.parametrize(
    ("filter_", "error", "names"),
    [
        ({"n": {"$near": 1}}, UnsupportedFilterError, r"\$near"),
        ({"$nor": [{"n": 1}]}, UnsupportedFilterError, r"\$nor"),
        ({"$and": []}, InvalidFilterError, r"\$and"),
        ({"created_at": "soon"}, InvalidFilterError, "created_at"),
        ({"n": {"$in": 3}}, InvalidFilterError, r"\$in on metadata.n"),
        (7, InvalidFilterError, "int"),
        ("n == 1", InvalidFilterError, "str"),
        ([{"n": 1}], InvalidFilterError, "list"),
        (StructuredQuery("q", None), InvalidFilterError, "structured_query.filter"),
        (Comparison(Comparator.LIKE, "s", "a%b"), UnsupportedFilterError, "like on metadata.s"),
    ],
)
async def test_l17_what_cannot_be_read_is_an_error_never_dropped(
    animals: AxonVectorStore, filter_: Any, error: type[Exception], names: str
) -> None:
    with pytest.raises(error, match=names):
        animals.similarity_search("0", filter=filter_)
    with pytest.raises(error, match=names):
        await animals.asimilarity_search("0", filter=filter_)
    with pytest.raises(error, match=names):
        animals.max_marginal_relevance_search("0", filter=filter_)
    with pytest.raises(error, match=names):
        animals.delete(filter=filter_)
    assert len(animals.similarity_search("0", k=99)) == 40


async def accepts_all(document: Document) -> bool:
    return True


class AcceptsAll:
    async def __call__(self, document: Document) -> bool:
        return True


@pytest.mark.parametrize("coroutine", [accepts_all, AcceptsAll(), lambda document: accepts_all(document)])
def test_l17_an_asynchronous_function_never_counts_as_true(animals: AxonVectorStore, coroutine: Any) -> None:
    with pytest.raises(InvalidFilterError, match="filter function"):
        animals.similarity_search("0", filter=coroutine)


@pytest.mark.parametrize("coroutine", [accepts_all, AcceptsAll()])
def test_l17_an_asynchronous_function_is_refused_before_anything_is_asked(coroutine: Any) -> None:
    with pytest.raises(InvalidFilterError, match="ordinary"):
        to_filter(coroutine)


def test_tags_any_all_and_ranges(animals: AxonVectorStore) -> None:
    assert len(animals.similarity_search("0", k=99, filter={"tags": {"$in": ["even", "odd"]}})) == 40
    assert len(animals.similarity_search("0", k=99, filter={"tags": {"$all": ["even", "odd"]}})) == 0
    assert len(animals.similarity_search("0", k=99, filter=Filter(tags=["odd"], min_importance=0.5))) == 20
    assert animals.similarity_search("0", filter=Filter(tags=[])) == []
