"""Asking an adapter the way a tier does: its own part of the filter there, the residual here."""

from __future__ import annotations

import msgspec

from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.filter.evaluate import matches
from axon.core.models import Hit, MemoryEntry, SearchRequest, Vector
from axon.core.ports import OrderBy, StorageAdapter


async def scan_all(
    adapter: StorageAdapter,
    namespace: str,
    node: FilterNode = EVERYTHING,
    *,
    order_by: OrderBy = "created_at",
    descending: bool = False,
    limit: int = 1000,
) -> list[MemoryEntry]:
    """Walk all pages and keep what satisfies ``node`` exactly."""
    residual = adapter.compile(node).residual
    found: list[MemoryEntry] = []
    cursor: str | None = None
    while True:
        page = await adapter.scan(
            namespace, node, order_by=order_by, descending=descending, cursor=cursor, limit=limit
        )
        assert len(page.entries) <= limit, f"a page of {len(page.entries)} entries, {limit} were asked for"
        found += [entry for entry in page.entries if matches(residual, entry)]
        cursor = page.cursor
        if cursor is None:
            return found


async def count_exactly(adapter: StorageAdapter, namespace: str, node: FilterNode = EVERYTHING) -> int:
    """Count by the adapter where it is exact, else by walking."""
    if adapter.compile(node).residual == EVERYTHING:
        return await adapter.count(namespace, node)
    return len(await scan_all(adapter, namespace, node))


async def search_exactly(adapter: StorageAdapter, namespace: str, request: SearchRequest) -> list[Hit]:
    """Answer one search, fetching further until k exact hits are found or the data is exhausted."""
    residual = adapter.compile(request.filter).residual
    width = request.k
    while True:
        wider = msgspec.structs.replace(request, k=width)
        hits = (await adapter.search_many(namespace, [wider]))[0]
        kept = [hit for hit in hits if matches(residual, hit.entry)]
        if residual == EVERYTHING or len(kept) >= request.k or len(hits) < width:
            return kept if request.text is not None and request.vector is not None else kept[: request.k]
        width *= 2


async def search(
    adapter: StorageAdapter,
    namespace: str,
    vector: Vector | None = None,
    *,
    text: str | None = None,
    k: int = 10,
    node: FilterNode = EVERYTHING,
) -> list[Hit]:
    """Answer one search given by its parts."""
    return await search_exactly(adapter, namespace, SearchRequest(node, k, vector, text))


def ids_of(hits: list[Hit]) -> list[str]:
    """Ids of hits, in order."""
    return [hit.entry.id for hit in hits]
