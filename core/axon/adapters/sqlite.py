"""The embedded durable adapter: the same arenas as in memory, with a SQLite file below them."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

from axon.adapters._sqlite.errors import mapped_errors
from axon.adapters._sqlite.loading import Loads
from axon.adapters._sqlite.replica import Replica
from axon.adapters._sqlite.schema import connect, prepare_file
from axon.adapters._sqlite.statements import Bind, Clear, Count, Delete, Put, Statements
from axon.adapters._sqlite.writer import Writer
from axon.core.adapter_options import AdapterOptions, SqliteOptions
from axon.core.clock import Clock, SystemClock
from axon.core.errors import AdapterUnavailable, ConfigError
from axon.core.models import MemoryEntry, Touch
from axon.core.ports import AdapterStats, Capabilities
from axon.engine.arena import Arena
from axon.engine.arena_adapter import ArenaAdapter
from axon.engine.workers import in_worker

_INLINE_NEWS = 200
"""Changes of other processes applied on the calling thread; a few milliseconds."""


class SqliteAdapter(ArenaAdapter):
    """Keeps entries in a SQLite file, and in memory while it is open.

    What was acknowledged survives the end of the process; with ``synchronous="full"`` also a loss of power.
    Several processes may use one file: each sees what the others have committed.

    Parameters
    ----------
    options : see ``SqliteOptions``.
    clock : decides what has expired.
    """

    def __init__(self, options: AdapterOptions, *, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        if not isinstance(options, SqliteOptions):
            raise ConfigError("the sqlite adapter takes SqliteOptions; name the file with path=")
        self._options = options
        self._sql = Statements(options.collection)
        self._opening = threading.Lock()
        self._reader_lock = threading.Lock()
        self._writer: Writer | None = None
        self._reader: sqlite3.Connection | None = None
        self._replica = Replica(self._sql, self._make_arena)
        self._loads = Loads()
        self.capabilities = Capabilities(
            text_search=options.text_index, durable=True, in_process=True, max_batch=2000
        )  # fmt: skip

    def _make_arena(self) -> Arena:
        return Arena(text_index=self._options.text_index, quantize=self._options.quantize)

    async def open(self) -> None:
        """Open the file, making it where it is missing.

        Raises
        ------
        AdapterUnavailable
            If the file cannot be opened or written.
        CorruptStoreError
            If it is damaged, or another application's.
        SchemaVersionError
            If a newer version wrote it.
        """
        if self._writer is None:
            await in_worker(self._open)

    def _open(self) -> None:
        with self._opening:
            if self._writer is not None:
                return
            prepare_file(self._options)
            self._replica = Replica(self._sql, self._make_arena)
            self._reader = connect(self._options)
            replica = self._replica
            self._writer = Writer(
                connect(self._options), self._options, self._sql, replica.catch_up, replica.apply
            )  # fmt: skip

    async def aclose(self) -> None:
        """Commit what waits and close the file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await in_worker(lambda: self._close(writer))

    def _close(self, writer: Writer) -> None:
        with self._reader_lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        writer.close()

    def _open_writer(self) -> Writer:
        if self._writer is None:
            raise AdapterUnavailable(f"{self._options.path!r} is not open; call open() first")
        return self._writer

    async def _loaded(self, namespace: str) -> Arena:
        """Return the arena of a namespace as this process last saw it; enough to write, which catches up itself."""
        arena = self._replica.arenas.get(namespace)
        if arena is not None and self._writer is not None and not self._loads.has_queue(namespace):
            return arena
        writer = self._open_writer()
        return await self._loads.join(namespace, lambda: self._load(writer, namespace))

    async def _arena(self, namespace: str) -> Arena:
        arena = await self._loaded(namespace)
        writer = self._open_writer()
        if self._reader_lock.acquire(blocking=False):
            try:
                lag = self._news()
                if 0 < lag <= _INLINE_NEWS and writer.lock.acquire(blocking=False):
                    try:
                        self._catch_up()
                    finally:
                        writer.lock.release()
            finally:
                self._reader_lock.release()
            if lag > _INLINE_NEWS:
                await in_worker(lambda: self._catch_up_waiting(writer))
        return arena

    def _news(self) -> int:
        """Count what other processes have committed since we looked."""
        if self._reader is None:
            return 0
        with mapped_errors(self._options.path):
            return self._replica.lag(self._reader)

    def _catch_up(self) -> None:
        if self._reader is not None:
            with mapped_errors(self._options.path):
                self._replica.catch_up(self._reader)

    def _catch_up_waiting(self, writer: Writer) -> None:
        with writer.lock, self._reader_lock:
            self._catch_up()

    def _load(self, writer: Writer, namespace: str) -> Arena:
        with writer.lock, self._reader_lock:
            if self._reader is None:
                raise AdapterUnavailable(f"{self._options.path!r} was closed meanwhile")
            with mapped_errors(self._options.path):
                return self._replica.load(self._reader, namespace)

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``.

        Raises
        ------
        CorruptEntryError
            If one of them is in the file but cannot be decoded.
        """
        entries = await super().get_many(namespace, ids)
        if self._replica.corrupt:
            for id in ids:
                damaged = self._replica.corrupt.get((namespace, id))
                if damaged is not None:
                    raise damaged
        return entries

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole, replacing those with the same ids; committed when this returns."""
        writer = self._open_writer()
        arena = await self._loaded(namespace)
        arena.check_dims(entries)
        await writer.write(Put(namespace, entries))
        self._compact_if_due(arena)

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there."""
        writer = self._open_writer()
        arena = await self._arena(namespace)
        if not arena.rows_of(ids) and not self._replica.corrupt:
            return 0
        count = await writer.write(Delete(namespace, list(ids)))
        self._compact_if_due(arena)
        return count

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        writer = self._open_writer()
        changed = (await self._arena(namespace)).touch(touches)
        if changed:
            await writer.write(Count(namespace, changed))

    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace."""
        writer = self._open_writer()
        await self._arena(namespace)
        await writer.write(Clear(namespace))

    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        return sorted(name for (name,) in await in_worker(lambda: self._query(self._sql.namespaces)))

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one."""
        writer = self._open_writer()
        arena = await self._arena(namespace)
        if arena.fingerprint is None and fingerprint is not None:
            await writer.write(Bind(namespace, fingerprint))
        return arena.fingerprint

    async def stats(self) -> AdapterStats:
        """Describe the present state."""
        self._open_writer()
        path = self._options.path
        rows = await in_worker(lambda: self._query(self._sql.total))
        size = await in_worker(lambda: sum(map(_file_size, (path, path + "-wal", path + "-shm"))))
        return AdapterStats(
            backend=f"SQLite {sqlite3.sqlite_version}",
            entries=rows[0][0],
            bytes=size,
            details={
                "path": path,
                "collection": self._options.collection,
                "synchronous": self._options.synchronous,
                "loaded_namespaces": len(self._replica.arenas),
                "corrupt_entries": [id for _, id in self._replica.corrupt],
            },
        )

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._reader_lock:
            if self._reader is None:
                raise AdapterUnavailable(f"{self._options.path!r} is not open; call open() first")
            with mapped_errors(self._options.path):
                return self._reader.execute(sql).fetchall()


def _file_size(path: str) -> int:
    """Bytes of a file; 0 where there is none."""
    return os.path.getsize(path) if os.path.exists(path) else 0
