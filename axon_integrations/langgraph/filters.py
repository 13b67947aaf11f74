"""LangGraph's filters as Axon's: a key is a key of the item's value, or a path into it.

A key names what lies under it in the value, whatever its name; where there is no such key and it holds dots, it
is read as a path. A dict without operators goes into the dict that lies there. Everything else means what it
means everywhere in Axon. Adapters know whole keys only, so conditions on paths are checked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from axon.core.errors import InvalidFilterError
from axon.core.filter.ast import EVERYTHING, Field, FilterNode, Predicate, all_of
from axon.core.filter.evaluate import MISSING, satisfies
from axon.core.filter.parse import MAX_DEPTH, parse_condition, parse_filter
from axon.core.filter.residual import split
from axon.core.filter.visitor import Support
from axon.core.models import EntryRecord
from axon_integrations.langgraph.items import metadata_key


@dataclass(frozen=True, slots=True)
class PathField(Field):
    """What lies below a key of the value.

    Attributes
    ----------
    path : at least one key, each literal or, where there is no such key, dotted.
    """

    path: tuple[str, ...] = ()


def read_filter(source: Mapping[str, Any] | None) -> tuple[FilterNode, FilterNode]:
    """Read the filter of a search.

    Returns
    -------
    (native, residual) : what the tiers are asked, and what :func:`passes` checks on their answers.

    Raises
    ------
    InvalidFilterError, UnsupportedFilterError
        If it cannot be read.
    """
    if source is None:
        return EVERYTHING, EVERYTHING
    return split(parse_filter(source, _condition), _support)


def _condition(key: str, operand: Any, path: tuple[str, ...] = ()) -> FilterNode:
    if not isinstance(key, str):
        raise InvalidFilterError(f"filter keys must be strings, not {key!r}")
    path = (*path, key)
    if len(path) > MAX_DEPTH:
        raise InvalidFilterError(f"a filter may be nested {MAX_DEPTH} levels deep")
    if isinstance(operand, Mapping) and operand and not _has_operators(operand):
        return all_of([_condition(inner, value, path) for inner, value in operand.items()])
    if len(path) == 1 and "." not in key:
        return parse_condition(Field(metadata_key(key), is_metadata=True), operand)
    return parse_condition(PathField(".".join(path), is_metadata=True, path=path), operand)


def _has_operators(operand: Mapping[Any, Any]) -> bool:
    return any(isinstance(key, str) and key.startswith("$") for key in operand)


def _support(predicate: Predicate) -> Support:
    return Support.RESIDUAL if isinstance(predicate.field, PathField) else Support.SUPPORTED


def passes(residual: FilterNode, record: EntryRecord) -> bool:
    """Tell whether an item passes a filter or the rest of one."""
    return residual is EVERYTHING or satisfies(residual, lambda field: _value_at(field, record))


def _value_at(field: Field, record: EntryRecord) -> Any:
    if not isinstance(field, PathField):
        return record.metadata.get(field.name, MISSING)
    first, *rest = field.path
    value = _below({key: record.metadata.get(metadata_key(key), MISSING) for key in _spellings(first)}, first)
    for key in rest:
        value = _below(value, key)
    return value


def _spellings(key: str) -> tuple[str, str]:
    """Return the keys of a value that a path may begin with: all of it, or what stands before the first dot."""
    return key, key.partition(".")[0]


def _below(value: Any, key: str) -> Any:
    """Go down one key: the literal one, else, if it holds dots, step by step."""
    if not isinstance(value, dict):
        return MISSING
    found = value.get(key, MISSING)
    if found is not MISSING or "." not in key:
        return found
    for step in key.split("."):
        if not isinstance(value, dict):
            return MISSING
        value = value.get(step, MISSING)
    return value
