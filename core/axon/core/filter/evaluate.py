"""What a filter means. Every backend's compiler is proven against this file.

A predicate is a function of one field's value, so :func:`holds` is the whole meaning; :func:`satisfies`
only adds And, Or and Not. ``MISSING`` stands for an absent metadata key and for an entry field that is None.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import ge, gt, le, lt
from typing import Any, Final

from axon.core.errors import UnsupportedFilterError
from axon.core.filter.ast import (
    And,
    Contains,
    Eq,
    Everything,
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
    Nothing,
    Or,
    Ordered,
    Predicate,
    Prefix,
    TextMatch,
)
from axon.core.models import MemoryEntry


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_ORDER: dict[type[Ordered], Callable[[Any, Any], bool]] = {Lt: lt, Lte: le, Gt: gt, Gte: ge}


def matches(node: FilterNode, entry: MemoryEntry) -> bool:
    """Tell whether ``entry`` satisfies ``node``.

    The field ``tier`` is read from ``entry.tier``, the tier the entry was read from.
    """
    return satisfies(node, lambda field: field_value(field, entry))


def satisfies(node: FilterNode, read: Callable[[Field], Any]) -> bool:
    """Tell whether ``node`` is true of what ``read`` gives for each field: its value, or ``MISSING``."""
    if isinstance(node, Predicate):
        return holds(node, read(node.field))
    if isinstance(node, And):
        return all(satisfies(child, read) for child in node.children)
    if isinstance(node, Or):
        return any(satisfies(child, read) for child in node.children)
    if isinstance(node, Not):
        return not satisfies(node.child, read)
    if isinstance(node, Everything):
        return True
    if isinstance(node, Nothing):
        return False
    raise UnsupportedFilterError(f"{type(node).__name__} is not a filter node")


def field_value(field: Field, entry: MemoryEntry) -> Any:
    """Read a field of an entry; ``MISSING`` for an absent metadata key and for an entry field that is None."""
    if field.is_metadata:
        return entry.record.metadata.get(field.name, MISSING)
    value = getattr(entry, field.name)
    if value is None:
        return MISSING
    return str(value) if field.name == "tier" else value


def holds(predicate: Predicate, value: Any) -> bool:
    """Tell whether ``predicate`` is true of one value, which may be ``MISSING``; never raises on any value."""
    match predicate:
        case Eq(value=wanted):
            return equal(value, wanted)
        case Ne(value=wanted):
            return not equal(value, wanted)
        case In(values=wanted):
            return any(equal(value, each) for each in wanted)
        case Nin(values=wanted):
            return not any(equal(value, each) for each in wanted)
        case Ordered(value=bound):
            return _comparable(value, bound) and _ORDER[type(predicate)](value, bound)
        case Exists():
            return value is not MISSING
        case IsEmpty():
            return value is MISSING or value is None or (isinstance(value, str | list) and not value)
        case Contains(values=wanted, mode=mode):
            return isinstance(value, list) and _contains(value, wanted, mode)
        case Prefix(value=start):
            return isinstance(value, str) and value.startswith(start)
        case TextMatch(value=part, case_sensitive=True):
            return isinstance(value, str) and part in value
        case TextMatch(value=part):
            return isinstance(value, str) and part.lower() in value.lower()
    raise UnsupportedFilterError(f"{type(predicate).__name__} is not a filter predicate")


def equal(left: Any, right: Any) -> bool:
    """JSON equality: 2 is 2.0, True is not 1 (at any depth), a missing field equals nothing."""
    if left is MISSING or right is MISSING:
        return False
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    return bool(left == right)


def _contains(elements: list[Any], wanted: tuple[Any, ...], mode: str) -> bool:
    found = (any(equal(element, each) for element in elements) for each in wanted)
    return any(found) if mode == "any" else bool(wanted) and all(found)


def _comparable(left: Any, right: Any) -> bool:
    """Tell whether order is defined: two numbers (no booleans), two strings, or two times."""
    for kind in (int | float, str, datetime):
        if isinstance(left, kind) and isinstance(right, kind):
            return not isinstance(left, bool) and not isinstance(right, bool)
    return False
