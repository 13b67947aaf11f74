"""Splitting between a backend and Python: together exact, apart never too narrow."""

from __future__ import annotations

import random
from collections.abc import Callable

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
    Field,
    FilterNode,
    Gt,
    In,
    Ne,
    Not,
    Or,
    Predicate,
    TextMatch,
    all_of,
    any_of,
)
from axon.core.filter.evaluate import matches
from axon.core.filter.residual import CompiledFilter, bind_tier, split
from axon.core.filter.visitor import Support
from axon.core.models import MemoryEntry, Tier
from axon.testing.filter_cases import X
from axon.testing.generate import KINDS
from axon.testing.strategies import corpora, filters

TIER = Field("tier")
A, B, C = Eq(X, 1), Gt(X, 0), TextMatch(X, "a")


def checked(*residual: type[Predicate]) -> Callable[[Predicate], Support]:
    """Support everything but some kinds of node."""
    return lambda predicate: Support.RESIDUAL if isinstance(predicate, residual) else Support.SUPPORTED


def random_support(seed: int) -> Callable[[Predicate], Support]:
    """Decide by kind and field, as real backends do, in a random but fixed way."""
    table: dict[tuple[str, str], Support] = {}
    dice = random.Random(seed)
    share = dice.choice((0.2, 0.5, 0.8))

    def support(predicate: Predicate) -> Support:
        key = type(predicate).__name__, str(predicate.field)
        return table.setdefault(key, Support.SUPPORTED if dice.random() < share else Support.RESIDUAL)

    return support


def predicates_in(node: FilterNode) -> list[Predicate]:
    if isinstance(node, And | Or):
        return [found for child in node.children for found in predicates_in(child)]
    if isinstance(node, Not):
        return predicates_in(node.child)
    return [node] if isinstance(node, Predicate) else []


@given(st.data(), corpora(), st.integers(0, 2**32))
def test_the_parts_together_are_the_whole(data: st.DataObject, entries: list[MemoryEntry], seed: int) -> None:
    node = data.draw(filters(entries))
    support = random_support(seed)
    native, residual = split(node, support)
    for entry in entries:
        wanted = matches(node, entry)
        assert (matches(native, entry) and matches(residual, entry)) is wanted
        assert matches(native, entry) or not wanted, "the native part let less through than the filter"
    assert all(support(predicate) is Support.SUPPORTED for predicate in predicates_in(native))


@given(filters())
def test_what_is_supported_whole_leaves_nothing_to_check(node: FilterNode) -> None:
    assert split(node, lambda predicate: Support.SUPPORTED) == (node, EVERYTHING)


@given(filters())
def test_where_nothing_is_supported_everything_is_fetched(node: FilterNode) -> None:
    native, residual = split(node, lambda predicate: Support.RESIDUAL)
    assert predicates_in(native) == []
    assert residual == (node if predicates_in(node) else EVERYTHING)


@pytest.mark.parametrize(
    ("node", "native", "residual"),
    [
        (A, A, EVERYTHING),
        (C, EVERYTHING, C),
        (And((A, C)), A, C),
        (And((A, B, C)), And((A, B)), C),
        (Or((A, B)), Or((A, B)), EVERYTHING),
        (Or((A, C)), EVERYTHING, Or((A, C))),
        (Or((And((A, C)), B)), Or((A, B)), Or((And((A, C)), B))),
        (Not(A), Not(A), EVERYTHING),
        (Not(C), EVERYTHING, Not(C)),
        (Not(And((A, C))), EVERYTHING, Not(And((A, C)))),
        (And((A, Not(Or((B, C))))), A, Not(Or((B, C)))),
        (EVERYTHING, EVERYTHING, EVERYTHING),
        (NOTHING, NOTHING, EVERYTHING),
    ],
    ids=str,
)
def test_a_split(node: FilterNode, native: FilterNode, residual: FilterNode) -> None:
    assert split(node, checked(TextMatch)) == (native, residual)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(node=filters())
def test_what_is_not_supported_is_an_error_wherever_it_stands(
    kind: type[Predicate], node: FilterNode
) -> None:
    def support(predicate: Predicate) -> Support:
        return Support.UNSUPPORTED if isinstance(predicate, kind) else Support.RESIDUAL

    if any(isinstance(predicate, kind) for predicate in predicates_in(node)):
        with pytest.raises(UnsupportedFilterError, match=kind.__name__):
            split(node, support)
    else:
        split(node, support)


def test_an_unsupported_part_is_found_behind_a_residual_one() -> None:
    answers = {TextMatch: Support.RESIDUAL, Gt: Support.UNSUPPORTED}
    for node in (And((C, B)), Or((C, B)), Not(Or((C, B))), And((A, Or((C, B))))):
        with pytest.raises(UnsupportedFilterError, match="Gt"):
            split(node, lambda predicate: answers.get(type(predicate), Support.SUPPORTED))


@given(st.data(), corpora(max_size=6), st.sampled_from(Tier))
def test_binding_a_tier_means_what_the_tier_means(
    data: st.DataObject, entries: list[MemoryEntry], tier: Tier
) -> None:
    node = data.draw(filters(entries, tier=True))
    bound = bind_tier(node, tier)
    assert all(predicate.field != TIER for predicate in predicates_in(bound))
    for entry in entries:
        entry.tier = tier
        assert matches(bound, entry) is matches(node, entry)


@pytest.mark.parametrize(
    ("node", "bound"),
    [
        (Eq(TIER, "session"), EVERYTHING),
        (Eq(TIER, "persistent"), NOTHING),
        (Ne(TIER, "session"), NOTHING),
        (In(TIER, ("ephemeral", "session")), EVERYTHING),
        (Not(Eq(TIER, "session")), NOTHING),
        (all_of([Eq(TIER, "session"), A]), A),
        (all_of([Eq(TIER, "persistent"), A]), NOTHING),
        (any_of([Eq(TIER, "persistent"), A]), A),
        (Eq(Field("tier", is_metadata=True), "x"), Eq(Field("tier", is_metadata=True), "x")),
        (Contains(Field("tags"), ("tier",)), Contains(Field("tags"), ("tier",))),
    ],
    ids=str,
)
def test_binding_folds_constants(node: FilterNode, bound: FilterNode) -> None:
    assert bind_tier(node, "session") == bound


def test_a_compiled_filter_is_exact_unless_it_says_otherwise() -> None:
    assert CompiledFilter("native").residual is EVERYTHING
