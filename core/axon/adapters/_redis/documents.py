"""What the search module indexes of an entry: its vector, tokens and numbers, and no text."""

from __future__ import annotations

from math import inf

import numpy as np

from axon.adapters._filters.redis import TOKENS, tag
from axon.adapters._filters.tokens import NEVER, tokens_of
from axon.adapters._redis.frames import joined
from axon.core.models import MemoryEntry, Vector

SCHEMA: tuple[str, ...] = (
    "namespace", "TAG", "CASESENSITIVE",
    TOKENS, "TAG", "SEPARATOR", ",", "CASESENSITIVE",
    "importance", "NUMERIC",
    "created_at", "NUMERIC",
    "updated_at", "NUMERIC",
    "expires_at", "NUMERIC",
)  # fmt: skip
"""Fields of every index, before the vector ``v``."""


def document(entry: MemoryEntry, namespace: str) -> bytes:
    """Build the fields and values of a document, in turn; empty for an entry without a vector."""
    vector = entry.stored_vector
    if vector is None:
        return b""
    record = entry.record
    expires_us = NEVER if record.expires_us is None else record.expires_us
    return joined([
        b"namespace", tag(namespace).encode(),
        TOKENS.encode(), ",".join(map(tag, tokens_of(record))).encode(),
        b"importance", repr(record.importance).encode(),
        b"created_at", b"%d" % record.created_us,
        b"updated_at", b"%d" % record.updated_us,
        b"expires_at", b"%d" % expires_us,
        b"v", unit_bytes(vector),
    ])  # fmt: skip


def unit_bytes(vector: Vector) -> bytes:
    """Scale a vector to length 1 as little-endian float32; one without direction stays zero."""
    length = float(vector.dot(vector)) ** 0.5
    if 0.0 < length < inf:
        unit: Vector = vector / np.float32(length)
        return unit.astype("<f4", copy=False).tobytes()
    exact = vector.astype(np.float64)
    wide: Vector = (exact / (float(np.linalg.norm(exact)) or 1.0)).astype("<f4")
    return wide.tobytes()
