"""One tier: a policy, an adapter, and the part of a filter that the adapter cannot check itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import msgspec

from axon.core.clock import Clock
from axon.core.errors import AdapterError
from axon.core.filter.ast import EVERYTHING, NOTHING, FilterNode
from axon.core.filter.evaluate import matches
from axon.core.filter.residual import CompiledFilter, bind_tier
from axon.core.models import Hit, MemoryEntry, SearchRequest, Tier
from axon.core.policies import TierPolicy
from axon.core.ports import OrderBy, StorageAdapter
from axon.core.registry import build_adapter

_PAGE = 1000
_WIDEST = 1 << 20
"""Candidates at which a widening search stops doubling; beyond any real corpus of one namespace."""


class TierStore:
    """A tier of a memory.

    Parameters
    ----------
    policy : its rules.
    clock : given to the adapter.
    adapter : used instead of the one the policy names; it is then not closed by the memory.
    """

    def __init__(self, policy: TierPolicy, clock: Clock, adapter: StorageAdapter | None = None) -> None:
        self.name: Tier = policy.tier
        self.policy = policy
        self.owns_adapter = adapter is None
        self.adapter = adapter if adapter is not None else build_adapter(policy, clock)
        self.has_text = self.adapter.capabilities.text_search
        self.needs_care = policy.max_entries is not None or policy.compaction_threshold is not None
        self.compacting = False
        self.last_error: str | None = None

    def compile(self, node: FilterNode) -> tuple[FilterNode, FilterNode]:
        """Split a filter for this tier into what the adapter is given and what is checked here.

        Returns
        -------
        (node, residual) : both ``EVERYTHING`` for no filter; ``node`` is ``NOTHING`` where the tier is excluded.
        """
        if node is EVERYTHING:
            return EVERYTHING, EVERYTHING
        bound = bind_tier(node, self.name)
        if bound is EVERYTHING or bound is NOTHING:
            return bound, EVERYTHING
        compiled: CompiledFilter = self.adapter.compile(bound)
        return bound, compiled.residual

    async def search(self, namespace: str, request: SearchRequest) -> list[Hit]:
        """Answer one request exactly, fetching on where the adapter lets through more than the filter."""
        if request.filter is EVERYTHING:
            return (await self.adapter.search_many(namespace, (request,)))[0]
        node, residual = self.compile(request.filter)
        if node is NOTHING:
            return []
        if node is not request.filter:
            request = msgspec.structs.replace(request, filter=node)
        if residual is EVERYTHING:
            return (await self.adapter.search_many(namespace, (request,)))[0]
        return await self._search_widening(namespace, request, residual)

    async def _search_widening(
        self, namespace: str, request: SearchRequest, residual: FilterNode
    ) -> list[Hit]:
        wanted, width = request.k, request.k
        while True:
            width *= 2
            wider = msgspec.structs.replace(request, k=width)
            hits = (await self.adapter.search_many(namespace, (wider,)))[0]
            kept = [hit for hit in hits if matches(residual, hit.entry)]
            channels = 2 if request.vector is not None and request.text is not None else 1
            if len(kept) >= wanted * channels or len(hits) < width or width >= _WIDEST:
                return kept if channels == 2 else kept[:wanted]

    async def scan(
        self,
        namespace: str,
        node: FilterNode,
        *,
        order_by: OrderBy = "created_at",
        descending: bool = False,
        limit: int = _PAGE,
    ) -> AsyncGenerator[list[MemoryEntry]]:
        """Walk the entries that satisfy ``node``, page by page."""
        native, residual = self.compile(node)
        if native is NOTHING:
            return
        cursor = None
        while True:
            page = await self.adapter.scan(
                namespace, native, order_by=order_by, descending=descending, cursor=cursor, limit=limit
            )
            entries = (
                page.entries if residual is EVERYTHING else [e for e in page.entries if matches(residual, e)]
            )
            for entry in entries:
                entry.tier = self.name
            if entries:
                yield entries
            cursor = page.cursor
            if cursor is None:
                return

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the entries that satisfy ``node``."""
        native, residual = self.compile(node)
        if native is NOTHING:
            return 0
        if residual is EVERYTHING:
            return await self.adapter.count(namespace, native)
        return sum([len(page) async for page in self.scan(namespace, node)])

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""
        entries = await self.adapter.get_many(namespace, ids)
        for entry in entries:
            if entry is not None:
                entry.tier = self.name
        return entries

    def note_error(self, error: AdapterError) -> None:
        """Remember an error for ``stats()``."""
        self.last_error = f"{type(error).__name__}: {error}"
