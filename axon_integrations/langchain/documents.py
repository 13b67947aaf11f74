"""Entries as LangChain documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from langchain_core.documents import Document

from axon.core.adapter_options import nearest
from axon.core.errors import InvalidInputError
from axon.core.models import JsonValue, MemoryEntry, RecallResult


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


_FIELDS: dict[str, Callable[[RecallResult], JsonValue]] = {
    "score": lambda result: result.score,
    "similarity": lambda result: result.similarity,
    "tier": lambda result: str(result.tier),
    "importance": lambda result: result.entry.importance,
    "tags": lambda result: result.entry.tags,
    "session_id": lambda result: result.entry.session_id,
    "created_at": lambda result: _iso(result.entry.created_at),
    "updated_at": lambda result: _iso(result.entry.updated_at),
    "expires_at": lambda result: _iso(result.entry.expires_at),
}


class DocumentShape(NamedTuple):
    """What a returned document carries besides its own metadata.

    Attributes
    ----------
    include : names of fields to add to the metadata, each under its own name.
    score_key : metadata key for the score, or None.
    """

    include: tuple[str, ...] = ()
    score_key: str | None = None


def read_shape(include: Iterable[str] | None, score_key: object) -> DocumentShape:
    """Check what a caller wants in the metadata of returned documents.

    Raises
    ------
    InvalidInputError
        For a name that is no field, and for a ``score_key`` that is no non-empty string.
    """
    names = (include,) if isinstance(include, str) else tuple(include or ())
    for name in names:
        if name not in _FIELDS:
            raise InvalidInputError(f"include= knows no field {name!r}{nearest(str(name), _FIELDS)}")
    if score_key is not None and (not isinstance(score_key, str) or not score_key):
        raise InvalidInputError(f"score_key= takes a non-empty string, not {score_key!r}")
    return DocumentShape(names, score_key)


def entry_document(entry: MemoryEntry) -> Document:
    """Turn an entry into a document with exactly the metadata that was stored; nothing is shared."""
    return Document(id=entry.id, page_content=entry.text, metadata=entry.metadata)


def result_document(result: RecallResult, shape: DocumentShape, score: float) -> Document:
    """Turn a recalled entry into a document, with what ``shape`` asks for in its metadata."""
    document = entry_document(result.entry)
    for name in shape.include:
        document.metadata[name] = score if name == "score" else _FIELDS[name](result)
    if shape.score_key is not None:
        document.metadata[shape.score_key] = score
    return document
