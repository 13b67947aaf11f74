"""One entry as one value: a format byte, the length of the record, the record, the vector as float32."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from axon.core.codec import decode_record, encode_record
from axon.core.errors import AdapterError, CorruptEntryError, SchemaVersionError
from axon.core.models import EntryRecord, MemoryEntry, Touch, Vector

_FORMAT = 1
_HEAD = 5


def pack(entry: MemoryEntry) -> bytes:
    """Encode an entry."""
    record = encode_record(entry.record)
    vector = entry.stored_vector
    head = bytes((_FORMAT,)) + len(record).to_bytes(4, "little")
    if vector is None:
        return head + record
    return head + record + vector.astype("<f4", copy=False).tobytes()


def unpack(id: str, value: bytes, access: bytes | None) -> MemoryEntry:
    """Decode an entry, with a vector of its own.

    Parameters
    ----------
    id : under which the value was found; for the message.
    value : made by :func:`pack`.
    access : ``b"count time"`` where statistics were kept since, else None.

    Raises
    ------
    CorruptEntryError
        If the bytes are damaged.
    SchemaVersionError
        If a newer version wrote them.
    """
    record, vector = _split(id, value, access)
    return MemoryEntry.of(record, _array(vector))


def unpack_page(
    ids: Sequence[str], values: Sequence[bytes | None], accesses: Sequence[bytes | None]
) -> tuple[list[MemoryEntry], dict[str, AdapterError]]:
    """Decode many entries; those with vectors of one length share one matrix.

    Returns
    -------
    (entries, faults) : in order, without those that are gone; what could not be decoded, by id.
    """
    kept: list[tuple[EntryRecord, memoryview]] = []
    faults: dict[str, AdapterError] = {}
    for id, value, access in zip(ids, values, accesses, strict=True):
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


def _split(id: str, value: bytes, access: bytes | None) -> tuple[EntryRecord, memoryview]:
    if value[:1] != bytes((_FORMAT,)):
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
        count, at_us = read_access(access)
        if at_us:
            record = record.accessed(Touch(record.id, at_us, count - record.access_count))
    return record, vector


def read_access(access: bytes) -> tuple[int, int]:
    """Read ``b"count time"``: how often, and when last in microseconds since 1970, 0 for never."""
    count, _, at_us = access.partition(b" ")
    return int(count), int(at_us)


def _array(vector: memoryview) -> Vector | None:
    return np.frombuffer(vector, "<f4").astype(np.float32) if len(vector) else None
