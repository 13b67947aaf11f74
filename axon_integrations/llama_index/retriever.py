"""Recall as a LlamaIndex retriever."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.vector_stores.types import MetadataFilters

from axon.core.filter import as_node
from axon.core.filter.ast import FilterNode, all_of
from axon.core.filter.filter import FilterLike
from axon.core.memory_system import MemorySystem
from axon.core.policies import RecallMode
from axon.core.portal import run_blocking
from axon.core.validation import check_k, check_tiers
from axon_integrations._shared.owning import owner_of
from axon_integrations.llama_index.filters import compile_filters
from axon_integrations.llama_index.portions import to_nodes


class AxonRetriever(BaseRetriever):
    """Recalls entries of a memory as nodes, scored by the memory's own ranking in [0, 1].

    Parameters
    ----------
    memory : build it with ``embedder=from_llama_index(embed_model)`` where LlamaIndex fills it; never closed here.
    similarity_top_k : nodes at most, >= 1.
    filters : LlamaIndex's.
    filter : Axon's, which can say more; both must hold.
    namespace : of the memory; None for its own.
    tier : one tier or several; None for all.
    mode : ``"vector"``, ``"text"`` or ``"hybrid"``; None for the memory's default.
    min_score : in [0, 1]; results below are left out.
    **settings : ``callback_manager``, ``objects``, ``object_map``, ``verbose`` of LlamaIndex's retrievers.

    Raises
    ------
    ConfigError, InvalidInputError, InvalidFilterError
        For an argument out of its range.
    """

    def __init__(
        self,
        memory: MemorySystem,
        *,
        similarity_top_k: int = 10,
        filters: MetadataFilters | None = None,
        filter: FilterLike = None,
        namespace: str | None = None,
        tier: str | list[str] | None = None,
        mode: RecallMode | None = None,
        min_score: float | None = None,
        **settings: Any,
    ) -> None:
        self._memory = owner_of(memory, namespace)
        super().__init__(**settings)
        self._k = check_k(similarity_top_k)
        self._node: FilterNode = all_of((compile_filters(filters), as_node(filter)))
        self._tiers = None if tier is None else check_tiers(tier, memory.tiers)
        self._mode = mode
        self._min_score = min_score

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return run_blocking(self._aretrieve(query_bundle))

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        results = await self._memory.recall(
            query_bundle.query_str,
            k=self._k,
            filter=self._node,
            tier=self._tiers,
            mode=self._mode,
            min_score=self._min_score,
            embedding=query_bundle.embedding,
        )
        nodes = await to_nodes([result.entry for result in results])
        return [
            NodeWithScore(node=node, score=result.score) for node, result in zip(nodes, results, strict=True)
        ]
