"""Entries as records: flat metadata for filtering, and one text for fidelity.

Every record of Pinecone has a dense vector that is not zero. An entry that has none gets a placeholder and a ``kind``
by which searches pass it over.
"""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode, b85decode, b85encode
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
import numpy as np

from axon.adapters._filters.pinecone import TOKENS, encoded_key
from axon.adapters._filters.tokens import NEVER, numbers_of, tokens_of
from axon.adapters._pinecone.names import ABOUT, record_id
from axon.adapters._shared.directions import direction_of
from axon.adapters._shared.payload import decode_payload, encode_payload
from axon.core.errors import CorruptEntryError, InvalidInputError
from axon.core.models import EntryRecord, MemoryEntry

Record: TypeAlias = dict[str, Any]
Metadata: TypeAlias = Mapping[str, Any]

WITH_VECTOR, WITHOUT_DIRECTION, WITHOUT_VECTOR = "vector", "zero", "text"
KINDS = [WITH_VECTOR, WITHOUT_DIRECTION, WITHOUT_VECTOR]

MOST_BYTES = 40_000
"""Metadata of one record, as compact JSON in UTF-8. Pinecone's own limit is 40 kB, and how it counts is not written."""

_PACK_BYTES = 4096
"""Payloads above it are compressed: readable in Pinecone's console while small."""


class About(msgspec.Struct, frozen=True):
    """What is known of a namespace as a whole.

    Attributes
    ----------
    is_stored : the namespace has a record of it.
    dims : numbers per vector, or None before the first.
    embedder : fingerprint of who made the vectors, or None.
    zeros : a vector without direction was stored at some time.
    """

    is_stored: bool = False
    dims: int | None = None
    embedder: str | None = None
    zeros: bool = False

    def fields(self) -> dict[str, Any]:
        """Metadata of the record; what is not known is left out, since Pinecone holds no null."""
        known = {"dims": self.dims, "embedder": self.embedder, "zeros": self.zeros or None}
        return {key: value for key, value in known.items() if value is not None}


def placeholder(dims: int) -> list[float]:
    """Make the vector of what has none: of length 1, along the first axis."""
    return [1.0] + [0.0] * (dims - 1)


def padded(direction: list[float], dims: int) -> list[float]:
    """Lengthen a vector to the index's dimensions; cosines stay as they are."""
    return direction + [0.0] * (dims - len(direction))


def about_record(namespace: str, about: About, dims: int) -> Record:
    """Write what is known of a namespace; ``dims`` are the index's."""
    return {
        "id": ABOUT,
        "values": placeholder(dims),
        "metadata": {"about": namespace, **about.fields()},
    }


def about_of(metadata: Metadata | None) -> About:
    """Read what is known of a namespace; None where it has no record."""
    if metadata is None:
        return About()
    dims = metadata.get("dims")
    return About(
        True, None if dims is None else int(dims), metadata.get("embedder"), bool(metadata.get("zeros"))
    )


def entry_record(entry: MemoryEntry, dims: int) -> Record:
    """Write an entry; ``dims`` are the index's, at least the vector's.

    Raises
    ------
    InvalidInputError
        If it is larger than Pinecone takes.
    """
    record, given = entry.record, entry.stored_vector
    metadata: dict[str, Any] = {
        "id": record.id,
        "kind": WITHOUT_VECTOR,
        TOKENS: tokens_of(record),
        **{encoded_key(key): number for key, number in numbers_of(record).items()},
        "importance": float(record.importance),
        "created_at": record.created_us,
        "updated_at": record.updated_us,
        "expires_at": NEVER if record.expires_us is None else record.expires_us,
        **access_fields(record),
    }
    values = placeholder(dims)
    if given is not None:
        direction, original = direction_of(given)
        metadata["dims"] = len(given)
        if given.any():
            metadata["kind"], values = WITH_VECTOR, padded(direction.tolist(), dims)
        else:
            metadata["kind"], original = WITHOUT_DIRECTION, given.astype("<f4").tobytes()
        if original is not None:
            metadata["vector"] = b64encode(original).decode()
    text = encode_payload(record)
    if len(text) <= _PACK_BYTES:
        metadata["payload"] = text
    else:
        metadata["packed"] = b85encode(zlib.compress(text.encode(), 6)).decode()
    size = len(msgspec.json.encode(metadata))
    if size > MOST_BYTES:
        raise InvalidInputError(
            f"entry {record.id[:100]!r} takes {size} bytes in Pinecone, which holds {MOST_BYTES} per entry besides "
            "its vector; shorten its text, metadata or tags"
        )
    return {"id": record_id(record.id), "values": values, "metadata": metadata}


def access_fields(record: EntryRecord) -> dict[str, Any]:
    """Metadata of the access statistics; the time as text, since a float64 would round it."""
    fields: dict[str, Any] = {"access_count": record.access_count}
    if record.accessed_us is not None:
        fields["accessed_at"] = str(record.accessed_us)
    return fields


def record_of(metadata: Metadata | None) -> EntryRecord:
    """Read the record of an entry.

    Raises
    ------
    CorruptEntryError
        If it is damaged or not Axon's.
    """
    fields = metadata or {}
    id = str(fields.get("id"))
    try:
        text = fields.get("payload")
        if text is None and "packed" in fields:
            text = zlib.decompress(b85decode(fields["packed"])).decode()
        accessed = fields.get("accessed_at")
        counted = int(fields.get("access_count") or 0), None if accessed is None else int(accessed)
    except (ValueError, TypeError, zlib.error) as error:
        raise CorruptEntryError(
            f"entry {id!r} cannot be decoded: {error}; store it anew or delete it", id
        ) from error
    return decode_payload(text, id, *counted)


def entry_of(metadata: Metadata | None, values: list[float]) -> MemoryEntry:
    """Read an entry.

    Raises
    ------
    CorruptEntryError
        If it is damaged, not Axon's, or its vector was shortened.
    """
    fields, record = metadata or {}, record_of(metadata)
    if fields.get("kind") == WITHOUT_VECTOR:
        return MemoryEntry.of(record)
    original, dims = fields.get("vector"), int(fields.get("dims") or 0)
    if original is not None:
        return MemoryEntry.of(record, np.frombuffer(b64decode(original), "<f4").astype(np.float32))
    if not 0 < dims <= len(values):
        raise CorruptEntryError(
            f"entry {record.id!r} came back with {len(values)} of {dims} numbers; store it anew or delete it",
            record.id,
        )
    return MemoryEntry.of(record, np.array(values[:dims], np.float32))
