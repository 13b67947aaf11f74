"""A ``VectorStoreQuery`` as a recall or a scan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from llama_index.core.vector_stores.types import (
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from numpy.typing import NDArray

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import EVERYTHING, FilterNode, all_of
from axon.core.models import MemoryEntry, RecallResult
from axon_integrations._shared.relevance import RELEVANCE_ALONE
from axon_integrations.llama_index.filters import compile_filters, from_documents, with_ids
from axon_integrations.llama_index.mmr import mmr_order
from axon_integrations.llama_index.options import Target
from axon_integrations.llama_index.portions import to_nodes

MMR_PREFETCH_FACTOR = 4.0
_MMR_PREFETCH_LEAST = 50

_SERVED = ("default", "mmr", "text_search", "sparse", "hybrid")


class MmrOptions(NamedTuple):
    """How ``mode="mmr"`` chooses.

    Attributes
    ----------
    threshold : in [0, 1]; 0 looks at variety alone, 1 at similarity alone; None for 0.5.
    prefetch_factor : >= 1; candidates per wanted node, at least 50 candidates in all.
    prefetch_k : >= 1; candidates, instead of the factor; None to use the factor.
    """

    threshold: float | None = None
    prefetch_factor: float = MMR_PREFETCH_FACTOR
    prefetch_k: int | None = None

    def candidates(self, k: int) -> int:
        """How many candidates to fetch for ``k`` nodes."""
        wanted = (
            max(_MMR_PREFETCH_LEAST, round(k * self.prefetch_factor))
            if self.prefetch_k is None
            else self.prefetch_k
        )
        return max(k, wanted)


async def run_query(target: Target, query: VectorStoreQuery, mmr: MmrOptions) -> VectorStoreQueryResult:
    """Answer one query.

    Returns
    -------
    ``nodes``, ``similarities`` and ``ids`` of one length, best first; in mode ``mmr`` in the order of choice.
    The similarity is the cosine for ``default`` and ``mmr``, the score in [0, 1] for the other modes, and 1.0
    where filters alone were asked.

    Raises
    ------
    ValueError
        For a mode that is not served, and for a query that lacks what its mode needs.
    """
    mode = VectorStoreQueryMode(query.mode).value
    if mode not in _SERVED:
        raise ValueError(f"query mode {mode!r} is not supported; use one of {', '.join(_SERVED)}")
    if query.embedding_field is not None:
        raise ValueError(
            f"embedding_field={query.embedding_field!r} is not supported: an entry has one vector"
        )
    node = _restriction(target, query)
    if mode in ("text_search", "sparse"):
        found = await _search_text(target, query, node, mode)
    elif mode == "hybrid":
        found = await _search_both(target, query, node)
    elif query.query_embedding is None and not query.query_str:
        return await _filter_only(target, query, node)
    elif mode == "mmr":
        found = await _search_diverse(target, query, node, mmr)
    else:
        found = await _search_vector(target, query, node, query.similarity_top_k)
    similarity = _cosine if mode in ("default", "mmr") else _score
    return await _result([each.entry for each in found], [similarity(each) for each in found])


def _restriction(target: Target, query: VectorStoreQuery) -> FilterNode:
    """Everything that must hold: filters, documents, ids and the call's keywords, ANDed."""
    parts = [compile_filters(query.filters), target.node]
    if query.doc_ids is not None:
        parts.append(from_documents(query.doc_ids))
    # A retriever always sends the ids that its index knows of: none, where the store keeps the text.
    if query.node_ids:
        parts.append(with_ids(query.node_ids))
    return all_of(parts)


async def _search_vector(
    target: Target, query: VectorStoreQuery, node: FilterNode, k: int, *, touch: bool = True
) -> list[RecallResult]:
    asked = _words(query, "default") if query.query_embedding is None else _vector(query.query_embedding)
    return await target.memory.recall(
        asked, k=k, filter=node, tier=target.tiers, mode="vector", ranking=RELEVANCE_ALONE, touch=touch
    )


async def _search_diverse(
    target: Target, query: VectorStoreQuery, node: FilterNode, mmr: MmrOptions
) -> list[RecallResult]:
    # Most candidates are not returned, so none of them counts as accessed.
    wanted = mmr.candidates(query.similarity_top_k)
    candidates = await _search_vector(target, query, node, wanted, touch=False)
    if not candidates:
        return []
    rows = np.array([each.entry.embedding for each in candidates], dtype=np.float32)
    relevance = np.array([_cosine(each) for each in candidates])
    return [candidates[row] for row in mmr_order(relevance, rows, query.similarity_top_k, mmr.threshold)]


async def _search_text(
    target: Target, query: VectorStoreQuery, node: FilterNode, mode: str
) -> list[RecallResult]:
    k = query.sparse_top_k if mode == "sparse" and query.sparse_top_k is not None else query.similarity_top_k
    return await target.memory.recall(
        _words(query, mode), k=k, filter=node, tier=target.tiers, mode="text", ranking=RELEVANCE_ALONE
    )


async def _search_both(target: Target, query: VectorStoreQuery, node: FilterNode) -> list[RecallResult]:
    alpha = query.alpha
    if alpha is not None and not 0 <= alpha <= 1:
        raise ValueError(f"alpha must be in [0, 1] (0 for words alone, 1 for vectors alone), not {alpha!r}")
    k = query.similarity_top_k if query.hybrid_top_k is None else query.hybrid_top_k
    words = _words(query, "hybrid")
    return await target.memory.recall(
        words,
        k=k,
        filter=node,
        tier=target.tiers,
        mode="hybrid",
        text_weight=None if alpha is None else 1 - alpha,
        embedding=None if query.query_embedding is None else _vector(query.query_embedding),
    )


async def _filter_only(target: Target, query: VectorStoreQuery, node: FilterNode) -> VectorStoreQueryResult:
    """Answer a query that asks for no text and no vector: what satisfies the conditions, oldest first."""
    if node == EVERYTHING:
        raise ValueError("the query has no query_embedding, no query_str and no filters: nothing is asked")
    if query.similarity_top_k < 1:
        raise InvalidInputError(f"similarity_top_k must be >= 1, not {query.similarity_top_k}")
    entries: list[MemoryEntry] = []
    async for entry in target.memory.scan(filter=all_of((node, target.restriction))):
        entries.append(entry)
        if len(entries) == query.similarity_top_k:
            break
    return await _result(entries, [1.0] * len(entries))


async def _result(entries: Sequence[MemoryEntry], similarities: list[float]) -> VectorStoreQueryResult:
    nodes = await to_nodes(entries)
    return VectorStoreQueryResult(
        nodes=nodes, similarities=similarities, ids=[node.node_id for node in nodes]
    )


def _vector(embedding: Sequence[float]) -> NDArray[np.float32]:
    return np.asarray(embedding, dtype=np.float32)


def _words(query: VectorStoreQuery, mode: str) -> str:
    if not query.query_str or query.query_str.isspace():
        needed = "query_embedding or query_str" if mode == "default" else "query_str"
        raise ValueError(f"query mode {mode!r} needs {needed}")
    return query.query_str


def _cosine(result: RecallResult) -> float:
    return -1.0 if result.similarity is None else result.similarity


def _score(result: RecallResult) -> float:
    return result.score
