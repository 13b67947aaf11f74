"""The filter tree: a closed set of immutable nodes.

``And``, ``Or``, ``Not``, ``EVERYTHING`` and ``NOTHING`` combine; every other node is one predicate on one
field. What a predicate means is defined by :mod:`axon.core.filter.evaluate`, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from axon.core.models import JsonValue

FilterValue: TypeAlias = JsonValue | datetime
"""A JSON value, or an aware datetime on the three time fields."""

TIME_FIELDS = frozenset({"created_at", "updated_at", "expires_at"})
RESERVED_FIELDS = frozenset({"tags", "importance", "tier", "session_id", "id"}) | TIME_FIELDS


@dataclass(frozen=True, slots=True)
class Field:
    """What a predicate looks at: a field of the entry, or one key of the user's metadata.

    Attributes
    ----------
    name : name of the entry's field, or the literal metadata key (dots included).
    is_metadata : True for a metadata key.
    """

    name: str
    is_metadata: bool = False

    @classmethod
    def parse(cls, key: str) -> Field:
        """Read a key of the dict form: reserved names are entry fields, ``metadata.x`` and the rest are the user's."""
        if key in RESERVED_FIELDS:
            return cls(key)
        return cls(key.removeprefix("metadata."), is_metadata=True)

    def __str__(self) -> str:
        return f"metadata.{self.name}" if self.is_metadata else self.name


class FilterNode:
    """Base of all nodes; combines with ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def __and__(self, other: FilterNode) -> FilterNode:
        return all_of((self, other))

    def __or__(self, other: FilterNode) -> FilterNode:
        return any_of((self, other))

    def __invert__(self) -> FilterNode:
        return negate(self)


@dataclass(frozen=True, slots=True)
class Everything(FilterNode):
    """Matches every entry."""


@dataclass(frozen=True, slots=True)
class Nothing(FilterNode):
    """Matches no entry."""


EVERYTHING = Everything()
NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class And(FilterNode):
    """All children match; at least two. Build with :func:`all_of`."""

    children: tuple[FilterNode, ...]


@dataclass(frozen=True, slots=True)
class Or(FilterNode):
    """At least one child matches; at least two. Build with :func:`any_of`."""

    children: tuple[FilterNode, ...]


@dataclass(frozen=True, slots=True)
class Not(FilterNode):
    """The child does not match. Build with :func:`negate`."""

    child: FilterNode


@dataclass(frozen=True, slots=True)
class Predicate(FilterNode):
    """One test of one field."""

    field: Field


@dataclass(frozen=True, slots=True)
class Eq(Predicate):
    """The field equals ``value``; lists and objects compare whole."""

    value: FilterValue


@dataclass(frozen=True, slots=True)
class Ne(Predicate):
    """The field is missing or differs from ``value``."""

    value: FilterValue


@dataclass(frozen=True, slots=True)
class Ordered(Predicate):
    """Base of the four order comparisons."""

    value: FilterValue


@dataclass(frozen=True, slots=True)
class Lt(Ordered):
    """The field is below ``value``."""


@dataclass(frozen=True, slots=True)
class Lte(Ordered):
    """The field is at most ``value``."""


@dataclass(frozen=True, slots=True)
class Gt(Ordered):
    """The field is above ``value``."""


@dataclass(frozen=True, slots=True)
class Gte(Ordered):
    """The field is at least ``value``."""


@dataclass(frozen=True, slots=True)
class In(Predicate):
    """The field equals one of ``values``; an empty tuple matches nothing."""

    values: tuple[FilterValue, ...]


@dataclass(frozen=True, slots=True)
class Nin(Predicate):
    """The field is missing or equals none of ``values``; an empty tuple matches everything."""

    values: tuple[FilterValue, ...]


@dataclass(frozen=True, slots=True)
class Exists(Predicate):
    """The field is present, a null included."""


@dataclass(frozen=True, slots=True)
class IsEmpty(Predicate):
    """The field is missing, null, ``""`` or ``[]``."""


@dataclass(frozen=True, slots=True)
class Contains(Predicate):
    """The field is a list that holds any or all of ``values``; an empty tuple matches nothing."""

    values: tuple[FilterValue, ...]
    mode: Literal["any", "all"] = "all"


@dataclass(frozen=True, slots=True)
class Prefix(Predicate):
    """The field is a string that starts with ``value``."""

    value: str


@dataclass(frozen=True, slots=True)
class TextMatch(Predicate):
    """The field is a string that contains ``value``; case-insensitive means ``lower()`` on both sides."""

    value: str
    case_sensitive: bool = True


def all_of(children: Iterable[FilterNode]) -> FilterNode:
    """Conjunction in normal form: flattened, without ``Everything``; ``Nothing`` wins; empty, it is ``Everything``."""
    flat: list[FilterNode] = []
    for child in children:
        if isinstance(child, Nothing):
            return NOTHING
        for part in child.children if isinstance(child, And) else (child,):
            if not isinstance(part, Everything):
                flat.append(part)
    return And(tuple(flat)) if len(flat) > 1 else flat[0] if flat else EVERYTHING


def any_of(children: Iterable[FilterNode]) -> FilterNode:
    """Disjunction in normal form: flattened, without ``Nothing``; ``Everything`` wins; empty, it is ``Nothing``."""
    flat: list[FilterNode] = []
    for child in children:
        if isinstance(child, Everything):
            return EVERYTHING
        for part in child.children if isinstance(child, Or) else (child,):
            if not isinstance(part, Nothing):
                flat.append(part)
    return Or(tuple(flat)) if len(flat) > 1 else flat[0] if flat else NOTHING


def negate(child: FilterNode) -> FilterNode:
    """Negation in normal form: double negation and negated constants vanish."""
    if isinstance(child, Everything):
        return NOTHING
    if isinstance(child, Nothing):
        return EVERYTHING
    return child.child if isinstance(child, Not) else Not(child)
