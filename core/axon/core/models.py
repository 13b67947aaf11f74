"""What is stored, what is asked, what comes back.

Two classes describe one memory. :class:`EntryRecord` is the immutable fact, shared freely inside Axon.
:class:`MemoryEntry` is the copy that a caller holds: it copies metadata and vector only when they are
touched, so handing out ten results costs microseconds, and nothing handed out is an alias.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from axon.core.clock import to_datetime, to_us
from axon.core.errors import InvalidInputError

if TYPE_CHECKING:
    from axon.core.filter.ast import FilterNode

JsonValue: TypeAlias = Any
"""None, bool, int, float, str, or a list or string-keyed dict of these; spelled ``Any`` for callers' sake."""

Vector: TypeAlias = NDArray[np.float32]

DEFAULT_IMPORTANCE = 0.5
_new = object.__new__
HIDDEN_PREFIX = "_axon."
"""Metadata keys that begin with this belong to a framework face: filters see them, entries handed out do not."""

_MAX_DEPTH = 100


class Tier(StrEnum):
    """The three levels, from the most fleeting to the most durable."""

    EPHEMERAL = "ephemeral"
    SESSION = "session"
    PERSISTENT = "persistent"


class EntryRecord(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One memory as immutable data.

    ``gc=False`` is safe because the fields hold JSON values only, which cannot form cycles; it keeps
    the garbage collector from walking every stored entry.

    Attributes
    ----------
    id : any non-empty string.
    text : not blank.
    importance : in [0, 1].
    tags : in the caller's order, without repeats.
    metadata : JSON values under string keys; never modified after construction.
    created_us, updated_us : microseconds since 1970 UTC.
    expires_us : microseconds since 1970 UTC, or None for never.
    session_id : conversation the entry belongs to, or None.
    access_count : times returned by a recall; >= 0.
    accessed_us : last time returned, or None for never.
    keyed : the user addresses the entry by its id, so compaction leaves it alone.
    sources : ids of the entries a summary was made of; empty for anything else.
    """

    id: str
    text: str
    importance: float
    tags: tuple[str, ...]
    metadata: dict[str, JsonValue]
    created_us: int
    updated_us: int
    expires_us: int | None = None
    session_id: str | None = None
    access_count: int = 0
    accessed_us: int | None = None
    keyed: bool = False
    sources: tuple[str, ...] = ()

    def accessed(self, touch: Touch) -> EntryRecord:
        """Return the record after ``touch``."""
        known = self.accessed_us
        latest = touch.at_us if known is None or known < touch.at_us else known
        return msgspec.structs.replace(self, access_count=self.access_count + touch.count, accessed_us=latest)


class MemoryEntry:
    """A copy of one memory, owned by whoever holds it.

    Parameters
    ----------
    text, id, importance, tags, metadata, session_id, keyed, sources, access_count : see :class:`EntryRecord`.
    embedding : float32, shape (dims,), or None.
    created_at, updated_at, expires_at, last_accessed_at : aware UTC (naive is read as UTC);
        ``updated_at`` defaults to ``created_at``.
    tier : name of the tier the entry was read from, or None.
    """

    __slots__ = ("_embedding", "_metadata", "_row", "_rows", "record", "squared", "tier")

    record: EntryRecord
    tier: Tier | None
    squared: float | None
    """Squared length of the vector where it was measured already: adapters need not do it again."""

    def __init__(
        self,
        text: str,
        *,
        id: str,
        created_at: datetime,
        importance: float = DEFAULT_IMPORTANCE,
        tags: Iterable[str] = (),
        metadata: Mapping[str, JsonValue] | None = None,
        embedding: Vector | None = None,
        updated_at: datetime | None = None,
        expires_at: datetime | None = None,
        session_id: str | None = None,
        access_count: int = 0,
        last_accessed_at: datetime | None = None,
        keyed: bool = False,
        sources: Iterable[str] = (),
        tier: Tier | None = None,
    ) -> None:
        self.record = EntryRecord(
            id=id,
            text=text,
            importance=importance,
            tags=tuple(tags),
            metadata=copy_json_object(metadata) if metadata else {},
            created_us=to_us(created_at),
            updated_us=to_us(updated_at or created_at),
            expires_us=None if expires_at is None else to_us(expires_at),
            session_id=session_id,
            access_count=access_count,
            accessed_us=None if last_accessed_at is None else to_us(last_accessed_at),
            keyed=keyed,
            sources=tuple(sources),
        )
        self.tier = tier
        self._metadata: dict[str, JsonValue] | None = None
        self._embedding = None if embedding is None else np.array(embedding, dtype=np.float32)
        self._rows: NDArray[np.float32] | None = None
        self._row = 0
        self.squared = None

    @classmethod
    def of(cls, record: EntryRecord, embedding: Vector | None = None, squared: float | None = None) -> Self:
        """Wrap a record and a vector that nobody else will modify; ``squared`` is its squared length, if known."""
        entry = _new(cls)
        entry.record = record
        entry.tier = None
        entry._metadata = None
        entry._embedding = embedding
        entry._rows = None
        entry._row = 0
        entry.squared = squared
        return entry

    @classmethod
    def in_block(cls, record: EntryRecord, rows: NDArray[np.float32], row: int) -> Self:
        """Wrap a record whose vector is row ``row`` of a block that is never rewritten; copied on touch."""
        entry = _new(cls)
        entry.record = record
        entry.tier = None
        entry._metadata = None
        entry._embedding = None
        entry._rows = rows
        entry._row = row
        entry.squared = None
        return entry

    def detached(self) -> MemoryEntry:
        """Return an entry whose vector nobody else can modify."""
        return MemoryEntry.of(self.record, None if self.stored_vector is None else self.stored_vector.copy())

    @property
    def stored_vector(self) -> Vector | None:
        """The vector without a copy, for adapters: not to be modified."""
        return self._embedding if self._rows is None else self._rows[self._row]

    @property
    def place(self) -> tuple[NDArray[np.float32] | None, int]:
        """The block and row the vector lies in, for adapters that copy whole blocks; (None, 0) without one."""
        return self._rows, self._row

    @property
    def dims(self) -> int | None:
        """Numbers per vector, or None without a vector."""
        if self._rows is not None:
            return int(self._rows.shape[1])
        return None if self._embedding is None else int(self._embedding.shape[0])

    @property
    def id(self) -> str:
        """Any non-empty string."""
        return self.record.id

    @property
    def text(self) -> str:
        """The remembered text, as given."""
        return self.record.text

    @property
    def importance(self) -> float:
        """In [0, 1]."""
        return self.record.importance

    @property
    def tags(self) -> list[str]:
        """A new list of the tags, in the order given."""
        return list(self.record.tags)

    @property
    def metadata(self) -> dict[str, JsonValue]:
        """The user's metadata: a copy of this entry's own, made at the first touch."""
        if self._metadata is None:
            shown = self.record.metadata
            if any(key.startswith(HIDDEN_PREFIX) for key in shown):
                shown = {key: value for key, value in shown.items() if not key.startswith(HIDDEN_PREFIX)}
            self._metadata = copy_json_object(shown)
        return self._metadata

    @property
    def embedding(self) -> Vector | None:
        """float32, shape (dims,), or None; a copy of this entry's own, made at the first touch."""
        if self._embedding is None and self._rows is not None:
            self._embedding = self._rows[self._row].copy()
        return self._embedding

    @property
    def created_at(self) -> datetime:
        """When the entry was first stored, aware UTC."""
        return to_datetime(self.record.created_us)

    @property
    def updated_at(self) -> datetime:
        """When the entry was last written, aware UTC."""
        return to_datetime(self.record.updated_us)

    @property
    def expires_at(self) -> datetime | None:
        """When the entry ceases to exist, aware UTC, or None for never."""
        return None if self.record.expires_us is None else to_datetime(self.record.expires_us)

    @property
    def last_accessed_at(self) -> datetime | None:
        """When a recall last returned the entry, aware UTC, or None for never."""
        return None if self.record.accessed_us is None else to_datetime(self.record.accessed_us)

    @property
    def session_id(self) -> str | None:
        """The conversation the entry belongs to, or None."""
        return self.record.session_id

    @property
    def access_count(self) -> int:
        """How many recalls returned the entry."""
        return self.record.access_count

    @property
    def keyed(self) -> bool:
        """Whether a user addresses the entry by its id, which keeps compaction away from it."""
        return self.record.keyed

    @property
    def sources(self) -> list[str]:
        """Ids of the entries this summary was made of; empty for anything else."""
        return list(self.record.sources)

    def __repr__(self) -> str:
        text = self.text if len(self.text) <= 60 else self.text[:57] + "..."
        return f"MemoryEntry(id={self.id!r}, text={text!r}, importance={self.importance}, tier={self.tier})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MemoryEntry):
            return NotImplemented
        mine, theirs = self.embedding, other.embedding
        same_vector = (mine is None) == (theirs is None) and (
            mine is None or theirs is None or np.array_equal(mine, theirs)
        )
        return self.record == other.record and self.metadata == other.metadata and same_vector

    __hash__ = None  # type: ignore[assignment]  # mutable through metadata, like the dict it holds


class MemoryInput(msgspec.Struct, kw_only=True):
    """One item of a bulk call; every field but ``text`` is optional and means what ``store`` means by it."""

    text: str
    id: str | None = None
    importance: float | None = None
    tags: Iterable[str] = ()
    metadata: Mapping[str, JsonValue] | None = None
    embedding: Any = None
    ttl: float | None = None
    session_id: str | None = None
    tier: str | None = None


class TextStatistics(msgspec.Struct, frozen=True):
    """What BM25 has to know of a corpus; adds up over tiers.

    Attributes
    ----------
    rows : entries in the corpus, >= 0.
    words : words in all of them, >= 0.
    frequency : for each stem of a query, the entries that hold it.
    """

    rows: int
    words: int
    frequency: dict[str, int]

    def __add__(self, other: TextStatistics) -> TextStatistics:
        stems = self.frequency.keys() | other.frequency.keys()
        frequency = {stem: self.frequency.get(stem, 0) + other.frequency.get(stem, 0) for stem in stems}
        return TextStatistics(self.rows + other.rows, self.words + other.words, frequency)


class SearchRequest(msgspec.Struct, frozen=True):
    """One search, as the adapter port takes it.

    Attributes
    ----------
    filter : what may be returned.
    k : how many candidates each channel may contribute, >= 1.
    vector : float32, shape (dims,), any length; None for a text search.
    text : the words to look for; None for a vector search. With both, the adapter returns the union of the
        best ``k`` of each channel, each hit with both signals.
    statistics : of all tiers that are searched together, for adapters that score words themselves; or None.
    """

    filter: FilterNode
    k: int
    vector: Vector | None = None
    text: str | None = None
    statistics: TextStatistics | None = None


class Hit(msgspec.Struct, gc=False):
    """One candidate of a search.

    Attributes
    ----------
    entry : the candidate.
    similarity : cosine in [-1, 1]; None if the entry or the request has no vector.
    text_score : BM25-like relevance >= 0, higher is better, 0 where no term matches; None without a text channel.
    """

    entry: MemoryEntry
    similarity: float | None = None
    text_score: float | None = None


class RecallResult(msgspec.Struct, gc=False):
    """One recalled memory.

    Attributes
    ----------
    entry : the memory, a copy.
    score : in [0, 1], higher is better; comparable within one recall.
    similarity : cosine in [-1, 1], or None where the channel was not asked or the entry has no vector.
    tier : where it was found.
    signals : what made the score; filled with every part under ``explain=True``.
    """

    entry: MemoryEntry
    score: float
    similarity: float | None
    tier: Tier
    signals: dict[str, float] = {}

    @property
    def text(self) -> str:
        """The text of the entry."""
        return self.entry.text


class Page(msgspec.Struct):
    """Part of a scan: entries in order, and the cursor of the next part (None at the end)."""

    entries: list[MemoryEntry]
    cursor: str | None = None


class Touch(msgspec.Struct, frozen=True):
    """``count`` accesses of entry ``id``, the last one at ``at_us`` (microseconds since 1970 UTC)."""

    id: str
    at_us: int
    count: int = 1


def copy_json_object(source: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Copy a JSON object deeply, refusing what JSON cannot hold.

    Raises
    ------
    InvalidInputError
        For keys that are not strings, values that are no JSON values, NaN or infinity, and for nesting
        beyond 100 levels (which includes objects that contain themselves).
    """
    if not isinstance(source, Mapping):
        raise InvalidInputError(f"metadata must be a mapping, not {type(source).__name__}")
    return _copy_object(source, 0)


def _copy_object(source: Mapping[str, JsonValue], depth: int) -> dict[str, JsonValue]:
    copy: dict[str, JsonValue] = {}
    for key, value in source.items():
        if type(key) is not str:
            if not isinstance(key, str):
                raise InvalidInputError(f"metadata keys must be strings, not {key!r}")
            key = str.__str__(key)
        if not key.isascii():
            checked_str(key, "a metadata key")
        copy[key] = value if type(value) is int or value is None else _copy_value(value, depth, key)
    return copy


def checked_str(value: str, what: str) -> str:
    """Return ``value`` as a plain string that UTF-8 can hold.

    Raises
    ------
    InvalidInputError
        If it holds a lone surrogate, which no backend can store.
    """
    value = str.__str__(value)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise InvalidInputError(
                f"{what} holds a lone surrogate at {error.start}, which is not valid text"
            ) from error
    return value


def _copy_value(value: JsonValue, depth: int, key: str) -> JsonValue:
    if depth > _MAX_DEPTH:
        raise InvalidInputError(
            f"metadata {key!r} is nested more than {_MAX_DEPTH} levels deep, or contains itself"
        )
    if isinstance(value, float):
        if not isfinite(value):
            raise InvalidInputError(f"metadata {key!r} is {value}: JSON has no such number")
        return float(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if type(value) is str and value.isascii() else checked_str(value, f"metadata {key!r}")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, list):
        return [_copy_value(item, depth + 1, key) for item in value]
    if isinstance(value, dict):
        return _copy_object(value, depth + 1)
    raise InvalidInputError(
        f"metadata {key!r} holds {type(value).__name__}, which is not JSON; "
        "convert it first (a datetime to its isoformat(), a tuple or set to a list)"
    )
