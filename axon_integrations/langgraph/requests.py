"""What the store is asked, checked: everything that can be wrong with an operation is found before any is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from langgraph.store.base import (
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchOp,
    validate_op_namespace,
)

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import FilterNode, all_of
from axon.core.models import JsonValue, checked_str, copy_json_object
from axon.core.validation import check_ttl
from axon_integrations.langgraph.filters import read_filter
from axon_integrations.langgraph.indexing import Path, tokenized
from axon_integrations.langgraph.items import item_id, within

_SECONDS = 60.0


class Get(NamedTuple):
    """Read the item of an entry's id; ``refresh`` renews its lifetime."""

    id: str
    refresh: bool


class Put(NamedTuple):
    """Write an item, or delete it.

    Attributes
    ----------
    id : of its entry.
    value : a copy of our own; None deletes.
    paths : of the texts to embed; None for those of the store's configuration, empty for no vector.
    minutes : to live from each access, > 0; None for no end of its own.
    """

    id: str
    namespace: tuple[str, ...]
    key: str
    value: dict[str, JsonValue] | None
    paths: tuple[Path, ...] | None
    minutes: float | None

    @property
    def seconds(self) -> float | None:
        """Seconds to live, or None."""
        return None if self.minutes is None else self.minutes * _SECONDS


class Search(NamedTuple):
    """Find items.

    Attributes
    ----------
    node : where, and the part of the filter that the tiers check.
    residual : the part that is checked here.
    query : not blank, or None.
    limit, offset : >= 0.
    refresh : renew what is returned.
    """

    node: FilterNode
    residual: FilterNode
    query: str | None
    limit: int
    offset: int
    refresh: bool


class ListNamespaces(NamedTuple):
    """List the namespaces that hold items; ``max_depth`` None for no cut, else >= 0."""

    conditions: tuple[MatchCondition, ...]
    max_depth: int | None
    limit: int
    offset: int


Request: TypeAlias = Get | Put | Search | ListNamespaces


def read_op(op: Op) -> Request:
    """Check one operation.

    Raises
    ------
    InvalidNamespaceError
        (a ``ValueError``) For a namespace that LangGraph forbids.
    InvalidInputError
        (a ``ValueError``) For anything else that cannot be done, such as a value that is not JSON.
    """
    match op:
        case GetOp(namespace, key, refresh):
            place = _namespace(op._replace(namespace=_labels(namespace)), "namespace")
            return Get(item_id(place, _key(key)), bool(refresh))
        case PutOp():
            return _read_put(op)
        case SearchOp():
            return _read_search(op)
        case ListNamespacesOp():
            return _read_listing(op)
    raise InvalidInputError(f"{type(op).__name__} is no operation of a store")


def _labels(namespace: Any) -> tuple[str, ...]:
    """Return a namespace as a tuple; a list of labels is one, too."""
    if isinstance(namespace, list):
        return tuple(namespace)
    if not isinstance(namespace, tuple):
        raise InvalidNamespaceError(f"a namespace must be a tuple of strings, not {namespace!r}")
    return namespace


def _path(path: Any) -> tuple[str, ...]:
    """Return the path of a condition as a tuple; there a bare string is one label."""
    return (path,) if isinstance(path, str) else _labels(path)


def _namespace(op: Op, name: str) -> tuple[str, ...]:
    """Check the labels of an operation, and return them."""
    validate_op_namespace(op)
    return tuple(checked_str(label, "a namespace label") for label in getattr(op, name))


def _key(key: Any) -> str:
    return checked_str(str(key), "a key")


def _read_put(op: PutOp) -> Put:
    namespace = _namespace(op._replace(namespace=_labels(op.namespace)), "namespace")
    if op.value is not None and not namespace:
        raise InvalidNamespaceError("Namespace cannot be empty.")
    if op.value is not None and namespace[0] == "langgraph":
        raise InvalidNamespaceError(f'Root label for namespace cannot be "langgraph". Got: {namespace}')
    key = _key(op.key)
    return Put(
        id=item_id(namespace, key),
        namespace=namespace,
        key=key,
        value=_value(op.value),
        paths=None if op.index is None else () if op.index is False else tokenized(op.index),
        minutes=check_minutes(op.ttl),
    )


def check_minutes(ttl: Any) -> float | None:
    """Return ``ttl``: minutes > 0, or None.

    Raises
    ------
    InvalidInputError
        If it is neither.
    """
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not ttl > 0:
        raise InvalidInputError(f"ttl must be a number of minutes above 0, not {ttl!r}")
    check_ttl(ttl * _SECONDS)
    return float(ttl)


def _value(value: Mapping[str, Any] | None) -> dict[str, JsonValue] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise InvalidInputError(f"a value must be a mapping, not {type(value).__name__}")
    return copy_json_object(value)


def _read_search(op: SearchOp) -> Search:
    prefix = _namespace(op._replace(namespace_prefix=_labels(op.namespace_prefix)), "namespace_prefix")
    native, residual = read_filter(op.filter)
    if op.query is not None and not isinstance(op.query, str):
        raise InvalidInputError(f"query must be a string or None, not {type(op.query).__name__}")
    return Search(
        node=all_of((within(prefix), native)),
        residual=residual,
        query=op.query if op.query and op.query.strip() else None,
        limit=_count(op.limit, "limit"),
        offset=_count(op.offset, "offset"),
        refresh=bool(op.refresh_ttl),
    )


def _read_listing(op: ListNamespacesOp) -> ListNamespaces:
    conditions = tuple(
        condition._replace(path=_path(condition.path)) for condition in op.match_conditions or ()
    )
    validate_op_namespace(op._replace(match_conditions=conditions))
    for condition in conditions:
        if condition.match_type not in ("prefix", "suffix"):
            raise InvalidInputError(f"match_type must be prefix or suffix, not {condition.match_type!r}")
    return ListNamespaces(
        conditions,
        None if op.max_depth is None else _count(op.max_depth, "max_depth"),
        _count(op.limit, "limit"),
        _count(op.offset, "offset"),
    )


def _count(number: Any, name: str) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise InvalidInputError(f"{name} must be an integer >= 0, not {number!r}")
    return number
