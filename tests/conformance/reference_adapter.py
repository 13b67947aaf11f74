"""The plainest adapter there is: the oracle behind the port. It proves that the suite can be passed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from axon.core.clock import Clock
from axon.core.errors import EmbeddingMismatchError
from axon.core.filter.ast import FilterNode
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, Touch, Vector
from axon.core.ports import AdapterStats, Capabilities, OrderBy, StorageAdapter
from axon.engine.terms import query_terms, words
from axon.testing.oracle import ORDER_KEYS, Oracle, cosine


class ReferenceAdapter(StorageAdapter):
    """Keeps everything in the oracle it is given; several adapters on one oracle see the same data."""

    capabilities = Capabilities(text_search=True, durable=True)

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle

    @classmethod
    def empty(cls, clock: Clock) -> ReferenceAdapter:
        return cls(Oracle(clock))

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        self.oracle.put(namespace, entries)

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        found = {entry.id: entry for entry in self.oracle.select(namespace)}
        return [found.get(id) for id in ids]

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        return self.oracle.delete(namespace, ids)

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        return [self.answer(namespace, request) for request in requests]

    def answer(self, namespace: str, request: SearchRequest) -> list[Hit]:
        hits = [self.hit(entry, request) for entry in self.oracle.select(namespace, request.filter)]
        if request.vector is None and request.text is None:
            return hits[: request.k]
        near = sorted(
            (hit for hit in hits if hit.similarity is not None), key=lambda hit: -(hit.similarity or 0.0)
        )
        worded = sorted((hit for hit in hits if hit.text_score), key=lambda hit: -(hit.text_score or 0.0))
        return list({id(hit): hit for hit in near[: request.k] + worded[: request.k]}.values())

    def hit(self, entry: MemoryEntry, request: SearchRequest) -> Hit:
        score = None if request.text is None else self.text_score(request.text, entry.text)
        stored = entry.stored_vector
        if request.vector is None or stored is None:
            return Hit(entry, None, score)
        return Hit(entry, self.similarity(request.vector, stored), score)

    def similarity(self, query: Vector, stored: Vector) -> float:
        if query.shape != stored.shape:
            raise EmbeddingMismatchError(
                f"the query has {query.shape[0]} dimensions, an entry {stored.shape[0]}"
            )
        return min(1.0, max(-1.0, cosine(query, stored)))

    def text_score(self, query: str, text: str) -> float:
        found = words(text)
        return float(sum(min(1, found.count(word)) for word in query_terms(query)))

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
        entries = self.oracle.ordered(namespace, node, order_by, descending)
        if cursor is not None:
            entries = [entry for entry in entries if self.behind(cursor, entry, order_by, descending)]
        page = entries[:limit]
        more = len(entries) > limit
        key = ORDER_KEYS[order_by]
        return Page(page, json.dumps([key(page[-1].record), page[-1].id]) if more else None)

    def behind(self, cursor: str, entry: MemoryEntry, order_by: OrderBy, descending: bool) -> bool:
        key, id = json.loads(cursor)
        mine = ORDER_KEYS[order_by](entry.record)
        if mine == key:
            return bool(entry.id > id)
        return bool(mine < key if descending else mine > key)

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        return self.oracle.expired(namespace)[:limit]

    async def count(self, namespace: str, node: FilterNode) -> int:
        return len(self.oracle.select(namespace, node))

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        self.oracle.touch(namespace, touches)

    async def clear(self, namespace: str) -> None:
        self.oracle.clear(namespace)

    async def namespaces(self) -> list[str]:
        return self.oracle.namespaces()

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        return self.oracle.bind(namespace, fingerprint)

    async def stats(self) -> AdapterStats:
        return AdapterStats(backend="reference", entries=self.oracle.size())
