"""Finding items: by meaning or by words first, then whatever else is there, the latest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import aclosing
from itertools import islice
from typing import NamedTuple

from langgraph.store.base import MatchCondition

from axon.core.filter.ast import EVERYTHING, Eq, FilterNode, Ne, all_of
from axon.core.keyed import KeyedEntries
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, RecallResult
from axon.core.policies import RecallMode
from axon_integrations._shared.relevance import RELEVANCE_ALONE
from axon_integrations.langgraph.filters import passes
from axon_integrations.langgraph.items import (
    KIND,
    NAMESPACE,
    PART,
    PLAIN,
    item_id,
    kind_of,
    namespace_of,
    place_of,
    same_write,
    within,
)
from axon_integrations.langgraph.requests import ListNamespaces, Search

_PAGE = 1000


class Found(NamedTuple):
    """An item and its score, None where the query does not rank it."""

    entry: MemoryEntry
    score: float | None


class ItemSearch:
    """Finds items and namespaces.

    Parameters
    ----------
    memory : recalls.
    entries : where items lie.
    by_meaning : queries are embedded; else they are looked up in the text index, where a tier has one.
    """

    def __init__(self, memory: MemorySystem, entries: KeyedEntries, *, by_meaning: bool) -> None:
        self._memory = memory
        self._entries = entries
        self._mode: RecallMode | None = "vector" if by_meaning else "text" if entries.has_text else None

    async def search(self, request: Search) -> list[Found]:
        """Answer a search: ranked items, best first, then those that the query does not rank, latest first."""
        wanted = request.offset + request.limit
        if not request.limit:
            return []
        ranked: list[Found] = []
        if request.query is not None and self._mode is not None:
            ranked = await self._ranked(request, request.query, self._mode, wanted)
        if len(ranked) < wanted:
            ranked += await self._unranked(request, ranked, wanted)
        return ranked[request.offset : wanted]

    async def _ranked(self, request: Search, query: str, mode: RecallMode, wanted: int) -> list[Found]:
        """Recall the best ``wanted`` items, fetching on until there are so many or no more exist."""
        is_exact = request.residual is EVERYTHING
        node = request.node if mode == "vector" else all_of((request.node, Ne(KIND, PART)))
        fetched = wanted
        while True:
            results = await self._memory.recall(
                query, k=fetched, filter=node, tier=self._entries.tiers, mode=mode, ranking=RELEVANCE_ALONE,
                # Pages before this one, and what the filter leaves out, have not been returned to anybody.
                touch=is_exact and not request.offset and fetched == wanted,
            )  # fmt: skip
            found = await self._items_of(results, request.residual)
            if len(found) >= wanted or len(results) < fetched:
                return found[:wanted]
            fetched *= 2

    async def _items_of(self, results: Sequence[RecallResult], residual: FilterNode) -> list[Found]:
        """Turn entries into the items they stand for, each once, with its best score."""
        whole = {
            result.entry.record.id: result.entry for result in results if kind_of(result.entry.record) != PART
        }
        owners = [
            item_id(*place_of(result.entry.record.id)) if kind_of(result.entry.record) == PART else None
            for result in results
        ]
        missing = [owner for owner in owners if owner is not None and owner not in whole]
        if missing:
            whole |= await self._entries.get_many(missing)
        found: dict[str, Found] = {}
        for result, owner in zip(results, owners, strict=True):
            id = result.entry.record.id if owner is None else owner
            item = whole.get(id)
            if item is None or id in found or not passes(residual, item.record):
                continue
            if owner is None or same_write(item.record, result.entry.record):
                found[id] = Found(item, result.score if result.similarity is None else result.similarity)
        return list(found.values())

    async def _unranked(self, request: Search, ranked: Iterable[Found], wanted: int) -> list[Found]:
        """List the items that the query did not rank, as many as are missing."""
        seen = {found.entry.record.id for found in ranked}
        # With vectors, exactly the items without one are unranked; words may match any of them.
        by_meaning = self._mode == "vector" and request.query is not None
        kind = Eq(KIND, PLAIN) if by_meaning else Ne(KIND, PART)
        page = wanted if request.residual is EVERYTHING else _PAGE
        found: list[Found] = []
        entries = self._entries.newest_first(all_of((request.node, kind)), page)
        async with aclosing(entries):
            async for entry in entries:
                if entry.record.id not in seen and passes(request.residual, entry.record):
                    found.append(Found(entry, None))
                    if len(seen) + len(found) >= wanted:
                        break
        return found

    async def namespaces(self, request: ListNamespaces) -> list[tuple[str, ...]]:
        """List the namespaces that hold items, in order."""
        node = all_of(
            [Ne(KIND, PART)]
            + [
                within(_fixed(condition))
                for condition in request.conditions
                if condition.match_type == "prefix"
            ]
        )
        places = map(namespace_of, await self._entries.distinct(NAMESPACE, node))
        chosen = {
            place[: request.max_depth]
            for place in places
            if all(_matches(condition, place) for condition in request.conditions)
        }
        return list(islice(sorted(chosen), request.offset, request.offset + request.limit))


def _fixed(condition: MatchCondition) -> tuple[str, ...]:
    """Return the labels of a prefix up to its first wildcard."""
    path = tuple(condition.path)
    return path[: path.index("*")] if "*" in path else path


def _matches(condition: MatchCondition, place: tuple[str, ...]) -> bool:
    path = tuple(condition.path)
    if len(path) > len(place):
        return False
    part = place[: len(path)] if condition.match_type == "prefix" else place[len(place) - len(path) :]
    return all(wanted in ("*", label) for wanted, label in zip(path, part, strict=True))
