"""The dict spelling of filters, in both directions.

Several keys or several operators in one dict mean And. A bare value is ``$eq``, except on ``tags``, where a
bare string or list means "has all of them" and ``$in``/``$nin`` mean any or none of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TypeAlias

from axon.core.errors import InvalidFilterError, InvalidInputError, UnsupportedFilterError
from axon.core.filter.ast import (
    EVERYTHING,
    TIME_FIELDS,
    And,
    Contains,
    Eq,
    Exists,
    Field,
    FilterNode,
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
    Or,
    Predicate,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.models import Tier, copy_json_object

MAX_DEPTH = 60
"""Levels of nesting that are read; far beyond any real filter, far below Python's recursion limit."""

_TAGS = Field("tags")

ConditionReader: TypeAlias = Callable[[str, Any], FilterNode]
"""Reads one key that is no ``$`` word, and what stands behind it."""


def parse_filter(source: Mapping[str, Any], read: ConditionReader | None = None) -> FilterNode:
    """Read the dict form.

    Parameters
    ----------
    source : keys are field names or ``$and``, ``$or``, ``$not``; an empty mapping matches everything.
    read : gives the meaning of a key and its operand, where they are not an entry's field and a condition on it.

    Raises
    ------
    UnsupportedFilterError
        For an unknown ``$`` word; the message names the nearest known one.
    InvalidFilterError
        For operands of the wrong shape.
    """
    if not isinstance(source, Mapping):
        raise InvalidFilterError(f"a filter must be a Filter or a dict, not {type(source).__name__}")
    return _parse_object(source, 0, read or _read_condition)


def _parse_object(source: Mapping[str, Any], depth: int, read: ConditionReader) -> FilterNode:
    if depth > MAX_DEPTH:
        raise InvalidFilterError(f"a filter may be nested {MAX_DEPTH} levels deep")
    return all_of([_parse_item(key, operand, depth, read) for key, operand in source.items()])


def _parse_item(key: str, operand: Any, depth: int, read: ConditionReader) -> FilterNode:
    if not isinstance(key, str):
        raise InvalidFilterError(f"filter keys must be strings, not {key!r}")
    if not key.startswith("$"):
        return read(key, operand)
    if key in ("$and", "$or"):
        children = [_parse_child(key, child, depth, read) for child in _operands(key, operand)]
        return all_of(children) if key == "$and" else any_of(children)
    if key == "$not":
        return negate(_parse_child(key, operand, depth, read))
    raise _unknown_operator(key)


def _read_condition(key: str, operand: Any) -> FilterNode:
    return parse_condition(Field.parse(key), operand)


def _parse_child(key: str, child: Any, depth: int, read: ConditionReader) -> FilterNode:
    if not isinstance(child, Mapping) or not child:
        raise InvalidFilterError(f"{key} takes non-empty filter dicts, not {child!r}")
    return _parse_object(child, depth + 1, read)


def _operands(key: str, operand: Any) -> list[Any]:
    if not isinstance(operand, list | tuple) or not operand:
        raise InvalidFilterError(f"{key} takes a non-empty list of filters")
    return list(operand)


def parse_condition(field: Field, operand: Any) -> FilterNode:
    """Read what stands behind one field: an operator dict, or a bare value."""
    if isinstance(operand, Mapping) and any(isinstance(key, str) and key.startswith("$") for key in operand):
        return all_of([_parse_operator(field, word, value) for word, value in operand.items()])
    if isinstance(operand, Mapping) and not operand and field.is_metadata is False:
        raise InvalidFilterError(f"{field} has an empty condition; leave it out to match everything")
    return _parse_operator(field, "$eq", operand)


def _parse_operator(field: Field, word: str, operand: Any) -> FilterNode:
    reader = _OPERATORS.get(word)
    if reader is None:
        raise _unknown_operator(word)
    return reader(field, operand, word)


def filter_value(field: Field, value: Any) -> FilterValue:
    """Check one operand: JSON for most fields; on a time field an ISO string, epoch seconds or a datetime.

    Raises
    ------
    InvalidFilterError
        If the value is neither.
    """
    if not field.is_metadata and field.name in TIME_FIELDS:
        return _time_value(field, value)
    if isinstance(value, Tier):
        value = str(value)
    try:
        return copy_json_object({"value": value})["value"]
    except InvalidInputError as error:
        raise InvalidFilterError(f"filter on {field}: {error}") from error


def _time_value(field: Field, value: Any) -> datetime:
    try:
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            value = datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidFilterError(f"filter on {field}: {value!r} is not a time ({error})") from error
    raise InvalidFilterError(
        f"filter on {field} needs an ISO string, epoch seconds or a datetime, not {value!r}"
    )


def filter_values(field: Field, values: Any, word: str) -> tuple[FilterValue, ...]:
    """Check a list operand."""
    if not isinstance(values, list | tuple | set | frozenset):
        raise InvalidFilterError(f"{word} on {field} needs a list, not {values!r}")
    return tuple(filter_value(field, value) for value in values)


Reader = Callable[[Field, Any, str], FilterNode]


def _equality(field: Field, operand: Any, word: str) -> FilterNode:
    if field == _TAGS:
        values = operand if isinstance(operand, list | tuple | set | frozenset) else [operand]
        return Contains(field, filter_values(field, values, word), "all")
    if isinstance(operand, tuple):
        operand = list(operand)
    return Eq(field, filter_value(field, operand))


