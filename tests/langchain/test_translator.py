"""L20: self-query, all ten comparators and three operators, without LangChain's look-up of translators."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import RESERVED_FIELDS
from axon.core.filter.parse import parse_filter
from axon_integrations.langchain import AXON_ATTRIBUTES, AxonTranslator, AxonVectorStore

ROWS: list[dict[str, Any]] = [
    {"n": 1, "word": "night owl", "list": ["owl", "fox"], "day": "2024-05-01"},
    {"n": 2, "word": "red fox", "list": ["fox"], "day": "2024-06-01"},
    {"n": 3, "word": "fox", "list": []},
    {"n": 4},
]


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add_texts(
        [str(row["n"]) for row in ROWS],
        ROWS,
        tags=[["a"], ["a", "b"], ["b"], []],
        importance=[0.1, 0.5, 0.7, 0.9],
    )
    return store


CASES: list[tuple[Comparator, str, Any, list[int]]] = [
    (Comparator.EQ, "n", 2, [2]),
    (Comparator.EQ, "tags", "a", [1, 2]),
    (Comparator.EQ, "metadata.n", 2.0, [2]),
    (Comparator.NE, "word", "fox", [1, 2, 4]),
    (Comparator.GT, "n", 2, [3, 4]),
    (Comparator.GTE, "importance", 0.7, [3, 4]),
    (Comparator.LT, "n", 2, [1]),
    (Comparator.LTE, "importance", 0.5, [1, 2]),
    (Comparator.IN, "n", [1, 4, 9], [1, 4]),
    (Comparator.IN, "tags", ["a", "b"], [1, 2, 3]),
    (Comparator.NIN, "word", ["fox", "red fox"], [1, 4]),
    (Comparator.NIN, "tags", ["a"], [3, 4]),
    (Comparator.CONTAIN, "list", "fox", [1, 2]),
    (Comparator.CONTAIN, "word", "fox", [2, 3]),
    (Comparator.CONTAIN, "tags", "b", [2, 3]),
    (Comparator.CONTAIN, "tags", ["a", "b"], [2]),
    (Comparator.CONTAIN, "n", 1, []),
    (Comparator.LIKE, "word", "%ow%", [1]),
    (Comparator.LIKE, "word", "fox%", [3]),
    (Comparator.LT, "day", {"type": "date", "date": "2024-05-15"}, [1]),
    (Comparator.GT, "created_at", {"type": "date", "date": "2020-01-01"}, [1, 2, 3, 4]),
    (Comparator.LT, "created_at", {"type": "datetime", "datetime": "2020-01-01T00:00:00+00:00"}, []),
]


def numbers(documents: list[Any]) -> list[int]:
    return [document.metadata["n"] for document in documents]


@pytest.mark.parametrize(("comparator", "attribute", "value", "passing"), CASES)
def test_l20_comparators(
    filled: AxonVectorStore, comparator: Comparator, attribute: str, value: Any, passing: list[int]
) -> None:
    comparison = Comparison(comparator, attribute, value)
    query, keywords = AxonTranslator().visit_structured_query(StructuredQuery("0", comparison))
    assert numbers(filled.similarity_search(query, **keywords)) == passing
    assert numbers(filled.similarity_search("0", filter=Operation(Operator.NOT, [comparison]))) == [
        n for n in (1, 2, 3, 4) if n not in passing
    ]


def test_l20_every_comparator_and_operator_is_covered() -> None:
    assert {case[0] for case in CASES} == set(Comparator) == set(AxonTranslator.allowed_comparators)
    assert set(AxonTranslator.allowed_operators) == set(Operator)


def test_l20_operators_nest(filled: AxonVectorStore) -> None:
    one, two, four = (Comparison(Comparator.EQ, "n", n) for n in (1, 2, 4))
    either = Operation(
        Operator.OR, [one, Operation(Operator.AND, [two, Comparison(Comparator.EQ, "tags", "b")]), four]
    )
    both = Operation(Operator.AND, [either, Operation(Operator.NOT, [four])])
    assert numbers(filled.similarity_search("0", filter=both)) == [1, 2]


def test_l20_without_a_filter_there_are_no_keywords() -> None:
    assert AxonTranslator().visit_structured_query(StructuredQuery("words", None, limit=3)) == ("words", {})


def test_l20_an_attribute_that_looks_like_an_operator_stays_an_attribute() -> None:
    translated = Comparison(Comparator.EQ, "$or", 1).accept(AxonTranslator())
    assert parse_filter(translated) == parse_filter({"metadata.$or": 1})
    value = Comparison(Comparator.EQ, "x", {"$gt": 1}).accept(AxonTranslator())
    assert parse_filter(value) == parse_filter({"x": {"$eq": {"$gt": 1}}})


@pytest.mark.parametrize("pattern", ["a", "%", "%%", "%a", "a%b", "%a%b%", "a_%", "%a\\%", "", 7, None])
def test_l20_other_patterns_are_unsupported_and_name_the_field(pattern: Any) -> None:
    with pytest.raises(UnsupportedFilterError, match=r"metadata\.word"):
        Comparison(Comparator.LIKE, "word", pattern).accept(AxonTranslator())


@pytest.mark.parametrize(
    ("operator", "count"), [(Operator.NOT, 0), (Operator.NOT, 2), (Operator.AND, 0), (Operator.OR, 0)]
)
def test_l20_operators_of_the_wrong_size_are_errors(operator: Operator, count: int) -> None:
    with pytest.raises(InvalidFilterError, match=operator.value):
        Operation(operator, [Comparison(Comparator.EQ, "n", 1)] * count).accept(AxonTranslator())


def test_l20_attributes_name_every_reserved_field() -> None:
    assert {attribute["name"] for attribute in AXON_ATTRIBUTES} == RESERVED_FIELDS
    assert all(set(attribute) == {"name", "description", "type"} for attribute in AXON_ATTRIBUTES)
