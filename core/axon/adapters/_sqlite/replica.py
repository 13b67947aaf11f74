"""The entries of a file, held in arenas and kept in step with what other processes commit."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from axon.adapters._sqlite.statements import Bind, Change, Clear, Delete, Outcome, Put, Statements
from axon.core.codec import decode_record
from axon.core.errors import AdapterError, CorruptEntryError
from axon.core.models import EntryRecord, MemoryEntry, Touch
from axon.engine.arena import Arena

_LOAD_ROWS = 4_096


class Replica:
    """Arenas by namespace, each loaded when first asked for.

    Methods that change it are called under the writer's lock.

    Parameters
    ----------
    sql : of the collection.
    make_arena : makes an empty arena.
    """

    def __init__(self, sql: Statements, make_arena: Callable[[], Arena]) -> None:
        self.arenas: dict[str, Arena] = {}
        self.corrupt: dict[tuple[str, str], CorruptEntryError] = {}
        self._sql = sql
        self._make_arena = make_arena
        self._seen = 0
        self._known_version = -1
        self._reading = threading.Lock()

    def load(self, connection: sqlite3.Connection, namespace: str) -> Arena:
        """Read a namespace from the file, unless it was read before."""
        arena = self.arenas.get(namespace)
        if arena is not None:
            return arena
        arena = self._make_arena()
        with self._reading:
            if not self.arenas:
                self._seen = connection.execute(self._sql.newest).fetchone()[0]
            key = connection.execute(self._sql.find_namespace, (namespace,)).fetchone()
            if key is not None:
                access = {seq: (count, at) for seq, count, at in connection.execute(self._sql.access)}
                cursor = connection.execute(self._sql.load, key)
                while rows := cursor.fetchmany(_LOAD_ROWS):
                    arena.put(self._entries(namespace, rows, access))
                arena.fingerprint = connection.execute(self._sql.embedder, (namespace,)).fetchone()[0]
        self.arenas[namespace] = arena
        return arena

    def _entries(
        self,
        namespace: str,
        rows: Iterable[tuple[int, str, bytes, bytes | None]],
        access: dict[int, tuple[int, int]],
    ) -> list[MemoryEntry]:
        kept: list[tuple[EntryRecord, bytes | None]] = []
        for seq, id, data, vector in rows:
            try:
                record = decode_record(data)
                if vector is not None and (not vector or len(vector) % 4):
                    raise CorruptEntryError(f"its vector has {len(vector)} bytes")
            except AdapterError as error:
                self.corrupt[namespace, id] = CorruptEntryError(
                    f"entry {id!r}: {error}; store it anew or delete it", id
                )
                continue
            if seq in access:
                count, at_us = access[seq]
                record = record.accessed(Touch(record.id, at_us, count - record.access_count))
            kept.append((record, vector))
        return _with_vectors(kept)

    def lag(self, connection: sqlite3.Connection) -> int:
        """Count the changes that others have committed since :meth:`catch_up`; cheap where there are none."""
        version = connection.execute("PRAGMA data_version").fetchone()[0]
        if version == self._known_version:
            return 0
        newest: int = connection.execute(self._sql.newest).fetchone()[0]
        if newest <= self._seen:
            self._known_version = version
        return max(0, newest - self._seen)

    def catch_up(self, connection: sqlite3.Connection) -> int:
        """Apply what other processes have committed, and return the last number used.

        Deletions come first: the entries that are there are the truth.
        """
        with self._reading:
            newest: int = connection.execute(self._sql.newest).fetchone()[0]
            if newest == self._seen:
                return newest
            for namespace, id in connection.execute(self._sql.deleted_since, (self._seen,)).fetchall():
                arena = self.arenas.get(namespace)
                if arena is not None:
                    arena.clear() if id is None else arena.delete((id,))
            cursor = connection.execute(self._sql.added_since, (self._seen,))
            while rows := cursor.fetchmany(_LOAD_ROWS):
                by_namespace: dict[str, list[tuple[int, str, bytes, bytes | None]]] = {}
                for namespace, *row in rows:
                    by_namespace.setdefault(namespace, []).append(tuple(row))
                for namespace, group in by_namespace.items():
                    if namespace in self.arenas:
                        self.arenas[namespace].put(self._entries(namespace, group, {}))
            for namespace, arena in self.arenas.items():
                found = connection.execute(self._sql.embedder, (namespace,)).fetchone()
                arena.fingerprint = None if found is None else found[0]
            self._seen = newest
            return newest

    def apply(self, change: Change, outcome: Outcome) -> int:
        """Apply a change of our own that was committed.

        Returns
        -------
        After a deletion, how many entries were there; else 0.
        """
        self._seen = outcome.newest
        arena = self.arenas[change.namespace]
        if isinstance(change, Put):
            arena.put(change.entries)
            self._mend(change.namespace, (entry.record.id for entry in change.entries))
        elif isinstance(change, Delete):
            return arena.delete(change.ids) + self._mend(change.namespace, change.ids)
        elif isinstance(change, Clear):
            arena.clear()
            self._mend(
                change.namespace, [id for namespace, id in self.corrupt if namespace == change.namespace]
            )
        elif isinstance(change, Bind):
            arena.fingerprint = outcome.fingerprint
        return 0

    def _mend(self, namespace: str, ids: Iterable[str]) -> int:
        """Forget corrupt entries that were written anew or deleted; returns how many there were."""
        return sum(self.corrupt.pop((namespace, id), None) is not None for id in ids) if self.corrupt else 0


def _with_vectors(kept: list[tuple[EntryRecord, bytes | None]]) -> list[MemoryEntry]:
    """Join the vectors of neighbours into one matrix, where all have one of the same length."""
    lengths = {None if vector is None else len(vector) for _, vector in kept}
    if len(lengths) == 1 and None not in lengths:
        block = b"".join(vector for _, vector in kept if vector is not None)
        matrix = np.frombuffer(block, "<f4").reshape(len(kept), -1).astype(np.float32, copy=False)
        return [MemoryEntry.in_block(record, matrix, row) for row, (record, _) in enumerate(kept)]
    return [MemoryEntry.of(record, _array(vector)) for record, vector in kept]


def _array(vector: bytes | None) -> NDArray[np.float32] | None:
    return None if vector is None else np.frombuffer(vector, "<f4").astype(np.float32)
