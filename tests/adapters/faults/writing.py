"""Writers that note what was acknowledged, and readers that find out whether it is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from axon.core.errors import AdapterError
from axon.core.models import MemoryEntry
from axon.core.ports import StorageAdapter
from axon.testing.entries import make_entry
from axon.testing.exact import scan_all
from tests.core.killed_writer import fields_of, is_whole, text_of

T = TypeVar("T")

NS = "written"
BATCH = 3
WRITERS = 4
ENOUGH = 60
RECOVERY_SECONDS = 60.0


def entry_of(id: str, n: int) -> MemoryEntry:
    return make_entry(id, text=text_of(n), **fields_of(n))


class Writers:
    """Tasks that write, overwrite and delete until the first failure after ``fault_begins``.

    Attributes
    ----------
    stored : ids that were acknowledged, and not deleted since.
    deleted : ids whose deletion was acknowledged.
    latest : per writer, the version of its entry ``latest-<writer>`` that was acknowledged last.
    failures : what ended the writers, and how many seconds the call had taken.
    """

    def __init__(self, adapter: StorageAdapter) -> None:
        self._adapter = adapter
        self._faulty = False
        self._enough = asyncio.Event()
        self.stored: dict[str, int] = {}
        self.deleted: set[str] = set()
        self.latest: dict[int, int] = {}
        self.failures: list[tuple[AdapterError, float]] = []
        self._tasks = [asyncio.create_task(self._write(writer)) for writer in range(WRITERS)]

    async def fault_begins(self, begin: Callable[[], None]) -> None:
        """Let ``ENOUGH`` entries be acknowledged, begin a fault in the midst of writing, and wait for its effects."""
        await self._enough.wait()
        begin()
        self._faulty = True
        await asyncio.gather(*self._tasks)

    async def _write(self, writer: int) -> None:
        n = 0
        while True:
            numbers = range(n, n + BATCH)
            started = time.monotonic()
            try:
                await self._put(writer, list(numbers))
                await self._delete(writer, n)
            except AdapterError as error:
                if self._faulty:
                    self.failures.append((error, time.monotonic() - started))
                    return
            n += BATCH
            if len(self.stored) >= ENOUGH:
                self._enough.set()

    async def _put(self, writer: int, numbers: list[int]) -> None:
        entries = [entry_of(f"{writer}-{n}", n) for n in numbers]
        await self._adapter.put_many(NS, [*entries, entry_of(f"latest-{writer}", numbers[0])])
        self.stored.update({f"{writer}-{n}": n for n in numbers})
        self.latest[writer] = numbers[0]

    async def _delete(self, writer: int, n: int) -> None:
        id = f"{writer}-{n}"
        # Until it is acknowledged, nobody can tell.
        del self.stored[id]
        await self._adapter.delete_many(NS, [id])
        self.deleted.add(id)

    async def check(self, adapter: StorageAdapter) -> None:
        """Fail unless everything is as it was acknowledged, by id and in a walk, and nothing is torn."""
        for find in (_by_walk, _by_id):
            found = await recovered(lambda find=find: find(adapter, [*self.stored, *self.deleted]))  # type: ignore[misc]  # the default binds it
            assert [id for id in self.stored if id not in found] == [], "acknowledged entries are lost"
            assert [id for id in self.deleted if id in found] == [], "deleted entries are back"
            for id, n in self.stored.items():
                assert is_whole(found[id], n), f"entry {id} is torn: {found[id]!r}"
        newest = await recovered(lambda: _by_id(adapter, [f"latest-{writer}" for writer in self.latest]))
        for writer, acknowledged in self.latest.items():
            entry = newest[f"latest-{writer}"]
            assert entry.metadata["n"] in (acknowledged, acknowledged + BATCH), "an older version is back"
            assert is_whole(entry, entry.metadata["n"])


async def _by_id(adapter: StorageAdapter, ids: list[str]) -> dict[str, MemoryEntry]:
    return {entry.id: entry for entry in await adapter.get_many(NS, ids) if entry is not None}


async def _by_walk(adapter: StorageAdapter, ids: list[str]) -> dict[str, MemoryEntry]:
    return {entry.id: entry for entry in await scan_all(adapter, NS)}


async def recovered(call: Callable[[], Awaitable[T]]) -> T:
    """Call until it does not fail any more, as an application would that was not restarted."""
    end = time.monotonic() + RECOVERY_SECONDS
    while True:
        try:
            return await call()
        except AdapterError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.02)
