"""The base of filter compilers: none can forget a node, none is asked about what is no node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given

from axon.core.errors import UnsupportedFilterError
from axon.core.filter.ast import (
    And,
    Contains,
    Eq,
    Everything,
    Exists,
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
    Nothing,
    Or,
    Predicate,
    Prefix,
    TextMatch,
)
from axon.core.filter.visitor import PREDICATES, FilterVisitor
from axon.testing.filter_cases import X
from axon.testing.generate import KINDS
from axon.testing.strategies import filters

METHODS = sorted(FilterVisitor.__abstractmethods__)
NODES = (Everything, Nothing, And, Or, Not, *PREDICATES)


class Names(FilterVisitor[str]):
    """Writes a tree down; every method is its own."""

    def visit_everything(self, node: Everything) -> str:
        return "Everything"

    def visit_nothing(self, node: Nothing) -> str:
        return "Nothing"

    def visit_and(self, node: And) -> str:
        return f"And({','.join(map(self.visit, node.children))})"

    def visit_or(self, node: Or) -> str:
        return f"Or({','.join(map(self.visit, node.children))})"

    def visit_not(self, node: Not) -> str:
        return f"Not({self.visit(node.child)})"

    def visit_eq(self, node: Eq) -> str:
        return "Eq"

    def visit_ne(self, node: Ne) -> str:
        return "Ne"

    def visit_lt(self, node: Lt) -> str:
        return "Lt"

    def visit_lte(self, node: Lte) -> str:
        return "Lte"

    def visit_gt(self, node: Gt) -> str:
        return "Gt"

    def visit_gte(self, node: Gte) -> str:
        return "Gte"

    def visit_in(self, node: In) -> str:
        return "In"

    def visit_nin(self, node: Nin) -> str:
        return "Nin"

    def visit_exists(self, node: Exists) -> str:
        return "Exists"

    def visit_is_empty(self, node: IsEmpty) -> str:
        return "IsEmpty"

    def visit_contains(self, node: Contains) -> str:
        return "Contains"

    def visit_prefix(self, node: Prefix) -> str:
        return "Prefix"

    def visit_text_match(self, node: TextMatch) -> str:
        return "TextMatch"


def named(node: FilterNode) -> str:
    name = type(node).__name__
    if isinstance(node, And | Or):
        return f"{name}({','.join(map(named, node.children))})"
    return f"{name}({named(node.child)})" if isinstance(node, Not) else name


@given(filters(tier=True))
def test_each_node_reaches_its_own_method(node: FilterNode) -> None:
    assert Names().visit(node) == named(node)


def test_there_is_one_method_per_node() -> None:
    assert len(METHODS) == len(NODES)
    assert set(PREDICATES) == set(KINDS)


@pytest.mark.parametrize("method", METHODS)
def test_a_compiler_that_forgets_a_node_cannot_be_made(method: str) -> None:
    body = {name: getattr(Names, name) for name in METHODS if name != method}
    forgetful: Any = type("Forgetful", (FilterVisitor,), body)
    with pytest.raises(TypeError, match=method):
        forgetful()


def test_a_node_from_outside_the_closed_set_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Near(Predicate):
        pass

    with pytest.raises(UnsupportedFilterError, match="Near"):
        Names().visit(Near(X))


def test_a_subclass_of_a_compiler_uses_its_own_methods() -> None:
    class Louder(Names):
        def visit_eq(self, node: Eq) -> str:
            return "EQ"

    assert Names().visit(Eq(X, 1)) == "Eq"
    assert Louder().visit(Eq(X, 1)) == "EQ"
    assert Names().visit(Eq(X, 1)) == "Eq"
