"""The base of every filter compiler: one abstract method per node, so that none can be forgotten."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Generic, TypeVar

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
    Prefix,
    TextMatch,
)

ResultT = TypeVar("ResultT")


class Support(StrEnum):
    """What a backend does with a kind of node."""

    SUPPORTED = "supported"
    RESIDUAL = "residual"
    UNSUPPORTED = "unsupported"


PREDICATES: tuple[type[FilterNode], ...] = (
    Eq, Ne, Lt, Lte, Gt, Gte, In, Nin, Exists, IsEmpty, Contains, Prefix, TextMatch,
)  # fmt: skip


class FilterVisitor(ABC, Generic[ResultT]):
    """Turn a tree into something else, node by node."""

    def visit(self, node: FilterNode) -> ResultT:
        """Dispatch on the type of ``node``.

        Raises
        ------
        UnsupportedFilterError
            If ``node`` is none of the closed set.
        """
        name = _METHOD_NAMES.get(type(node))
        if name is None:
            raise UnsupportedFilterError(f"{type(node).__name__} is not a filter node")
        method: Callable[[FilterNode], ResultT] = getattr(self, f"visit_{name}")
        return method(node)

    @abstractmethod
    def visit_everything(self, node: Everything) -> ResultT:
        """Match all."""

    @abstractmethod
    def visit_nothing(self, node: Nothing) -> ResultT:
        """Match none."""

    @abstractmethod
    def visit_and(self, node: And) -> ResultT:
        """All children."""

    @abstractmethod
    def visit_or(self, node: Or) -> ResultT:
        """At least one child."""

    @abstractmethod
    def visit_not(self, node: Not) -> ResultT:
        """Not the child."""

    @abstractmethod
    def visit_eq(self, node: Eq) -> ResultT:
        """Equal."""

    @abstractmethod
    def visit_ne(self, node: Ne) -> ResultT:
        """Missing or not equal."""

    @abstractmethod
    def visit_lt(self, node: Lt) -> ResultT:
        """Below."""

    @abstractmethod
    def visit_lte(self, node: Lte) -> ResultT:
        """At most."""

    @abstractmethod
    def visit_gt(self, node: Gt) -> ResultT:
        """Above."""

    @abstractmethod
    def visit_gte(self, node: Gte) -> ResultT:
        """At least."""

    @abstractmethod
    def visit_in(self, node: In) -> ResultT:
        """Equal to one of several."""

    @abstractmethod
    def visit_nin(self, node: Nin) -> ResultT:
        """Missing or equal to none of several."""

    @abstractmethod
    def visit_exists(self, node: Exists) -> ResultT:
        """Present."""

    @abstractmethod
    def visit_is_empty(self, node: IsEmpty) -> ResultT:
        """Missing, null, empty string or empty list."""

    @abstractmethod
    def visit_contains(self, node: Contains) -> ResultT:
        """Hold any or all of several, as a list."""

    @abstractmethod
    def visit_prefix(self, node: Prefix) -> ResultT:
        """Start with a string."""

    @abstractmethod
    def visit_text_match(self, node: TextMatch) -> ResultT:
        """Contain a string."""


_METHOD_NAMES: dict[type[FilterNode], str] = {
    Everything: "everything", Nothing: "nothing", And: "and", Or: "or", Not: "not",
    Eq: "eq", Ne: "ne", Lt: "lt", Lte: "lte", Gt: "gt", Gte: "gte", In: "in", Nin: "nin",
    Exists: "exists", IsEmpty: "is_empty", Contains: "contains", Prefix: "prefix", TextMatch: "text_match",
}  # fmt: skip
