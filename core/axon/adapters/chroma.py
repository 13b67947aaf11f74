"""The Chroma adapter: embedded in memory or in a folder, or on a server."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TypeVar

from axon.adapters._filters.chroma import Where, compile_filter, support
from axon.core.adapter_options import AdapterOptions, ChromaOptions
from axon.core.clock import Clock, SystemClock
from axon.core.errors import AdapterUnavailable, MissingDependencyError
from axon.core.filter.ast import FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, Touch
from axon.core.ports import AdapterStats, Capabilities, OrderBy, StorageAdapter

if TYPE_CHECKING:
    from axon.adapters._chroma.session import Session

T = TypeVar("T")


class ChromaAdapter(StorageAdapter):
    """Keeps entries in Chroma, one collection per namespace, and a second one for entries without a vector.

    Chroma's client blocks, so it lives in threads: one that writes, joining what gathers, and for a server a few that
    read. Nothing is ever embedded by Chroma, and no model is downloaded.

    Parameters
    ----------
    options : see ``ChromaOptions``.
    clock : decides what has expired.

    Raises
    ------
    MissingDependencyError
        If the package ``chromadb`` is not installed.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        if find_spec("chromadb") is None:
            raise MissingDependencyError("chromadb", "chroma")
        self._options = options if isinstance(options, ChromaOptions) else ChromaOptions()
        self._clock = clock or SystemClock()
        self._opening = threading.Lock()
        self._session: Session | None = None
        self._in_memory: Session | None = None
        durable = self._options.path is not None or self._options.host is not None
        self.capabilities = Capabilities(text_search=False, durable=durable, max_batch=5000)

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter into a ``where`` clause and what Chroma cannot check."""
        return compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what Chroma does with one predicate."""
        return support(predicate)

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
        from axon.adapters._chroma.session import Session

        with self._opening:
            if self._session is not None:
                return
            if self._in_memory is None:
                self._session = Session(self._options)
                if not self.capabilities.durable:
                    self._in_memory = self._session
                    weakref.finalize(self, self._session.close)
            else:
                self._session = self._in_memory

    async def aclose(self) -> None:
        """Finish what was asked for and let go of Chroma; what is only in memory lives as long as this object."""
        session, self._session = self._session, None
        if session is not None and self.capabilities.durable:
            await asyncio.to_thread(session.close)

    def _opened(self) -> Session:
        if self._session is None:
            raise AdapterUnavailable("the Chroma adapter is not open; call open() first")
        return self._session

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole; written when this returns."""
        if entries:
            session = self._opened()
            own = [entry.detached() for entry in entries]
            await session.lanes.write(session.room(namespace), session.put_each, own, len(own))

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""
        if not ids:
            return []
        room, now_us = self._opened().room(namespace), self._clock.now_us()
        return await self._opened().lanes.read(room, lambda: room.get(ids, now_us))

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there."""
        if not ids:
            return 0
        session = self._opened()
        return await session.lanes.write(session.room(namespace), session.delete_each, list(ids), len(ids))

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order; Chroma has no ranking of words, so the text of a request is passed over."""
        if not requests:
            return []
        session, now_us = self._opened(), self._clock.now_us()
        room = session.room(namespace)
        return await session.lanes.read(room, lambda: session.search(room, requests, now_us))

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
        return await self._read_matching(
            namespace,
            node,
            Page([]),
            lambda session, where, now_us: session.page(
                namespace, where, now_us, order_by, descending, cursor, limit
            ),
        )

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """Ids of up to ``limit`` expired entries that still take up room."""
        room, now_us = self._opened().room(namespace), self._clock.now_us()
        return await self._opened().lanes.read(room, lambda: room.expired(limit, now_us))

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the unexpired entries that satisfy the native part of ``node``."""
        return await self._read_matching(
            namespace, node, 0, lambda session, where, now_us: session.room(namespace).count(where, now_us)
        )

    async def _read_matching(
        self,
        namespace: str,
        node: FilterNode,
        nothing: T,
        work: Callable[[Session, Where | bool, int], T],
    ) -> T:
        session, now_us = self._opened(), self._clock.now_us()
        where: Any = compile_filter(node).native
        if where is False:
            return nothing
        return await session.lanes.read(session.room(namespace), lambda: work(session, where, now_us))

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        if touches:
            session = self._opened()
            await session.lanes.write(session.room(namespace), session.touch_each, list(touches), len(touches))

    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace."""
        session = self._opened()
        await session.lanes.write(session.room(namespace), session.clear_each, None)

    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        session = self._opened()
        return await session.lanes.run(lambda: sorted(name for name, count in session.sizes().items() if count))

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one."""
        session = self._opened()
        return await session.lanes.write(session.room(namespace), session.bind_each, fingerprint)

    async def stats(self) -> AdapterStats:
        """Describe the present state."""
        session = self._opened()
        return await session.lanes.run(session.stats)