def _inequality(field: Field, operand: Any, word: str) -> FilterNode:
    if field == _TAGS:
        return negate(_equality(field, operand, word))
    return Ne(field, filter_value(field, operand))


def _membership(field: Field, operand: Any, word: str) -> FilterNode:
    values = filter_values(field, operand, word)
    return Contains(field, values, "any") if field == _TAGS else In(field, values)


def _non_membership(field: Field, operand: Any, word: str) -> FilterNode:
    values = filter_values(field, operand, word)
    return negate(Contains(field, values, "any")) if field == _TAGS else Nin(field, values)


def _existence(field: Field, operand: Any, word: str) -> FilterNode:
    return _switch(Exists(field), operand, word)


def _emptiness(field: Field, operand: Any, word: str) -> FilterNode:
    return _switch(IsEmpty(field), operand, word)


def _switch(node: FilterNode, operand: Any, word: str) -> FilterNode:
    if not isinstance(operand, bool):
        raise InvalidFilterError(f"{word} takes true or false, not {operand!r}")
    return node if operand else negate(node)


def _ordered(kind: type[Lt] | type[Lte] | type[Gt] | type[Gte]) -> Reader:
    return lambda field, operand, word: kind(field, filter_value(field, operand))


def _text(field: Field, operand: Any, word: str) -> str:
    if not isinstance(operand, str):
        raise InvalidFilterError(f"{word} on {field} needs a string, not {operand!r}")
    return str(filter_value(Field(field.name, is_metadata=True), operand))


def _contains_one(field: Field, operand: Any, word: str) -> FilterNode:
    return Contains(field, (filter_value(field, operand),), "all")


_OPERATORS: dict[str, Reader] = {
    "$eq": _equality,
    "$ne": _inequality,
    "$lt": _ordered(Lt),
    "$lte": _ordered(Lte),
    "$gt": _ordered(Gt),
    "$gte": _ordered(Gte),
    "$in": _membership,
    "$nin": _non_membership,
    "$exists": _existence,
    "$is_empty": _emptiness,
    "$contains": _contains_one,
    "$contains_any": lambda field, operand, word: Contains(field, filter_values(field, operand, word), "any"),
    "$contains_all": lambda field, operand, word: Contains(field, filter_values(field, operand, word), "all"),
    "$prefix": lambda field, operand, word: Prefix(field, _text(field, operand, word)),
    "$text_match": lambda field, operand, word: TextMatch(field, _text(field, operand, word)),
    "$text_match_insensitive": lambda field, operand, word: TextMatch(
        field, _text(field, operand, word), False
    ),
}
_OPERATORS["$any"] = _OPERATORS["$contains_any"]
_OPERATORS["$all"] = _OPERATORS["$contains_all"]


def _unknown_operator(word: Any) -> UnsupportedFilterError:
    known = [*_OPERATORS, "$and", "$or", "$not"]
    near = difflib.get_close_matches(str(word), known, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    return UnsupportedFilterError(f"unknown filter operator {word!r}; {hint}")


def to_dict(node: FilterNode) -> dict[str, Any]:
    """Write a tree in the dict form, so that :func:`parse_filter` reads the same tree back.

    ``NOTHING`` has no word of its own and is written as a membership in an empty list.

    Raises
    ------
    UnsupportedFilterError
        For whole-list comparisons of ``tags``: on tags, the words for equality mean containment.
    """
    if isinstance(node, And):
        return {"$and": [to_dict(child) for child in node.children]}
    if isinstance(node, Or):
        return {"$or": [to_dict(child) for child in node.children]}
    if isinstance(node, Not):
        return {"$not": to_dict(node.child)}
    if isinstance(node, Predicate):
        if node.field == _TAGS and isinstance(node, Eq | Ne | In | Nin):
            raise UnsupportedFilterError(f"{type(node).__name__} on the whole list of tags has no dict form")
        return {str(node.field): _condition_dict(node)}
    if node == EVERYTHING:
        return {}
    return {"metadata.": {"$in": []}}


def _condition_dict(node: Predicate) -> dict[str, Any]:
    match node:
        case Exists() | IsEmpty():
            return {"$exists" if isinstance(node, Exists) else "$is_empty": True}
        case Contains(values=values, mode=mode):
            return {f"$contains_{mode}": [_plain(value) for value in values]}
        case In(values=values) | Nin(values=values):
            return {"$in" if isinstance(node, In) else "$nin": [_plain(value) for value in values]}
        case TextMatch(value=value, case_sensitive=False):
            return {"$text_match_insensitive": value}
        case (
            Eq(value=value)
            | Ne(value=value)
            | Lt(value=value)
            | Lte(value=value)
            | Gt(value=value)
            | Gte(value=value)
        ):
            return {_WORDS[type(node)]: _plain(value)}
        case Prefix(value=value) | TextMatch(value=value):
            return {_WORDS[type(node)]: value}
    raise UnsupportedFilterError(f"{type(node).__name__} has no dict form")


_WORDS: dict[type[Predicate], str] = {
    Eq: "$eq", Ne: "$ne", Lt: "$lt", Lte: "$lte", Gt: "$gt", Gte: "$gte", Prefix: "$prefix", TextMatch: "$text_match",
}  # fmt: skip


def _plain(value: FilterValue) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
