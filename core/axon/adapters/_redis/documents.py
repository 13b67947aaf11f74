"""What the search module indexes of an entry: its vector, tokens and numbers, and no text."""

from __future__ import annotations

from axon.adapters._filters.redis import TOKENS, tag
from axon.adapters._filters.tokens import NEVER, tokens_of
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
    """Build the fields and values of a document, in turn, as MessagePack; empty for an entry without a vector."""
    vector = entry.stored_vector
    if vector is None:
        return b""
    record = entry.record
    expires_us = NEVER if record.expires_us is None else record.expires_us
    return _packed(
        b"namespace", tag(namespace).encode(),
        TOKENS.encode(), ",".join(map(tag, tokens_of(record))).encode(),
        b"importance", repr(record.importance).encode(),
        b"created_at", b"%d" % record.created_us,
        b"updated_at", b"%d" % record.updated_us,
        b"expires_at", b"%d" % expires_us,
        b"v", unit_bytes(vector),
    )  # fmt: skip


def _packed(*parts: bytes) -> bytes:
    """Encode fewer than 16 parts as a MessagePack array of raw strings; the server's Lua knows no binary type."""
    return bytes((0x90 | len(parts),)) + b"".join(
        b"\xdb%b%b" % (len(each).to_bytes(4, "big"), each) for each in parts
    )


def unit_bytes(vector: Vector) -> bytes:
    """Scale a vector to length 1 as little-endian float32; one without direction stays zero."""
    length = float(vector.astype("f8").dot(vector)) ** 0.5
    return (vector / (length or 1.0)).astype("<f4").tobytes()
