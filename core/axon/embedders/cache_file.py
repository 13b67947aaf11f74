"""The SQLite file below the disk cache. Blocking: called from worker threads only."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from weakref import finalize

from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    CorruptStoreError,
    SchemaVersionError,
)

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 10.0
# Small transactions, because other processes wait for each one.
_WRITE_BATCH = 64
# SQLite takes at least 999 parameters in one statement.
_READ_BATCH = 500
# Connections of a parent process: SQLite allows a child neither to use nor to close them.
_inherited: list[sqlite3.Connection] = []


class CacheFile:
    """Digests and blobs in one file, with one connection per process.

    Parameters
    ----------
    path : the file; made at first use, its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._finalizer: finalize[[], CacheFile] | None = None
        self._process = os.getpid()

    def read(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Return one blob, or None, per key."""
        found: dict[bytes, bytes] = {}
        with self._session() as connection:
            for start in range(0, len(keys), _READ_BATCH):
                part = keys[start : start + _READ_BATCH]
                marks = ",".join("?" * len(part))
                found.update(
                    connection.execute(f"SELECT key, vector FROM embeddings WHERE key IN ({marks})", part)
                )
        return [found.get(key) for key in keys]

    def write(self, items: Sequence[tuple[bytes, bytes]]) -> None:
        """Write blobs, replacing those with the same keys."""
        with self._session() as connection:
            for start in range(0, len(items), _WRITE_BATCH):
                with connection:
                    connection.executemany(
                        "INSERT OR REPLACE INTO embeddings VALUES (?, ?)", items[start : start + _WRITE_BATCH]
                    )

    def clear(self) -> None:
        """Delete every row."""
        with self._session() as connection, connection:
            connection.execute("DELETE FROM embeddings")

    def close(self) -> None:
        """Close the connection of this process; the next use opens another."""
        with self._lock:
            self._leave_inherited()
            if self._finalizer is not None:
                self._finalizer()
            self._connection = self._finalizer = None

    def corrupt(self, what: object) -> CorruptStoreError:
        """Say that the file is damaged and what to do about it."""
        return CorruptStoreError(
            f"the embedding cache {self.path} is damaged ({what}); "
            "delete the file, the vectors will be made again"
        )

    @contextmanager
    def _session(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise self._translated(error) from error

    def _opened(self) -> sqlite3.Connection:
        self._leave_inherited()
        if self._connection is not None:
            return self._connection
        # Calls come from any worker thread, one at a time.
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        self._finalizer = finalize(self, connection.close)
        return connection

    def _leave_inherited(self) -> None:
        """In a forked child, put the parent's connection aside."""
        if self._process == os.getpid():
            return
        self._process = os.getpid()
        if self._connection is not None and self._finalizer is not None:
            self._finalizer.detach()
            _inherited.append(self._connection)
        self._connection = self._finalizer = None

    def _prepare(self, connection: sqlite3.Connection) -> None:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise SchemaVersionError(
                f"the embedding cache {self.path} was written by a newer Axon (version {version}, known is "
                f"{_SCHEMA_VERSION}): upgrade, or use another folder"
            )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < _SCHEMA_VERSION:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, vector BLOB NOT NULL)"
            )
            connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def _translated(self, error: sqlite3.Error) -> AdapterError:
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte is the primary result code: https://www.sqlite.org/rescode.html
        primary = None if code is None else code & 0xFF
        if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return AdapterTimeout(f"the embedding cache {self.path} stayed locked by another process")
        if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
            return self.corrupt(error)
        return AdapterUnavailable(f"the embedding cache {self.path} cannot be used: {error}")
