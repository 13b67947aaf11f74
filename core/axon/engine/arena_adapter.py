"""The reading half of every adapter that answers from arenas, and the choice of thread for each call."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from axon.core.clock import Clock
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, TextStatistics
from axon.core.ports import NOT_NOW, NotNow, OrderBy, StorageAdapter
from axon.engine.arena import Arena, View
from axon.engine.micro_batch import MicroBatcher
from axon.engine.paging import page
from axon.engine.search import can_share, check_query, count, search, search_together
from axon.engine.workers import executor, in_worker

_INLINE_FLOATS = 4_000_000
"""Vector elements scanned on the calling thread: about a millisecond. A thread hop would cost more than it saves."""

_SHARING_FLOATS = 1_500_000
"""Vector elements from which on a search waits a turn of the loop for others to share the scan with."""

_INLINE_ROWS = 4_000
"""Rows walked in Python, or caught up with, on the calling thread; a few milliseconds at most."""


class ArenaAdapter(StorageAdapter):
    """Base of adapters whose entries lie in arenas in this process.

    Parameters
    ----------
    clock : decides what has expired.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._batchers: dict[int, tuple[Arena, MicroBatcher]] = {}

    @abstractmethod
    async def _arena(self, namespace: str) -> Arena:
        """Return the arena of a namespace, loaded and up to date."""

    def _arena_now(self, namespace: str) -> Arena | None:
        """Return the same without waiting, or None where that takes waiting."""
        return None

    def get_now(self, namespace: str, id: str) -> MemoryEntry | NotNow | None:
        """Read one entry without waiting, where its arena is at hand."""
        arena = self._arena_now(namespace)
        return NOT_NOW if arena is None else arena.get(id, self.clock.now_us())

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""
        arena = await self._arena(namespace)
        now_us = self.clock.now_us()
        return [arena.get(id, now_us) for id in ids]

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order; see the port."""
        arena = self._arena_now(namespace)
        if arena is None:
            arena = await self._arena(namespace)
        if not len(arena):
            return [[] for _ in requests]
        view = arena.view(self.clock.now_us())
        if len(requests) != 1:
            if _fits_inline(view, requests):
                return search_together(view, requests)
            return await in_worker(lambda: search_together(view, requests))
        request = requests[0]
        if view.floats < _SHARING_FLOATS or not can_share(view, request):
            if _fits_inline(view, requests):
                return [search(view, request)]
        check_query(view, request)
        return [await self._batcher(arena).search(request)]

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it."""
        view = (await self._arena(namespace)).view(self.clock.now_us())
        index = view.text
        if index is None:
            return None
        if index.lag(view.size) <= _INLINE_ROWS // 10:
            return index.statistics(text, view.size)
        return await in_worker(lambda: index.statistics(text, view.size))

    def _batcher(self, arena: Arena) -> MicroBatcher:
        known = self._batchers.get(id(arena))
        if known is None:
            batcher = MicroBatcher(
                lambda requests: search_together(arena.view(self.clock.now_us()), requests),
                lambda requests: _fits_inline(arena.view(self.clock.now_us()), requests),
            )
            known = self._batchers[id(arena)] = arena, batcher
        return known[1]

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
        view = (await self._arena(namespace)).view(self.clock.now_us())
        if view.size <= _INLINE_ROWS:
            return page(view, node, order_by, descending, cursor, limit)
        return await in_worker(lambda: page(view, node, order_by, descending, cursor, limit))

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the unexpired entries that satisfy ``node``."""
        arena = await self._arena(namespace)
        view = arena.view(self.clock.now_us())
        if node is EVERYTHING and view.alive is EVERYTHING:
            return len(arena)
        if view.size <= _INLINE_ROWS:
            return count(view, node)
        return await in_worker(lambda: count(view, node))

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """Ids of up to ``limit`` expired entries that still take up room."""
        arena = await self._arena(namespace)
        return arena.expired(self.clock.now_us(), limit)

    @staticmethod
    def _compact_if_due(arena: Arena) -> None:
        """Hand a compaction to a worker when more than half of the arena is dead."""
        if arena.wants_compaction:
            executor().submit(arena.compact)


def _fits_inline(view: View, requests: Sequence[SearchRequest]) -> bool:
    """Tell whether answering on the calling thread takes about a millisecond at most."""
    for request in requests:
        if (
            request.text is not None
            and view.text is not None
            and view.text.lag(view.size) > _INLINE_ROWS // 10
        ):
            return False
        if request.filter is not EVERYTHING and view.columns.lag(request.filter, view.size) > _INLINE_ROWS:
            return False
    return view.floats * len(requests) <= _INLINE_FLOATS
