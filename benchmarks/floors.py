"""The floors: the same work written by hand, with nothing around it. Ours can hardly be faster than these."""

from __future__ import annotations

import os
import time
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import DIMS

_CHUNK = 8192


class Record(msgspec.Struct, frozen=True, gc=False):
    """What a store must keep beside the vector."""

    id: str
    text: str
    importance: float
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    created_us: int
    expires_us: int | None


class Copy:
    """What a get hands out: an object with fields, whose containers are the caller's own."""

    __slots__ = ("created_us", "expires_us", "id", "importance", "metadata", "tags", "text")

    def __init__(self, record: Record) -> None:
        self.id = record.id
        self.text = record.text
        self.importance = record.importance
        self.tags = list(record.tags)
        self.metadata = dict(record.metadata)
        self.created_us = record.created_us
        self.expires_us = record.expires_us


class HandWritten:
    """A store without checks, tiers, routing, filters, locks or deletion.

    One ``store``: await, pooled random id, clock, record, row copy, length of the vector, three column writes,
    dict set, append. One ``get``: await, dict lookup, copy of the entry.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._row_of: dict[str, int] = {}
        self._records: list[Record] = []
        self._chunks: list[NDArray[np.float32]] = []
        self._lengths: list[NDArray[np.float32]] = []
        self._importance: list[NDArray[np.float64]] = []
        self._created: list[NDArray[np.int64]] = []
        self._next = _CHUNK

    def _grow(self) -> None:
        self._chunks.append(np.empty((_CHUNK, DIMS), np.float32))
        self._lengths.append(np.empty(_CHUNK, np.float32))
        self._importance.append(np.empty(_CHUNK))
        self._created.append(np.empty(_CHUNK, np.int64))
        self._next = 0

    def _more_ids(self) -> None:
        digits = os.urandom(16 * 512).hex()
        self._ids.extend(digits[start : start + 32] for start in range(0, len(digits), 32))

    async def store(self, text: str, vector: NDArray[np.float32], importance: float = 0.5) -> str:
        """Keep a text and its vector under a new id."""
        if not self._ids:
            self._more_ids()
        id = self._ids.pop()
        created_us = time.time_ns() // 1000
        record = Record(id, text, importance, (), {}, created_us, None)
        place = self._next
        if place == _CHUNK:
            self._grow()
            place = 0
        self._next = place + 1
        self._chunks[-1][place] = vector
        self._lengths[-1][place] = vector.dot(vector) ** 0.5
        self._importance[-1][place] = importance
        self._created[-1][place] = created_us
        self._row_of[id] = len(self._records)
        self._records.append(record)
        return id

    async def get(self, id: str) -> Copy | None:
        """Copy one entry out."""
        row = self._row_of.get(id)
        return None if row is None else Copy(self._records[row])

    def fill(self, ids: list[str], texts: list[str]) -> None:
        """Take entries without vectors, for :meth:`get`."""
        for id, text in zip(ids, texts, strict=True):
            self._row_of[id] = len(self._records)
            self._records.append(Record(id, text, 0.5, (), {}, 0, None))


async def no_operation() -> None:
    """Do nothing, as a coroutine."""


def nearest(vectors: NDArray[np.float32], query: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Find the ``k`` best rows, in no order: one matrix-vector product and one selection."""
    scores = vectors @ query
    return np.argpartition(scores, -k)[-k:]


def nearest_in_order(vectors: NDArray[np.float32], query: NDArray[np.float32], k: int) -> list[int]:
    """Find the ``k`` best rows, best first: the truth that answers are checked against."""
    scores = vectors @ query
    rows = np.argpartition(scores, -k)[-k:]
    return [int(row) for row in rows[np.argsort(-scores[rows], kind="stable")]]
