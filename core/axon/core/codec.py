"""Entries as bytes: one version byte, then MessagePack of the record's fields in order."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from axon.core.errors import CorruptEntryError, SchemaVersionError
from axon.core.models import EntryRecord

_PLAIN = b"\x01"
_BIG = b"\x02"
"""Like version 1, but the metadata is a JSON text, because it holds integers beyond MessagePack's 64 bits."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(EntryRecord)


def encode_record(record: EntryRecord) -> bytes:
    """Encode a record; the vector is kept elsewhere."""
    try:
        return _PLAIN + _encoder.encode(record)
    except OverflowError:
        wrapped = {"json": json.dumps(record.metadata)}
        return _BIG + _encoder.encode(msgspec.structs.replace(record, metadata=wrapped))


def decode_record(data: bytes) -> EntryRecord:
    """Decode what :func:`encode_record` made.

    Raises
    ------
    CorruptEntryError
        If the bytes are damaged.
    SchemaVersionError
        If a newer version wrote them.
    """
    version = data[:1]
    if version not in (_PLAIN, _BIG):
        if version and version[0] <= 16:
            raise SchemaVersionError(
                f"an entry has format {version[0]}, this Axon reads up to {_BIG[0]}; upgrade first"
            )
        raise CorruptEntryError("an entry does not start with a known format")
    try:
        record = _decoder.decode(memoryview(data)[1:])
        if version == _BIG:
            metadata: dict[str, Any] = json.loads(record.metadata["json"])
            record = msgspec.structs.replace(record, metadata=metadata)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise CorruptEntryError(f"an entry cannot be decoded: {error}") from error
    return record
