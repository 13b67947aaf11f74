"""An entry as a JSON text: exact for every JSON value, and readable in the backend's own tools."""

from __future__ import annotations

from typing import Any

import msgspec

from axon.core.errors import CorruptEntryError, SchemaVersionError
from axon.core.models import EntryRecord

_VERSION = 1

_DEFAULTS = {
    field.name: field.default
    for field in msgspec.structs.fields(EntryRecord)
    if field.default is not msgspec.NODEFAULT
}
_UNLIKE = object()
"""Equals no value of a field, so that fields without a default are always told."""


def encode_payload(record: EntryRecord) -> str:
    """Write a record, its defaults left out; its vector and its access statistics are kept elsewhere."""
    fields = msgspec.structs.asdict(record)
    del fields["access_count"], fields["accessed_us"]
    told = {name: value for name, value in fields.items() if value != _DEFAULTS.get(name, _UNLIKE)}
    return msgspec.json.encode({"axon": _VERSION, **told}).decode()


def decode_payload(text: object, id: str, access_count: int, accessed_us: int | None) -> EntryRecord:
    """Read what :func:`encode_payload` wrote.

    Raises
    ------
    CorruptEntryError
        If it is damaged or was not written by Axon.
    SchemaVersionError
        If a newer Axon wrote it.
    """
    try:
        if not isinstance(text, str):
            raise TypeError("it has no payload")
        fields: dict[str, Any] = msgspec.json.decode(text)
        version = fields.pop("axon")
        if version != _VERSION:
            raise SchemaVersionError(
                f"entry {id!r} has format {version}, this Axon reads {_VERSION}; upgrade first"
            )
        fields["tags"], fields["sources"] = tuple(fields["tags"]), tuple(fields.get("sources", ()))
        return EntryRecord(**fields, access_count=access_count, accessed_us=accessed_us)
    except (msgspec.MsgspecError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CorruptEntryError(
            f"entry {id!r} cannot be decoded: {error}; store it anew or delete it", id
        ) from error
