"""The base of compilers for backends that hold tokens and numeric fields."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterable, Sequence
from datetime import datetime
from typing import Literal, Self, TypeAlias, TypeVar

from axon.adapters._filters.tokens import (
    NEVER,
    element_token,
    eq_token,
    is_number,
    number_token,
    other_token,
)
from axon.core.clock import to_us
from axon.core.filter.ast import (
    TIME_FIELDS,
    And,
    Contains,
    Eq,
    Everything,
    Exists,
    Field,
    FilterValue,
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
    Ordered,
    Prefix,
    TextMatch,
)
from axon.core.filter.visitor import FilterVisitor
from axon.core.models import JsonValue

Op: TypeAlias = Literal["eq", "ne", "lt", "lte", "gt", "gte"]
ClauseT = TypeVar("ClauseT")

_OPS: dict[type[Ordered], Op] = {Lt: "lt", Lte: "lte", Gt: "gt", Gte: "gte"}
_INVERSE: dict[Op, Op] = {"eq": "ne", "ne": "eq", "lt": "gte", "lte": "gt", "gt": "lte", "gte": "lt"}


class TokenCompiler(FilterVisitor[ClauseT | bool]):
    """Turn a tree of supported predicates into the backend's clauses; True matches all, False none.

    Negation is carried down to the predicates, because a backend's own negation often forgets missing fields.

    Parameters
    ----------
    positive : False to compile the negation of what is visited.
    """

    def __init__(self, positive: bool = True) -> None:
        self._positive = positive

    @abstractmethod
    def has(self, token: str) -> ClauseT:
        """Ask that the entry has the token."""

    @abstractmethod
    def lacks(self, token: str) -> ClauseT:
        """Ask that the entry does not have the token."""

    @abstractmethod
    def compare(self, field: Field, op: Op, value: float) -> ClauseT:
        """Ask that the numeric field is there and compares so; entry fields are always there."""

    @abstractmethod
    def conjunction(self, clauses: list[ClauseT]) -> ClauseT:
        """All of at least two clauses."""

    @abstractmethod
    def disjunction(self, clauses: list[ClauseT]) -> ClauseT:
        """Any of at least two clauses."""

    def visit_everything(self, node: Everything) -> ClauseT | bool:
        """Match all."""
        return self._positive

    def visit_nothing(self, node: Nothing) -> ClauseT | bool:
        """Match none."""
        return not self._positive

    def visit_and(self, node: And) -> ClauseT | bool:
        """All children."""
        return self._join([self.visit(child) for child in node.children], self._positive)

    def visit_or(self, node: Or) -> ClauseT | bool:
        """At least one child."""
        return self._join([self.visit(child) for child in node.children], not self._positive)

    def visit_not(self, node: Not) -> ClauseT | bool:
        """Not the child."""
        return self._opposite().visit(node.child)

    def visit_eq(self, node: Eq) -> ClauseT | bool:
        """Equal."""
        return self._member(node.field, (node.value,), self._positive)

    def visit_ne(self, node: Ne) -> ClauseT | bool:
        """Missing or not equal."""
        return self._member(node.field, (node.value,), not self._positive)

    def visit_in(self, node: In) -> ClauseT | bool:
        """Equal to one of several."""
        return self._member(node.field, node.values, self._positive)

    def visit_nin(self, node: Nin) -> ClauseT | bool:
        """Missing or equal to none of several."""
        return self._member(node.field, node.values, not self._positive)

    def visit_lt(self, node: Lt) -> ClauseT | bool:
        """Below."""
        return self._ordered(node)

    def visit_lte(self, node: Lte) -> ClauseT | bool:
        """At most."""
        return self._ordered(node)

    def visit_gt(self, node: Gt) -> ClauseT | bool:
        """Above."""
        return self._ordered(node)

    def visit_gte(self, node: Gte) -> ClauseT | bool:
        """At least."""
        return self._ordered(node)

    def visit_exists(self, node: Exists) -> ClauseT | bool:
        """Present."""
        return self._present(node.field)

    def visit_is_empty(self, node: IsEmpty) -> ClauseT | bool:
        """Missing, null, empty string or empty list."""
        field = node.field
        if field.name in ("importance", "id") and not field.is_metadata:
            return not self._positive
        missing = self._opposite()._present(field)
        if field.name in TIME_FIELDS and not field.is_metadata:
            return missing
        nothings: tuple[JsonValue, ...] = (None, "", [])
        empty = [self._token(eq_token(field, value), self._positive) for value in nothings]
        return self._join([missing, *empty], not self._positive)

    def visit_contains(self, node: Contains) -> ClauseT | bool:
        """Hold any or all of several, as a list."""
        if (not node.field.is_metadata and node.field.name != "tags") or not node.values:
            return not self._positive
        tokens = _unique(element_token(node.field, each) for each in node.values)
        held = [self._token(token, self._positive) for token in tokens]
        return self._join(held, self._positive == (node.mode == "all"))

    def visit_prefix(self, node: Prefix) -> ClauseT | bool:
        """Start with a string: supported only where the field is never a string, so never true."""
        return not self._positive

    def visit_text_match(self, node: TextMatch) -> ClauseT | bool:
        """Contain a string: supported only where the field is never a string, so never true."""
        return not self._positive

    def _opposite(self) -> Self:
        return type(self)(not self._positive)

    def _token(self, token: str, wanted: bool) -> ClauseT:
        return self.has(token) if wanted else self.lacks(token)

    def _compare(self, field: Field, op: Op, value: float) -> ClauseT:
        return self.compare(field, op if self._positive else _INVERSE[op], value)

    def _present(self, field: Field) -> ClauseT | bool:
        if field.is_metadata:
            kinds = [number_token(field), other_token(field)]
            return self._join([self._token(kind, self._positive) for kind in kinds], not self._positive)
        if field.name == "session_id":
            return self._token(other_token(field), self._positive)
        return self._compare(field, "lt", NEVER) if field.name == "expires_at" else self._positive

    def _member(self, field: Field, values: Sequence[FilterValue], wanted: bool) -> ClauseT | bool:
        clauses: list[ClauseT | bool]
        if field.name in TIME_FIELDS and not field.is_metadata:
            moments = _unique(to_us(value) for value in values if isinstance(value, datetime))
            clauses = [self.compare(field, "eq" if wanted else "ne", us) for us in moments]
        elif field.name == "importance" and not field.is_metadata:
            numbers = _unique(float(value) for value in values if is_number(value) and 0 <= value <= 1)
            clauses = [self.compare(field, "eq" if wanted else "ne", number) for number in numbers]
        else:
            by_token = {eq_token(field, value): value for value in values}
            clauses = [self._equal(field, value, token, wanted) for token, value in by_token.items()]
        return self._join(clauses, not wanted)

    def _equal(self, field: Field, value: FilterValue, token: str, wanted: bool) -> ClauseT:
        """Ask that the field equals a value, which has this token, or that it does not or is missing."""
        return self._token(token, wanted)

    def _ordered(self, node: Ordered) -> ClauseT | bool:
        field, bound, op = node.field, node.value, _OPS[type(node)]
        if field.is_metadata:
            if not is_number(bound):
                return not self._positive
            ordered = self._compare(field, op, float(bound))
            return ordered if self._positive else self.disjunction([self.lacks(number_token(field)), ordered])
        if field.name == "importance" and is_number(bound):
            return self._compare(field, op, float(min(max(bound, -1), 2)))
        if field.name in TIME_FIELDS and isinstance(bound, datetime):
            ordered = self._compare(field, op, to_us(bound))
            if field.name == "expires_at" and op in ("gt", "gte"):
                return self._join([ordered, self._compare(field, "lt", NEVER)], self._positive)
            return ordered
        return not self._positive

    def _join(self, clauses: Sequence[ClauseT | bool], all_needed: bool) -> ClauseT | bool:
        """Combine, folding constants: ``all_needed`` for And, else Or."""
        kept: list[ClauseT] = []
        for clause in clauses:
            if isinstance(clause, bool):
                if clause is not all_needed:
                    return clause
            else:
                kept.append(clause)
        if not kept:
            return all_needed
        if len(kept) == 1:
            return kept[0]
        return self.conjunction(kept) if all_needed else self.disjunction(kept)


T = TypeVar("T", bound=Hashable)


def _unique(values: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(values))
