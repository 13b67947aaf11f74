"""The async face of adapters whose client blocks."""

from __future__ import annotations

import asyncio
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from axon.adapters._shared.room import Room, Session, Step
from axon.core.clock import Clock, SystemClock
from axon.core.errors import AdapterUnavailable
from axon.core.filter.ast import FilterNode
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, TextStatistics, Touch
from axon.core.ports import AdapterStats, OrderBy, StorageAdapter

T = TypeVar("T")


class ThreadedAdapter(StorageAdapter):
    """Base of adapters that work in threads, so that one object serves every event loop and blocks none.

    Parameters
    ----------
    name : for messages.
    clock : decides what has expired.
    """

    def __init__(self, name: str, clock: Clock | None) -> None:
        self._name = name
        self._clock = clock or SystemClock()
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._in_memory: Session | None = None

    @abstractmethod
    def _connect(self) -> Session:
        """Connect; runs in a thread."""

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        AdapterUnavailable
            If the server cannot be reached, or another process uses the folder.
        AdapterTimeout
            If the server does not answer in time.
        """
        if self._session is None:
            await asyncio.to_thread(self._open)

    def _open(self) -> None:
        with self._opening:
            if self._session is not None:
                return
            if self._in_memory is None:
                session = self._connect()
                if not self.capabilities.durable:
                    self._in_memory = session
                    weakref.finalize(self, session.close)
                self._session = session
            else:
                self._session = self._in_memory

    async def aclose(self) -> None:
        """Finish what was asked for and let go; what is only in memory lives as long as this object."""
        session, self._session = self._session, None
        if session is not None and self.capabilities.durable:
            await asyncio.to_thread(session.close)

    def _opened(self) -> Session:
        if self._session is None:
            raise AdapterUnavailable(f"the {self._name} adapter is not open; call open() first")
        return self._session

    async def _read(self, namespace: str, work: Callable[[Room, int], T]) -> T:
        session, now_us = self._opened(), self._clock.now_us()
        room = session.room(namespace)
        return await session.lanes.read(room, lambda: work(room, now_us))

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole; written when this returns."""
        if entries:
            session = self._opened()
            own = [entry.detached() for entry in entries]
            await session.lanes.write(session.room(namespace), put_each, own, len(own))

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""
        wanted = list(ids)
        return await self._read(namespace, lambda room, now_us: room.get(wanted, now_us)) if wanted else []

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there."""
        if not ids:
            return 0
        session = self._opened()
        return await session.lanes.write(session.room(namespace), delete_each, list(ids), len(ids))

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order; the text of a request is passed over where words are not ranked."""
        return (
            await self._read(namespace, lambda room, now_us: room.search(requests, now_us))
            if requests
            else []
        )

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it; None where words are not ranked."""
        if not self.capabilities.text_search:
            return None
        return await self._read(namespace, lambda room, now_us: room.text_statistics(text))

    async def scan(
        self,
        namespace: str,
        node: FilterNode,
        *,
        order_by: OrderBy = "created_at",
        descending: bool = False,
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page:
        """Walk entries in order; see the port."""
        native: Any = self.compile(node).native
        if native is False:
            return Page([])
        step = Step(order_by, descending, cursor, limit)
        return await self._read(namespace, lambda room, now_us: room.page(native, now_us, step))

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """Ids of up to ``limit`` expired entries that still take up room."""
        return await self._read(namespace, lambda room, now_us: room.expired(limit, now_us))

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the unexpired entries that satisfy the native part of ``node``."""
        native: Any = self.compile(node).native
        if native is False:
            return 0
        return await self._read(namespace, lambda room, now_us: room.count(native, now_us))

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        if touches:
            session = self._opened()
            await session.lanes.write(session.room(namespace), touch_each, list(touches), len(touches))

    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace."""
        session = self._opened()
        await session.lanes.write(session.room(namespace), clear_each, None)

    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        session = self._opened()
        return await session.lanes.run(
            lambda: sorted(name for name, count in session.sizes().items() if count)
        )

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one."""
        session = self._opened()
        return await session.lanes.write(session.room(namespace), bind_each, fingerprint)

    async def stats(self) -> AdapterStats:
        """Describe the present state; while the circuit is open, that it is, instead of failing."""
        session = self._opened()
        circuit = session.circuit
        if circuit is None:
            return await session.lanes.run(session.stats)
        if circuit.is_open:
            return AdapterStats(backend=self._name, details=circuit.details())
        found = await session.lanes.run(session.stats)
        found.details |= circuit.details()
        return found


# One object per kind of write, by which the lanes tell which neighbours can be joined.


def put_each(room: Room, batches: Sequence[Sequence[MemoryEntry]]) -> Sequence[Exception | None]:
    """Write batches."""
    return room.put_each(batches)


def delete_each(room: Room, batches: Sequence[Sequence[str]]) -> Sequence[int | Exception]:
    """Delete batches."""
    return room.delete_each(batches)


def touch_each(room: Room, batches: Sequence[Sequence[Touch]]) -> Sequence[Exception | None]:
    """Add access statistics."""
    return room.touch_each(batches)


def bind_each(room: Room, fingerprints: Sequence[str | None]) -> Sequence[str | Exception | None]:
    """Record a fingerprint."""
    return room.bind_each(fingerprints)


def clear_each(room: Room, times: Sequence[None]) -> Sequence[Exception | None]:
    """Delete everything."""
    return room.clear_each(times)
