"""Entries as Chroma keeps them: one text for fidelity, and separate keys for filtering."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import numpy as np

from axon.adapters._chroma.shelf import Row
from axon.adapters._filters.chroma import EXPIRES, NUMBER, TOKENS, UPDATED
from axon.adapters._filters.tokens import NEVER, numbers_of, tokens_of
from axon.adapters._shared.payload import decode_payload, encode_payload
from axon.core.models import EntryRecord, MemoryEntry

NO_VECTOR = np.ones(1, np.float32)
"""Stands in for the vector of an entry without one, since Chroma takes no record without."""


def metadata_of(record: EntryRecord, original: bytes | None) -> dict[str, Any]:
    """Write what is kept beside the vector; what an entry does not have is no key, since each costs Chroma a row."""
    tokens = tokens_of(record, wholes=False)
    written: dict[str, Any] = {
        "payload": encode_payload(record),
        TOKENS: tokens,
        "importance": float(record.importance),
        "created_at": record.created_us,
    }
    if record.updated_us != record.created_us:
        written["updated_at"] = record.updated_us
        tokens.append(UPDATED)
    if record.expires_us is not None:
        written["expires_at"] = record.expires_us
        tokens.append(EXPIRES)
    if original is not None:
        written["vector"] = b64encode(original).decode()
    if record.access_count:
        written["access_count"] = record.access_count
    if record.accessed_us is not None:
        written["accessed_at"] = record.accessed_us
    written.update((NUMBER + key, number) for key, number in numbers_of(record).items())
    return written


def vanished(old: dict[str, Any], new: dict[str, Any]) -> dict[str, None]:
    """Name the keys of an older version that the new one must remove, since Chroma merges."""
    return {key: None for key in old if key not in new}


def entry_of(row: Row, *, with_vector: bool) -> MemoryEntry:
    """Read an entry.

    Parameters
    ----------
    row : its record.
    with_vector : False for entries that have none, and where it does not matter.

    Raises
    ------
    CorruptEntryError
        If the record is damaged or not Axon's.
    """
    metadata = row.metadata
    accessed: int | None = metadata.get("accessed_at")
    record = decode_payload(metadata.get("payload"), row.id, int(metadata.get("access_count") or 0), accessed)
    if not with_vector or row.vector is None:
        return MemoryEntry.of(record)
    original = metadata.get("vector")
    if original is None:
        return MemoryEntry.of(record, row.vector.copy())
    return MemoryEntry.of(record, np.frombuffer(b64decode(original), "<f4").astype(np.float32))


def is_expired(row: Row, now_us: int) -> bool:
    """Tell whether a record has expired."""
    return bool(row.metadata.get("expires_at", NEVER) <= now_us)
