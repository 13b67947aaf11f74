"""One writing connection, used from whichever thread is cheapest.

A hop to a thread and back costs four times an insert. So a small change is committed on the calling thread, which
with ``synchronous=normal`` waits for no disk, as long as nobody else is writing; everything else goes to the writer
thread, which commits whatever has gathered in one transaction. Order is kept: while the thread has work, nothing
overtakes it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from axon.adapters._sqlite.errors import mapped_errors
from axon.adapters._sqlite.statements import Change, Outcome, Put, Statements, carry_out
from axon.core.adapter_options import SqliteOptions
from axon.core.errors import AdapterTimeout

_INLINE_ROWS = 8
_CHECKPOINT_ROWS = 2_000
"""Rows after which the log is folded into the database; some megabytes of log at 384 dimensions."""

Apply = Callable[[Change, Outcome], int]
"""Applies a committed change in memory and tells what that came to: for a deletion, how many entries were there."""


class Writer:
    """Commits changes, then applies them in memory, both under one lock.

    Parameters
    ----------
    connection : used by nobody else.
    options : of the adapter.
    sql : of the collection.
    catch_up : brings memory up to date with other processes and returns the last number used; called inside the
        transaction, with the connection.
    apply : applies a committed change in memory.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        options: SqliteOptions,
        sql: Statements,
        catch_up: Callable[[sqlite3.Connection], int],
        apply: Apply,
    ) -> None:
        self.lock = threading.Lock()
        self._connection = connection
        self._path = options.path
        self._busy_ms = round(options.busy_timeout * 1000)
        self._inline = options.synchronous == "normal"
        self._sql = sql
        self._catch_up = catch_up
        self._apply = apply
        self._keys: dict[str, int] = {}
        self._version = -1
        self._newest = 0
        self._rows_since_checkpoint = 0
        self._queue: list[tuple[Change, Future[int]]] = []
        self._queue_lock = threading.Lock()
        self._draining = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="axon-sqlite")

    async def write(self, change: Change) -> int:
        """Commit a change; when this returns, it is in the file and in memory.

        Returns
        -------
        What applying it returned: for a deletion, how many entries were there.

        Raises
        ------
        AdapterError
            If it could not be committed; nothing of it was written.
        """
        done = self._try_inline(change)
        return await asyncio.wrap_future(self._enqueue(change)) if done is None else done

    def _try_inline(self, change: Change) -> int | None:
        """Commit on this thread, or return None where that would wait for anybody."""
        small = self._inline and change.weight <= _INLINE_ROWS
        if not small or self._has_backlog() or not self.lock.acquire(blocking=False):
            return None
        try:
            if self._has_backlog():
                return None
            with mapped_errors(self._path):
                done = self._commit([change])[0]
        except AdapterTimeout:
            return None
        finally:
            self.lock.release()
        if self._rows_since_checkpoint >= _CHECKPOINT_ROWS:
            self._rows_since_checkpoint = 0
            self._thread.submit(self._checkpoint)
        return done

    def _has_backlog(self) -> bool:
        return self._draining

    def _enqueue(self, change: Change) -> Future[int]:
        if isinstance(change, Put) and change.weight <= _INLINE_ROWS:
            change = Put(change.namespace, [entry.detached() for entry in change.entries])
        future: Future[int] = Future()
        with self._queue_lock:
            self._queue.append((change, future))
            if not self._draining:
                self._draining = True
                self._thread.submit(self._drain)
        return future

    def _drain(self) -> None:
        """Commit everything that has gathered, until nothing is left; runs in the writer thread."""
        while True:
            with self._queue_lock:
                batch, self._queue = self._queue, []
                if not batch:
                    self._draining = False
                    return
            wanted = [(change, future) for change, future in batch if future.set_running_or_notify_cancel()]
            try:
                with self.lock, mapped_errors(self._path):
                    self._connection.execute(f"PRAGMA busy_timeout={self._busy_ms}")
                    try:
                        answers = self._commit([change for change, _ in wanted])
                    finally:
                        self._connection.execute("PRAGMA busy_timeout=0")
            except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
                for _, future in wanted:
                    future.set_exception(error)
                continue
            for (_, future), answer in zip(wanted, answers, strict=True):
                future.set_result(answer)
            if self._rows_since_checkpoint >= _CHECKPOINT_ROWS:
                self._checkpoint()

    def _commit(self, changes: list[Change]) -> list[int]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA data_version").fetchone()[0]
            if version != self._version:
                self._newest, self._version = self._catch_up(connection), version
            newest, outcomes = self._newest, []
            for change in changes:
                outcome = carry_out(connection, self._sql, self._key(change.namespace), change, newest)
                newest = outcome.newest
                outcomes.append(outcome)
            connection.execute("COMMIT")
        except BaseException:
            self._keys.clear()
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._newest = newest
        self._rows_since_checkpoint += sum(change.weight for change in changes)
        return [self._apply(change, outcome) for change, outcome in zip(changes, outcomes, strict=True)]

    def _key(self, namespace: str) -> int:
        key = self._keys.get(namespace)
        if key is None:
            row = self._connection.execute(self._sql.find_namespace, (namespace,)).fetchone()
            if row is None:
                key = int(self._connection.execute(self._sql.make_namespace, (namespace,)).lastrowid or 0)
            else:
                key = int(row[0])
            self._keys[namespace] = key
        return key

    def _checkpoint(self) -> None:
        """Fold the log into the database as far as readers allow; runs in the writer thread."""
        with self.lock:
            self._rows_since_checkpoint = 0
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        """Commit what waits, fold the log away and close the connection; blocks."""
        self._thread.shutdown(wait=True)
        with self.lock, mapped_errors(self._path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
