"""The floors: the same work written by hand, with nothing around it. Ours can hardly be faster than these."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import DIMS

_CHUNK = 8192


@dataclass(slots=True)
class Record:
    """What a store must keep beside the vector, the plain way."""

    id: str
    text: str
    importance: float
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    created_us: int
    expires_us: int | None


class LeanRecord(msgspec.Struct, frozen=True, gc=False):
    """The same, the fastest way."""

    id: str
    text: str
    importance: float
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    created_us: int
    expires_us: int | None


@dataclass(slots=True)
class Copy:
    """What a get hands out: fields whose containers are the caller's own."""

    id: str
    text: str
    importance: float
    tags: list[str]
    metadata: dict[str, Any]
    created_us: int
    expires_us: int | None
    vector: NDArray[np.float32] | None


class HandWritten:
    """A store without checks, tiers, routing, filters, locks or deletion.

    One ``store``: await, pooled random id, clock, record, row copy, length of the vector, three column writes,
    dict set, append. One ``get``: await, dict lookup, copy of the entry.

    Parameters
    ----------
    lean : use the fastest spelling of each step that is known to us, instead of the plain one: a C struct for a
        data class, a dot product for ``numpy.linalg.norm``, no copy of the vector in ``get``.
    """

    def __init__(self, *, lean: bool = False) -> None:
        self._lean = lean
        self._ids: list[str] = []
        self._row_of: dict[str, int] = {}
        self._records: list[Record | LeanRecord] = []
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
        make = LeanRecord if self._lean else Record
        record = make(id, text, importance, (), {}, created_us, None)
        place = self._next
        if place == _CHUNK:
            self._grow()
            place = 0
        self._next = place + 1
        self._chunks[-1][place] = vector
        self._lengths[-1][place] = vector.dot(vector) ** 0.5 if self._lean else np.linalg.norm(vector)
        self._importance[-1][place] = importance
        self._created[-1][place] = created_us
        self._row_of[id] = len(self._records)
        self._records.append(record)
        return id

    async def get(self, id: str) -> Copy | None:
        """Copy one entry out."""
        row = self._row_of.get(id)
        if row is None:
            return None
        record = self._records[row]
        vector = None if self._lean else self._chunks[row // _CHUNK][row % _CHUNK].copy()
        return Copy(
            record.id, record.text, record.importance, list(record.tags), dict(record.metadata),
            record.created_us, record.expires_us, vector,
        )  # fmt: skip

    def fill(self, ids: list[str], items: list[dict[str, Any]], vectors: NDArray[np.float32]) -> None:
        """Take entries with the ids another store gave them."""
        for row, (id, item) in enumerate(zip(ids, items, strict=True)):
            self._row_of[id] = row
            self._records.append(
                Record(id, item["text"], 0.5, tuple(item["tags"]), item["metadata"], 0, None)
            )
        self._chunks = [vectors[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]


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
