"""``Filter``: what users write, and how it combines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from axon import Filter
from axon.core.errors import InvalidFilterError, InvalidInputError, UnsupportedFilterError
from axon.core.filter import as_node
from axon.core.filter.ast import (
    EVERYTHING,
    And,
    Contains,
    Eq,
    Field,
    FilterNode,
    Gt,
    Gte,
    Lt,
    Lte,
    all_of,
)
from axon.core.filter.evaluate import matches
from axon.testing.entries import make_entry
from axon.testing.filter_cases import X
from axon.testing.strategies import filters

TAGS, IMPORTANCE, CREATED, SESSION = map(Field, ("tags", "importance", "created_at", "session_id"))
MOMENT = datetime(2024, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given_filter", "node"),
    [
        (Filter(), EVERYTHING),
        (Filter(tags=["a", "b"]), Contains(TAGS, ("a", "b"), "all")),
        (Filter(tags=("a",)), Contains(TAGS, ("a",), "all")),
        (Filter(any_tags={"a"}), Contains(TAGS, ("a",), "any")),
        (Filter(tags=[]), Contains(TAGS, (), "all")),
        (Filter(any_tags=[]), Contains(TAGS, (), "any")),
        (Filter(min_importance=0.5), Gte(IMPORTANCE, 0.5)),
        (Filter(max_importance=1), Lte(IMPORTANCE, 1)),
        (Filter(min_importance=0), Gte(IMPORTANCE, 0)),
        (Filter(created_after=MOMENT), Gt(CREATED, MOMENT)),
        (Filter(created_before="2024-05-06"), Lt(CREATED, MOMENT)),
        (Filter(created_before=MOMENT.timestamp()), Lt(CREATED, MOMENT)),
        (Filter(session_id="s"), Eq(SESSION, "s")),
        (Filter(metadata={"x": 1}), Eq(X, 1)),
        (Filter(metadata={}), EVERYTHING),
        (Filter(metadata={"tags": "mine"}), Eq(Field("tags", is_metadata=True), "mine")),
        (Filter(metadata={"metadata.x": 1}), Eq(Field("metadata.x", is_metadata=True), 1)),
        (Filter(metadata={"$and": 1}), Eq(Field("$and", is_metadata=True), 1)),
        (Filter(metadata={"x": {"$gt": 1, "$lt": 3}}), And((Gt(X, 1), Lt(X, 3)))),
        (
            Filter(
                tags=["a"], any_tags=["b"], min_importance=0.1, max_importance=0.9, session_id="s", metadata={"x": 1}
            ),
            all_of([
                Contains(TAGS, ("a",), "all"), Contains(TAGS, ("b",), "any"), Gte(IMPORTANCE, 0.1),
                Lte(IMPORTANCE, 0.9), Eq(SESSION, "s"), Eq(X, 1),
            ]),
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_arguments_lower_to(given_filter: Filter, node: FilterNode) -> None:
    assert repr(given_filter.node) == repr(node)


@pytest.mark.parametrize(
    "arguments",
    [
        {"tags": "work"},
        {"any_tags": "work"},
        {"tags": [object()]},
        {"min_importance": float("nan")},
        {"created_after": "soon"},
        {"created_before": None, "created_after": True},
        {"metadata": ["x"]},
        {"metadata": {"x": {"$in": 1}}},
        {"metadata": {1: 2}},
    ],
    ids=repr,
)
def test_a_wrong_argument_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidFilterError):
        Filter(**arguments)


def test_an_unknown_operator_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(UnsupportedFilterError, match=r"did you mean \$prefix"):
        Filter(metadata={"x": {"$prefx": "a"}})


def test_an_unknown_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="tag"):
        Filter(tag="work")  # type: ignore[call-arg]  # the mistake that is tested


def test_filters_combine() -> None:
    a, b = Filter(metadata={"x": 1}), Filter(tags=["t"])
    both, either, neither = a & b, a | b, ~a & ~b
    cases = {(1, "t"): (True, True, False), (1, "u"): (False, True, False), (2, "u"): (False, False, True)}
    for (value, tag), wanted in cases.items():
        entry = make_entry("a", metadata={"x": value}, tags=[tag])
        assert tuple(matches(each.node, entry) for each in (both, either, neither)) == wanted


def test_empty_means_everything_at_the_front_door_only() -> None:
    assert as_node(None) is EVERYTHING
    assert as_node({}) is EVERYTHING
    assert as_node(Filter()) is EVERYTHING
    assert not matches(Filter(tags=[]).node, make_entry("a", tags=["t"]))
    assert not matches(Filter(any_tags=[]).node, make_entry("a", tags=["t"]))


def test_every_spelling_lowers_to_the_same() -> None:
    node = Eq(X, 1)
    assert (
        as_node(node)
        == as_node(Filter.of(node))
        == as_node({"x": 1})
        == as_node(Filter(metadata={"x": 1}))
        == node
    )
    with pytest.raises(InvalidInputError):
        as_node("x = 1")  # type: ignore[arg-type]  # the mistake that is tested


@given(filters())
def test_a_filter_equals_its_copy_and_hashes_alike(node: FilterNode) -> None:
    one, other = Filter.of(node), Filter.of(node)
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other)


def test_filters_of_different_meaning_are_different() -> None:
    assert Filter(metadata={"x": True}) != Filter(metadata={"x": 1})
    assert Filter(metadata={"x": [0]}) != Filter(metadata={"x": [False]})
    assert Filter(metadata={"x": 1}) != {"x": 1}


def test_equal_filters_hash_alike() -> None:
    assert len({Filter(metadata={"x": 2}), Filter(metadata={"x": 2})}) == 1
    one, other = Filter(metadata={"x": 2}), Filter(metadata={"x": 2.0})
    assert one != other or hash(one) == hash(other)


def test_the_dict_form_comes_back() -> None:
    given_filter = Filter(
        tags=["a"], min_importance=0.3, created_after=MOMENT, metadata={"x": {"$in": [1, None]}}
    ) | ~Filter(session_id="s")
    assert Filter.from_dict(given_filter.to_dict()) == given_filter


def test_a_filter_without_dict_form_still_has_a_repr() -> None:
    assert "tags" in repr(Filter.of(Eq(TAGS, ["a"])))
