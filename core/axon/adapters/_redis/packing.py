"""One entry as one value: a format byte, the length of the record, the record, the vector as float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from axon.adapters._redis.operations import Access, Row
from axon.core.codec import decode_record, encode_record
from axon.core.errors import AdapterError, CorruptEntryError, SchemaVersionError
from axon.core.models import EntryRecord, MemoryEntry, Touch, Vector

_FORMAT = 1
_HEAD = 5


def pack(entry: MemoryEntry) -> bytes:
    """Encode an entry."""
    record = encode_record(entry.record)
    vector = entry.stored_vector
    floats = b"" if vector is None else vector.astype("<f4", copy=False).tobytes()
    return b"\x01%b%b%b" % (len(record).to_bytes(4, "little"), record, floats)


def unpack_rows(ids: Sequence[str], rows: Sequence[Row], now_us: int) -> list[MemoryEntry | None]:
    """Decode entries in order; None for those absent or expired at ``now_us``, microseconds since 1970 UTC.

    Raises
    ------
    CorruptEntryError, SchemaVersionError
        As :func:`unpack`.
    """
    found: list[MemoryEntry | None] = []
    for id, (value, access) in zip(ids, rows, strict=True):
        entry = None if value is None else unpack(id, value, access)
        if entry is not None:
            expires_us = entry.record.expires_us
            if expires_us is not None and expires_us <= now_us:
                entry = None
        found.append(entry)
    return found


def unpack(id: str, value: bytes, access: Access | None) -> MemoryEntry:
    """Decode an entry, with a vector of its own.

    Parameters
    ----------
    id : under which the value was found; for the message.
    value : made by :func:`pack`.
    access : statistics that were kept since, or None.

    Raises
    ------
    CorruptEntryError
        If the bytes are damaged.
    SchemaVersionError
        If a newer version wrote them.
    """
    record, vector = _split(id, value, access)
    return MemoryEntry.of(record, _array(vector))


def unpack_page(ids: Sequence[str], rows: Sequence[Row]) -> tuple[list[MemoryEntry], dict[str, AdapterError]]:
    """Decode many entries; those with vectors of one length share one matrix.

    Returns
    -------
    (entries, faults) : in order, without those that are gone; what could not be decoded, by id.
    """
    kept: list[tuple[EntryRecord, memoryview]] = []
    faults: dict[str, AdapterError] = {}
    for id, (value, access) in zip(ids, rows, strict=True):
        if value is None:
            continue
        try:
            kept.append(_split(id, value, access))
        except AdapterError as error:
            faults[id] = error
    lengths = {len(vector) for _, vector in kept}
    if len(lengths) == 1 and 0 not in lengths:
        block = np.frombuffer(b"".join(vector for _, vector in kept), "<f4")
        matrix = block.reshape(len(kept), -1).astype(np.float32, copy=False)
        return [MemoryEntry.in_block(record, matrix, row) for row, (record, _) in enumerate(kept)], faults
    return [MemoryEntry.of(record, _array(vector)) for record, vector in kept], faults


def _split(id: str, value: bytes, access: Access | None) -> tuple[EntryRecord, memoryview]:
    if value[:1] != b"\x01":
        if value and _FORMAT < value[0] <= 16:
            raise SchemaVersionError(
                f"entry {id!r} has format {value[0]}, this Axon reads {_FORMAT}; upgrade"
            )
        raise CorruptEntryError(f"entry {id!r} does not start with a known format; store it anew", id)
    end = _HEAD + int.from_bytes(value[1:_HEAD], "little")
    vector = memoryview(value)[end:]
    if len(value) < end or len(vector) % 4:
        raise CorruptEntryError(f"entry {id!r} is cut short; store it anew or delete it", id)
    try:
        record = decode_record(value[_HEAD:end])
    except CorruptEntryError as error:
        raise CorruptEntryError(f"entry {id!r}: {error}; store it anew or delete it", id) from error
    if access is not None:
        count, at_us = access
        if at_us:
            record = record.accessed(Touch(record.id, at_us, count - record.access_count))
    return record, vector


def read_access(access: bytes) -> Access:
    """Read ``b"count time"``, as the server keeps it."""
    count, _, at_us = access.partition(b" ")
    return int(count), int(at_us)


def _array(vector: memoryview) -> Vector | None:
    return np.frombuffer(vector, "<f4").astype(np.float32) if len(vector) else None
