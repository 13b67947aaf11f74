"""From a caller's arguments to an entry: everything that can be wrong is found before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from axon.core.errors import InvalidInputError
from axon.core.ids import new_id
from axon.core.lifecycle.expiry import expiry_of
from axon.core.models import HIDDEN_PREFIX, EntryRecord, MemoryInput, Tier, copy_json_object
from axon.core.operations.runtime import Runtime
from axon.core.routing import route
from axon.core.validation import (
    check_id,
    check_importance,
    check_session_id,
    check_tags,
    check_text,
    check_tiers,
    check_ttl,
)

_FIELDS = frozenset(MemoryInput.__struct_fields__)


class Unset:
    """The default of arguments for which None has a meaning."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()


def make_record(
    runtime: Runtime,
    text: Any,
    importance: Any,
    tags: Any,
    metadata: Any,
    id: Any,
    tier: Any,
    ttl: Any,
    session_id: Any,
) -> tuple[EntryRecord, Tier]:
    """Check the arguments of a store, and choose the tier.

    Raises
    ------
    InvalidInputError, EmptyTextError
        For the first argument that cannot be stored.
    """
    routing = runtime.config.routing
    weight = routing.default_importance if importance is None else check_importance(importance)
    choice = runtime.names if tier is None else check_tiers(tier, runtime.names)
    place = choice[0] if len(choice) == 1 else route(weight, routing, choice)
    tier_ttl = runtime.tiers[place].policy.ttl_seconds
    now_us = runtime.clock.now_us()
    record = EntryRecord(
        id=new_id() if id is None else check_id(id),
        text=check_text(text),
        importance=weight,
        tags=check_tags(tags) if tags else (),
        metadata=copy_json_object(metadata) if metadata else {},
        created_us=now_us,
        updated_us=now_us,
        expires_us=None if ttl is None and tier_ttl is None else expiry_of(now_us, check_ttl(ttl), tier_ttl),
        session_id=None if session_id is None else check_session_id(session_id),
        keyed=id is not None,
    )
    return record, place


def read_input(item: str | Mapping[str, Any] | MemoryInput) -> MemoryInput:
    """Read one item of a bulk call.

    Raises
    ------
    InvalidInputError
        For another kind of item, or a mapping with an unknown key.
    """
    if isinstance(item, str):
        return MemoryInput(text=item)
    if isinstance(item, MemoryInput):
        return item
    if not isinstance(item, Mapping):
        raise InvalidInputError(
            f"an item must be a string, a mapping or a MemoryInput, not {type(item).__name__}"
        )
    unknown = item.keys() - _FIELDS
    if unknown:
        raise InvalidInputError(
            f"an item has the unknown key {sorted(map(str, unknown))[0]!r}; known: {', '.join(sorted(_FIELDS))}"
        )
    if "text" not in item:
        raise InvalidInputError("an item has no 'text'")
    return MemoryInput(**item)


def changed_record(record: EntryRecord, now_us: int, changes: Mapping[str, Any]) -> EntryRecord:
    """Apply checked changes of ``update``; only the keys present change."""
    fields: dict[str, Any] = {"updated_us": now_us}
    for name, value in changes.items():
        if name == "ttl":
            fields["expires_us"] = expiry_of(now_us, check_ttl(value), None)
        else:
            fields[name] = _CHECKS[name](value)
    if "metadata" in fields:
        hidden = {key: value for key, value in record.metadata.items() if key.startswith(HIDDEN_PREFIX)}
        fields["metadata"] = {**fields["metadata"], **hidden}
    return msgspec.structs.replace(record, **fields)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "text": check_text,
    "importance": check_importance,
    "tags": check_tags,
    "metadata": lambda value: copy_json_object(value or {}),
}
