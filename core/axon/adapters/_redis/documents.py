"""What the search module indexes of an entry: its vector, its words, tokens and numbers."""

from __future__ import annotations

from math import inf

import numpy as np

from axon.adapters._filters.redis import TOKENS, tag
from axon.adapters._filters.tokens import NEVER, tokens_of
from axon.adapters._redis.frames import joined
from axon.adapters._redis.wording import word_tokens
from axon.core.models import MemoryEntry, Vector

SCHEMA: tuple[str, ...] = (
    "namespace", "TAG", "CASESENSITIVE",
    TOKENS, "TAG", "SEPARATOR", ",", "CASESENSITIVE",
    "importance", "NUMERIC",
    "created_at", "NUMERIC",
    "updated_at", "NUMERIC",
    "expires_at", "NUMERIC",
    "w", "TEXT", "NOSTEM",
)  # fmt: skip
"""Fields of every index, before the vector ``v``."""


def document(entry: MemoryEntry, namespace: str) -> tuple[bytes, int]:
    """Build the fields and values of a document, in turn, and count its words."""
    record, vector = entry.record, entry.stored_vector
    expires_us = NEVER if record.expires_us is None else record.expires_us
    words = word_tokens(record.text, namespace)
    fields = [
        b"namespace", tag(namespace).encode(),
        TOKENS.encode(), ",".join(map(tag, tokens_of(record))).encode(),
        b"importance", repr(record.importance).encode(),
        b"created_at", b"%d" % record.created_us,
        b"updated_at", b"%d" % record.updated_us,
        b"expires_at", b"%d" % expires_us,
        b"w", " ".join(words).encode(),
    ]  # fmt: skip
    if vector is not None:
        fields += (b"v", unit_bytes(vector))
    return joined(fields), len(words)


def unit_bytes(vector: Vector) -> bytes:
    """Scale a vector to length 1 as little-endian float32; one without direction stays zero."""
    length = float(vector.dot(vector)) ** 0.5
    if 0.0 < length < inf:
        unit: Vector = vector / np.float32(length)
        return unit.astype("<f4", copy=False).tobytes()
    exact = vector.astype(np.float64)
    wide: Vector = (exact / (float(np.linalg.norm(exact)) or 1.0)).astype("<f4")
    return wide.tobytes()
