"""Searching a memory for documents: what the search methods are given, and how far they fetch."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from langchain_core.documents import Document

from axon.core.adapter_options import nearest
from axon.core.errors import InvalidFilterError
from axon.core.filter.ast import EVERYTHING, Field, FilterNode, In, all_of
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, RecallResult, Tier, Vector
from axon.core.policies import RankingPolicy, RecallMode
from axon.core.validation import check_tiers
from axon_integrations.langchain.documents import DocumentShape, entry_document, read_shape
from axon_integrations.langchain.filters import DocumentPredicate, to_filter

# Documents shown to a filter function between two turns of the event loop: about a millisecond of work.
_TURN = 128


class SearchOptions(NamedTuple):
    """The keywords of a search, read.

    Attributes
    ----------
    node : what the memory checks.
    predicates : what only functions can check; a document must pass all.
    shape : what returned documents carry besides their metadata.
    """

    node: FilterNode = EVERYTHING
    predicates: tuple[DocumentPredicate, ...] = ()
    shape: DocumentShape = DocumentShape()


def read_options(method: str, keywords: Mapping[str, Any]) -> SearchOptions:
    """Read the keywords ``filter``, ``tier``, ``include`` and ``score_key`` of a search method.

    Raises
    ------
    TypeError
        For any other keyword.
    FilterError
        If the filter cannot be read.
    InvalidInputError
        For an unknown tier or field.
    """
    refuse_unknown(method, keywords, ("filter", "tier", "include", "score_key"))
    node, predicate = to_filter(keywords.get("filter"))
    return SearchOptions(
        node=all_of((node, tier_node(keywords.get("tier")))),
        predicates=() if predicate is None else (predicate,),
        shape=read_shape(keywords.get("include"), keywords.get("score_key")),
    )


def refuse_unknown(method: str, keywords: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raise ``TypeError`` for a keyword that ``method`` does not know, naming the nearest one it does."""
    names = dict.fromkeys(known)
    for name in keywords:
        if name not in names:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}{nearest(name, names)}")


def tier_node(tier: str | Iterable[str] | None) -> FilterNode:
    """Turn ``tier=`` of one call into a condition, so that it narrows what an object is bound to.

    Raises
    ------
    InvalidInputError
        For an unknown name or an empty list.
    """
    if tier is None:
        return EVERYTHING
    return In(Field("tier"), tuple(map(str, check_tiers(tier, tuple(Tier)))))


async def recall(
    memory: MemorySystem,
    query: str | Vector,
    k: int,
    options: SearchOptions,
    *,
    tier: tuple[Tier, ...] | None = None,
    mode: RecallMode | None = "vector",
    ranking: RankingPolicy | None = None,
    touch: bool = True,
) -> list[RecallResult]:
    """Recall the best ``k`` that pass the filter, fetching on until there are ``k`` or no more exist.

    Parameters
    ----------
    ranking : instead of the memory's own.
    touch : count what is returned as accessed; never done beside filter functions, which see more than is returned.
    """
    touch = touch and not options.predicates
    verdicts: dict[str, bool] = {}
    fetched = k
    while True:
        results = await memory.recall(
            query, k=fetched, filter=options.node, tier=tier, mode=mode, ranking=ranking, touch=touch
        )
        if not options.predicates:
            return results
        unseen = [result.entry for result in results if result.entry.id not in verdicts]
        verdicts.update(await judge(unseen, options.predicates))
        passed = [result for result in results if verdicts[result.entry.id]]
        if len(passed) >= k or len(results) < fetched:
            return passed[:k]
        fetched *= 2


async def judge(entries: Iterable[MemoryEntry], predicates: Iterable[DocumentPredicate]) -> dict[str, bool]:
    """Ask filter functions about entries, by id, giving other tasks a turn now and then.

    Raises
    ------
    InvalidFilterError
        If one answers with something to be awaited, which would count as true.
    """
    verdicts: dict[str, bool] = {}
    for entry in entries:
        # A copy of its own, because the function may modify what it is shown.
        document = entry_document(MemoryEntry.of(entry.record))
        verdicts[entry.id] = all(_verdict(predicate, document) for predicate in predicates)
        if len(verdicts) % _TURN == 0:
            await asyncio.sleep(0)
    return verdicts


def _verdict(predicate: DocumentPredicate, document: Document) -> bool:
    verdict: object = predicate(document)
    if inspect.isawaitable(verdict):
        if inspect.iscoroutine(verdict):
            verdict.close()
        raise InvalidFilterError("a filter function must answer true or false, not with an awaitable")
    return bool(verdict)
