"""What the search module indexes of an entry: its vector, its words, tokens and numbers."""

from __future__ import annotations

from math import inf

import numpy as np

from axon.adapters._filters.redis import TOKENS, tag
from axon.adapters._filters.tokens import NEVER, tokens_of
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


def document(entry: MemoryEntry, namespace: str) -> tuple[list[bytes], int]:
    """Build the values of a document's fields, and count its words; the vector is empty where there is none.

    The namespace's own field is not among them, see :func:`namespace_field`.
    """
    record, vector = entry.record, entry.stored_vector
    expires_us = NEVER if record.expires_us is None else record.expires_us
    words = word_tokens(record.text, namespace)
    values = [
        ",".join(map(tag, tokens_of(record))).encode(),
        repr(record.importance).encode(),
        b"%d" % record.created_us,
        b"%d" % record.updated_us,
        b"%d" % expires_us,
        " ".join(words).encode(),
        b"" if vector is None else unit_bytes(vector),
    ]
    return values, len(words)


def namespace_field(namespace: str) -> str:
    """Spell a namespace as its documents name it."""
    return tag(namespace)


def unit_bytes(vector: Vector) -> bytes:
    """Scale a vector to length 1 as little-endian float32; one without direction stays zero."""
    length = float(vector.dot(vector)) ** 0.5
    if 0.0 < length < inf:
        unit: Vector = vector / np.float32(length)
        return unit.astype("<f4", copy=False).tobytes()
    exact = vector.astype(np.float64)
    wide: Vector = (exact / (float(np.linalg.norm(exact)) or 1.0)).astype("<f4")
    return wide.tobytes()
