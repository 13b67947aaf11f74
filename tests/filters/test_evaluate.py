"""The evaluator defines what a filter means; these are the cases the definition was written from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.errors import UnsupportedFilterError
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
    Predicate,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.evaluate import MISSING, equal, field_value, holds, matches
from axon.core.models import MemoryEntry, Tier
from axon.testing.entries import START_US, make_entry
from axon.testing.filter_cases import ABSENT, FIXED_CASES, FilterCase, X
from axon.testing.generate import KINDS
from axon.testing.strategies import any_json, corpora, filters, predicates

TAGS, IMPORTANCE, SESSION, ID, TIER = map(Field, ("tags", "importance", "session_id", "id", "tier"))
CREATED, UPDATED, EXPIRES = map(Field, ("created_at", "updated_at", "expires_at"))
NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def holding(value: Any) -> MemoryEntry:
    return make_entry("a", metadata={} if value is ABSENT else {"x": value})


@pytest.mark.parametrize("case", FIXED_CASES, ids=str)
def test_fixed_case(case: FilterCase) -> None:
    assert matches(case.predicate, holding(case.value)) is case.answer
    assert matches(Not(case.predicate), holding(case.value)) is not case.answer


def test_the_fixed_cases_cover_every_predicate_both_ways() -> None:
    for kind in KINDS:
        answers = {case.answer for case in FIXED_CASES if isinstance(case.predicate, kind)}
        assert answers == {True, False}, kind.__name__


@pytest.mark.parametrize(
    ("node", "answer"),
    [
        (Contains(TAGS, ("a",)), True),
        (Contains(TAGS, ("a", "b")), True),
        (Contains(TAGS, ("a", "c")), False),
        (Contains(TAGS, ("a", "c"), "any"), True),
        (Contains(TAGS, ()), False),
        (Eq(TAGS, ["b", "a"]), True),
        (Eq(TAGS, ["a", "b"]), False),
        (IsEmpty(TAGS), False),
        (Exists(TAGS), True),
        (Gte(IMPORTANCE, 0.5), True),
        (Gt(IMPORTANCE, 0.5), False),
        (Eq(IMPORTANCE, True), False),
        (Eq(SESSION, "s"), True),
        (In(ID, ("a", "z")), True),
        (Prefix(ID, "a"), True),
        (Eq(CREATED, NOW), True),
        (Eq(CREATED, NOW.astimezone(timezone(timedelta(hours=5)))), True),
        (Lt(CREATED, NOW + timedelta(microseconds=1)), True),
        (Gt(CREATED, NOW), False),
        (Gt(CREATED, "2020-01-01"), False),
        (Lt(CREATED, START_US), False),
        (Lte(UPDATED, NOW), True),
        (Exists(EXPIRES), False),
        (IsEmpty(EXPIRES), True),
        (Lt(EXPIRES, NOW), False),
        (Ne(EXPIRES, NOW), True),
        (Nin(EXPIRES, (NOW,)), True),
        (Eq(TIER, "session"), True),
        (In(TIER, ("ephemeral", "session")), True),
        (Ne(TIER, "persistent"), True),
        (Eq(Field("tags", is_metadata=True), "mine"), True),
        (Contains(Field("tags", is_metadata=True), ("a",)), False),
    ],
    ids=str,
)
def test_fields_of_the_entry(node: FilterNode, answer: bool) -> None:
    entry = make_entry("a", tags=["b", "a"], importance=0.5, session_id="s", metadata={"tags": "mine"})
    entry.tier = Tier.SESSION
    assert matches(node, entry) is answer


@pytest.mark.parametrize("field", [SESSION, EXPIRES, TIER, Field("absent", is_metadata=True)], ids=str)
def test_a_field_that_is_none_is_missing(field: Field) -> None:
    assert field_value(field, make_entry("a")) is MISSING


def test_a_null_of_the_user_is_not_missing() -> None:
    assert field_value(X, holding(None)) is None


@pytest.mark.parametrize(
    "predicate", [Eq(X, 1), Lt(X, 1), Contains(X, (1,)), TextMatch(X, "a"), Prefix(X, "a")], ids=str
)
def test_missing_and_null_decide_alike_where_neither_can_be_true(predicate: Predicate) -> None:
    assert holds(predicate, MISSING) is holds(predicate, None) is False


@pytest.mark.parametrize("one", [True, False])
@pytest.mark.parametrize("other", [True, False])
def test_combinations_are_those_of_logic(one: bool, other: bool) -> None:
    left, right = Eq(X, 1) if one else Eq(X, 2), Gt(X, 0) if other else Gt(X, 5)
    entry = holding(1)
    assert matches(And((left, right)), entry) is (one and other)
    assert matches(Or((left, right)), entry) is (one or other)
    assert matches(Not(left), entry) is not one


def test_the_constants() -> None:
    assert matches(EVERYTHING, holding(1)) is True
    assert matches(NOTHING, holding(1)) is False


@given(filters(tier=True), filters(tier=True), corpora(max_size=6))
def test_normal_form_keeps_the_meaning(
    left: FilterNode, right: FilterNode, entries: list[MemoryEntry]
) -> None:
    for entry in entries:
        a, b = matches(left, entry), matches(right, entry)
        assert matches(all_of((left, right)), entry) is (a and b)
        assert matches(any_of((left, right)), entry) is (a or b)
        assert matches(negate(left), entry) is not a
        assert matches(left & right, entry) is (a and b)
        assert matches(left | right, entry) is (a or b)
        assert matches(~left, entry) is not a


@given(filters(tier=True), filters(tier=True))
def test_normal_form_is_flat(left: FilterNode, right: FilterNode) -> None:
    for node, kind in ((all_of((left, right, left)), And), (any_of((left, right, left)), Or)):
        if isinstance(node, kind):
            assert len(node.children) >= 2
            assert not any(
                isinstance(child, kind | type(EVERYTHING) | type(NOTHING)) for child in node.children
            )
    inverse = negate(left)
    assert not (isinstance(inverse, Not) and isinstance(inverse.child, Not))


@given(predicates(tier=True), any_json)
def test_no_value_makes_a_predicate_raise(predicate: Predicate, value: Any) -> None:
    assert holds(predicate, value) in (True, False)
    assert holds(predicate, MISSING) in (True, False)


@given(any_json, any_json)
def test_equality_is_symmetric_and_reflexive(left: Any, right: Any) -> None:
    assert equal(left, left)
    assert equal(left, right) is equal(right, left)


@given(st.booleans(), st.integers(0, 1) | st.sampled_from((0.0, 1.0)))
def test_booleans_equal_no_number_at_any_depth(truth: bool, number: float) -> None:
    for wrap in (lambda v: v, lambda v: [v], lambda v: {"k": [v]}):
        assert not equal(wrap(truth), wrap(number))


def test_what_is_no_node_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Like(FilterNode):
        pass

    @dataclass(frozen=True, slots=True)
    class Near(Predicate):
        pass

    with pytest.raises(UnsupportedFilterError, match="Like"):
        matches(Like(), holding(1))
    with pytest.raises(UnsupportedFilterError, match="Near"):
        holds(Near(X), 1)
