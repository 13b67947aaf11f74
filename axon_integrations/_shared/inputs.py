"""How a framework's metadata fills the fields that an Axon entry has of its own.

``tags``, ``importance`` and ``session_id`` of the right shape fill the entry's fields, so that filters and
routing see them; they stay in the metadata untouched. Everything else is the user's data only.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple, TypeGuard

from axon.core.filter.ast import RESERVED_FIELDS
from axon.core.models import JsonValue


class ReservedMetadataWarning(UserWarning):
    """A metadata key has the name of an entry field but does not fill it."""


class EntryFields(NamedTuple):
    """The fields of an entry that its metadata states.

    Attributes
    ----------
    tags : in the order given, none empty; None when not stated.
    importance : in [0, 1]; None when not stated.
    session_id : None when not stated.
    """

    tags: tuple[str, ...] | None = None
    importance: float | None = None
    session_id: str | None = None


_NONE_STATED = EntryFields()
_SHAPES = {
    "tags": "a list of non-empty strings",
    "importance": "a number in [0, 1]",
    "session_id": "a non-empty string",
}
_warned: set[str] = set()


def entry_fields(metadata: Mapping[str, JsonValue]) -> EntryFields:
    """Read the entry fields that ``metadata`` states; the mapping is left alone.

    Parameters
    ----------
    metadata : a framework's metadata; any keys and values.

    Returns
    -------
    What is stated in the right shape: ``tags`` as a list of non-empty strings, ``importance`` as a number in
    [0, 1] that is no boolean, ``session_id`` as a non-empty string.

    Warns
    -----
    ReservedMetadataWarning
        Once per process and key, when a key has a reserved name but does not fill the entry's field: ``id``,
        ``tier`` and the times never do, the three above only in the right shape (None is passed over).
    """
    if RESERVED_FIELDS.isdisjoint(metadata):
        return _NONE_STATED
    tags, importance, session_id = (metadata.get(name) for name in _SHAPES)
    stated = EntryFields(
        tags=tuple(tags) if _is_tag_list(tags) else None,
        importance=importance if _is_importance(importance) else None,
        session_id=session_id if isinstance(session_id, str) and session_id else None,
    )
    _warn_of_the_rest(metadata, stated)
    return stated


def _is_tag_list(value: JsonValue) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(tag, str) and tag for tag in value)


def _is_importance(value: JsonValue) -> TypeGuard[float]:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value) and 0 <= value <= 1
    )


def _warn_of_the_rest(metadata: Mapping[str, JsonValue], stated: EntryFields) -> None:
    for name in RESERVED_FIELDS - _warned:
        if metadata.get(name) is None or getattr(stated, name, None) is not None:
            continue
        _warned.add(name)
        reason = f"is not {_SHAPES[name]}" if name in _SHAPES else "has the name of an entry field"
        warnings.warn(
            f"metadata key {name!r} {reason}: it is kept as your own data and does not fill the entry's "
            f"{name}; filters reach it as 'metadata.{name}'",
            ReservedMetadataWarning,
            stacklevel=3,
        )
