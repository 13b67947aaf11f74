"""Entries as points: one text for fidelity, and fields of their own for filtering."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha1
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from qdrant_client.models import PointStruct

from axon.adapters._filters.qdrant import NAMESPACE, NUMBERS, TOKENS, encoded_key
from axon.adapters._filters.tokens import NEVER, numbers_of, tokens_of
from axon.adapters._qdrant.words import WORDS, vector_of_text
from axon.adapters._shared.directions import direction_of
from axon.adapters._shared.payload import decode_payload, encode_payload
from axon.core.models import EntryRecord, MemoryEntry

DENSE = "dense"
"""Name of the vector; points of a named vector may lack it."""

RECORD_FIELDS = ("id", "payload", "vector", "access_count", "accessed_at")
"""What an entry is read from; the other fields are for filters."""

_IDS = UUID("5f0d5f0e-6a1c-5d0b-9d6e-3f1f6f7a2c11").bytes


def point_id(namespace: str, id: str) -> str:
    """Map an id of any form to a UUID, the only form beside integers that Qdrant takes."""
    # The length keeps namespace and id from running together. This is uuid.uuid5, without the object in between.
    digest = bytearray(
        sha1(_IDS + f"{len(namespace)}:{namespace}{id}".encode(), usedforsecurity=False).digest()
    )
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:32]}"


def point_of(namespace: str, entry: MemoryEntry, with_words: bool) -> PointStruct:
    """Write an entry, with a vector of its words where they are searched."""
    record, given = entry.record, entry.stored_vector
    payload: dict[str, Any] = {
        NAMESPACE: namespace,
        "id": record.id,
        "payload": encode_payload(record),
        TOKENS: tokens_of(record),
        NUMBERS: {encoded_key(key): number for key, number in numbers_of(record).items()},
        "importance": float(record.importance),
        "created_at": record.created_us,
        "updated_at": record.updated_us,
        "expires_at": NEVER if record.expires_us is None else record.expires_us,
        "access_count": record.access_count,
        "accessed_at": record.accessed_us,
    }
    vectors: dict[str, Any] = {}
    if given is not None:
        direction, original = direction_of(given)
        vectors[DENSE] = direction.tolist()
        if original is not None:
            payload["vector"] = b64encode(original).decode()
    if with_words and (found := vector_of_text(record.text)) is not None:
        vectors[WORDS] = found
    # Checking would copy every number of the vector.
    return PointStruct.model_construct(id=point_id(namespace, record.id), vector=vectors, payload=payload)


def record_of(payload: Mapping[str, Any] | None) -> EntryRecord:
    """Read the record of an entry.

    Raises
    ------
    CorruptEntryError
        If the point is damaged or not Axon's.
    """
    fields = payload or {}
    id, count = str(fields.get("id")), int(fields.get("access_count") or 0)
    return decode_payload(fields.get("payload"), id, count, fields.get("accessed_at"))


def entry_of(payload: Mapping[str, Any] | None, vectors: Any) -> MemoryEntry:
    """Read an entry from a point's payload and vectors."""
    original = (payload or {}).get("vector")
    if original is not None:
        return MemoryEntry.of(
            record_of(payload), np.frombuffer(b64decode(original), "<f4").astype(np.float32)
        )
    found = vectors.get(DENSE) if isinstance(vectors, Mapping) else None
    return MemoryEntry.of(record_of(payload), None if found is None else _floats(found))


def _floats(numbers: list[float]) -> NDArray[np.float32]:
    # Half the time of np.array, which looks at every number twice.
    return np.frombuffer(struct.pack(f"<{len(numbers)}f", *numbers), "<f4").astype(np.float32)
