"""The dict form: every word, every error, and the way there and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings

from axon.core.errors import FilterError, InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    And,
    Contains,
    Eq,
    Exists,
    Field,
    FilterNode,
    Gt,
    Gte,
    In,
    IsEmpty,
    Lt,
    Lte,
    Ne,
    Nin,
    Not,
    Or,
    Prefix,
    TextMatch,
)
from axon.core.filter.evaluate import matches
from axon.core.filter.parse import MAX_DEPTH, parse_filter, to_dict
from axon.core.models import Tier
from axon.testing import generate
from axon.testing.entries import make_entry
from axon.testing.filter_cases import X
from axon.testing.strategies import filters, seeds

TAGS, CREATED, SESSION, TIER = map(Field, ("tags", "created_at", "session_id", "tier"))
MOMENT = datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)

WORDS: list[tuple[Mapping[str, Any], FilterNode]] = [
    ({}, EVERYTHING),
    ({"x": 1}, Eq(X, 1)),
    ({"x": None}, Eq(X, None)),
    ({"x": [1, 2]}, Eq(X, [1, 2])),
    ({"x": (1, 2)}, Eq(X, [1, 2])),
    ({"x": {"k": 1}}, Eq(X, {"k": 1})),
    ({"x": {}}, Eq(X, {})),
    ({"x": {"$eq": {"$gt": 1}}}, Eq(X, {"$gt": 1})),
    ({"x": {"$eq": 1}}, Eq(X, 1)),
    ({"x": {"$ne": 1}}, Ne(X, 1)),
    ({"x": {"$lt": 1}}, Lt(X, 1)),
    ({"x": {"$lte": 1}}, Lte(X, 1)),
    ({"x": {"$gt": "a"}}, Gt(X, "a")),
    ({"x": {"$gte": 1.5}}, Gte(X, 1.5)),
    ({"x": {"$in": [1, "a"]}}, In(X, (1, "a"))),
    ({"x": {"$in": []}}, In(X, ())),
    ({"x": {"$in": {1}}}, In(X, (1,))),
    ({"x": {"$nin": [None]}}, Nin(X, (None,))),
    ({"x": {"$exists": True}}, Exists(X)),
    ({"x": {"$exists": False}}, Not(Exists(X))),
    ({"x": {"$is_empty": True}}, IsEmpty(X)),
    ({"x": {"$is_empty": False}}, Not(IsEmpty(X))),
    ({"x": {"$contains": 1}}, Contains(X, (1,), "all")),
    ({"x": {"$contains": [1]}}, Contains(X, ([1],), "all")),
    ({"x": {"$contains_any": [1, 2]}}, Contains(X, (1, 2), "any")),
    ({"x": {"$contains_all": [1, 2]}}, Contains(X, (1, 2), "all")),
    ({"x": {"$any": [1, 2]}}, Contains(X, (1, 2), "any")),
    ({"x": {"$all": []}}, Contains(X, (), "all")),
    ({"x": {"$prefix": "a"}}, Prefix(X, "a")),
    ({"x": {"$text_match": "a"}}, TextMatch(X, "a")),
    ({"x": {"$text_match_insensitive": "A"}}, TextMatch(X, "A", False)),
    ({"x": {"$gt": 1, "$lt": 5}}, And((Gt(X, 1), Lt(X, 5)))),
    ({"x": 1, "y": 2}, And((Eq(X, 1), Eq(Field("y", is_metadata=True), 2)))),
    ({"$and": [{"x": 1}, {"x": 2}]}, And((Eq(X, 1), Eq(X, 2)))),
    ({"$or": [{"x": 1}, {"x": {"$gt": 5}}]}, Or((Eq(X, 1), Gt(X, 5)))),
    ({"$or": ({"x": 1},)}, Eq(X, 1)),
    ({"$not": {"x": 1}}, Not(Eq(X, 1))),
    ({"$not": {"$not": {"x": 1}}}, Eq(X, 1)),
    ({"$or": [{"x": 1}], "y": 2}, And((Eq(X, 1), Eq(Field("y", is_metadata=True), 2)))),
    ({"$not": {"x": 1, "y": 2}}, Not(And((Eq(X, 1), Eq(Field("y", is_metadata=True), 2))))),
    ({"metadata.x": 1}, Eq(X, 1)),
    ({"metadata.tags": "a"}, Eq(Field("tags", is_metadata=True), "a")),
    ({"metadata.metadata.x": 1}, Eq(Field("metadata.x", is_metadata=True), 1)),
    ({"metadata.$and": 1}, Eq(Field("$and", is_metadata=True), 1)),
    ({"a.b": 1}, Eq(Field("a.b", is_metadata=True), 1)),
    ({"": 1}, Eq(Field("", is_metadata=True), 1)),
    ({"tags": "a"}, Contains(TAGS, ("a",), "all")),
    ({"tags": ["a", "b"]}, Contains(TAGS, ("a", "b"), "all")),
    ({"tags": []}, Contains(TAGS, (), "all")),
    ({"tags": {"$eq": ["a"]}}, Contains(TAGS, ("a",), "all")),
    ({"tags": {"$ne": "a"}}, Not(Contains(TAGS, ("a",), "all"))),
    ({"tags": {"$in": ["a", "b"]}}, Contains(TAGS, ("a", "b"), "any")),
    ({"tags": {"$nin": ["a", "b"]}}, Not(Contains(TAGS, ("a", "b"), "any"))),
    ({"tags": {"$contains": "a"}}, Contains(TAGS, ("a",), "all")),
    ({"tags": {"$any": ["a", "b"]}}, Contains(TAGS, ("a", "b"), "any")),
    ({"importance": {"$gte": 0.5}}, Gte(Field("importance"), 0.5)),
    ({"id": {"$prefix": "a"}}, Prefix(Field("id"), "a")),
    ({"session_id": None}, Eq(SESSION, None)),
    ({"tier": Tier.SESSION}, Eq(TIER, "session")),
    ({"tier": {"$in": ["session", Tier.PERSISTENT]}}, In(TIER, ("session", "persistent"))),
    ({"created_at": {"$gt": "2024-05-06T07:08:09Z"}}, Gt(CREATED, MOMENT)),
    ({"created_at": {"$gt": "2024-05-06T09:08:09+02:00"}}, Gt(CREATED, MOMENT)),
    ({"created_at": {"$gt": "2024-05-06T07:08:09"}}, Gt(CREATED, MOMENT)),
    ({"created_at": {"$gt": MOMENT.timestamp()}}, Gt(CREATED, MOMENT)),
    ({"created_at": {"$gt": MOMENT}}, Gt(CREATED, MOMENT)),
    ({"created_at": {"$gt": MOMENT.replace(tzinfo=None)}}, Gt(CREATED, MOMENT)),
    ({"updated_at": "2024-05-06T07:08:09Z"}, Eq(Field("updated_at"), MOMENT)),
    ({"expires_at": {"$exists": False}}, Not(Exists(Field("expires_at")))),
    ({"metadata.created_at": "2024"}, Eq(Field("created_at", is_metadata=True), "2024")),
]  # fmt: skip

ERRORS: list[tuple[Any, type[FilterError], str]] = [
    ({"x": {"$equals": 1}}, UnsupportedFilterError, r"\$equals"),
    ({"x": {"$contain_any": [1]}}, UnsupportedFilterError, r"did you mean \$contains_any\?"),
    ({"x": {"$GT": 1}}, UnsupportedFilterError, r"\$GT"),
    ({"x": {"$gt": 1, "lt": 2}}, UnsupportedFilterError, "'lt'"),
    ({"x": {"$not": {"$gt": 1}}}, UnsupportedFilterError, r"\$not"),
    ({"x": {"$regex": "a"}}, UnsupportedFilterError, r"\$regex"),
    ({"$nor": [{"x": 1}]}, UnsupportedFilterError, r"\$nor"),
    ({"$gt": 1}, UnsupportedFilterError, r"\$gt"),
    ({"$andd": [{"x": 1}]}, UnsupportedFilterError, r"did you mean \$and\?"),
    ({"$and": []}, InvalidFilterError, r"\$and"),
    ({"$or": []}, InvalidFilterError, r"\$or"),
    ({"$or": {"x": 1}}, InvalidFilterError, "list"),
    ({"$and": "x"}, InvalidFilterError, "list"),
    ({"$or": [1]}, InvalidFilterError, "non-empty"),
    ({"$or": [{}]}, InvalidFilterError, "non-empty"),
    ({"$not": {}}, InvalidFilterError, "non-empty"),
    ({"$not": [{"x": 1}]}, InvalidFilterError, "non-empty"),
    ({1: 2}, InvalidFilterError, "strings"),
    ([("x", 1)], InvalidFilterError, "list"),
    ("x", InvalidFilterError, "str"),
    ({"tags": {}}, InvalidFilterError, "empty"),
    ({"x": {"$in": "abc"}}, InvalidFilterError, "list"),
    ({"x": {"$nin": None}}, InvalidFilterError, "list"),
    ({"x": {"$in": {"a": 1}}}, InvalidFilterError, "list"),
    ({"x": {"$contains_any": "abc"}}, InvalidFilterError, "list"),
    ({"tags": {"$in": "a"}}, InvalidFilterError, "list"),
    ({"x": {"$exists": 1}}, InvalidFilterError, "true or false"),
    ({"x": {"$is_empty": "yes"}}, InvalidFilterError, "true or false"),
    ({"x": {"$prefix": 1}}, InvalidFilterError, "string"),
    ({"x": {"$text_match": None}}, InvalidFilterError, "string"),
    ({"x": {"$text_match_insensitive": ["a"]}}, InvalidFilterError, "string"),
    ({"x": float("nan")}, InvalidFilterError, "nan"),
    ({"x": {"$lt": float("inf")}}, InvalidFilterError, "inf"),
    ({"x": object()}, InvalidFilterError, "object"),
    ({"x": {1: 2}}, InvalidFilterError, "strings"),
    ({"x": MOMENT}, InvalidFilterError, "isoformat"),
    ({"x": "\ud800"}, InvalidFilterError, "surrogate"),
    ({"created_at": "yesterday"}, InvalidFilterError, "yesterday"),
    ({"created_at": None}, InvalidFilterError, "None"),
    ({"created_at": True}, InvalidFilterError, "True"),
    ({"created_at": 1e300}, InvalidFilterError, "1e"),
    ({"created_at": float("nan")}, InvalidFilterError, "nan"),
    ({"created_at": {"$in": "2024"}}, InvalidFilterError, "list"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "node"), WORDS, ids=str)
def test_a_word_reads_as(source: Mapping[str, Any], node: FilterNode) -> None:
    assert repr(parse_filter(source)) == repr(node)


@pytest.mark.parametrize(("source", "error", "message"), ERRORS, ids=ascii)
def test_an_error_says_what_is_wrong(source: Any, error: type[FilterError], message: str) -> None:
    with pytest.raises(error, match=message):
        parse_filter(source)


@pytest.mark.parametrize(("source", "error", "message"), ERRORS[:20], ids=ascii)
def test_an_error_inside_a_combination_is_an_error_too(
    source: Any, error: type[FilterError], message: str
) -> None:
    with pytest.raises(FilterError):
        parse_filter({"$or": [{"x": 1}, {"$not": source}]})


def test_reading_leaves_the_source_alone_and_keeps_no_alias() -> None:
    source: dict[str, Any] = {"x": [1, {"k": [2]}]}
    node = parse_filter(source)
    source["x"][1]["k"].append(3)
    assert node == Eq(X, [1, {"k": [2]}])


def test_nesting_is_bounded_by_an_error_not_by_a_crash() -> None:
    source: dict[str, Any] = {"x": 1}
    for _ in range(MAX_DEPTH // 2):
        source = {"$not": {"$and": [source, {"y": 1}]}}
    parse_filter(source)
    for _ in range(2000):
        source = {"$not": source}
    with pytest.raises(InvalidFilterError, match="nested"):
        parse_filter(source)


def has_dict_form(node: FilterNode) -> bool:
    """On tags, the words for equality mean containment, so whole-list equality has no word."""
    if isinstance(node, And | Or):
        return all(map(has_dict_form, node.children))
    if isinstance(node, Not):
        return has_dict_form(node.child)
    return not (isinstance(node, Eq | Ne | In | Nin) and node.field == TAGS)


@given(filters(tier=True))
def test_a_tree_written_and_read_is_the_same_tree(node: FilterNode) -> None:
    if not has_dict_form(node):
        with pytest.raises(UnsupportedFilterError, match="tags"):
            to_dict(node)
    elif node != NOTHING:
        assert repr(parse_filter(to_dict(node))) == repr(node)


def test_nothing_survives_the_way_there_and_back_in_meaning() -> None:
    read = parse_filter(to_dict(NOTHING))
    values: list[dict[str, Any]] = [{}, {"": 1}, {"": None}, {"": []}]
    assert not any(matches(read, make_entry("a", metadata=metadata)) for metadata in values)


@given(seeds)
@settings(max_examples=settings().max_examples * 2)
def test_the_dict_form_means_the_same_on_random_corpora(seed: int) -> None:
    choices = generate.SeededChoices(seed)
    entries = generate.corpus(choices)
    for _ in range(25):
        node = generate.filter_tree(choices, entries, tier=True)
        if has_dict_form(node):
            read = parse_filter(to_dict(node))
            assert [matches(read, entry) for entry in entries] == [
                matches(node, entry) for entry in entries
            ], node
