"""The retriever of LangChain, straight over a tiered memory, with its text and hybrid modes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, PrivateAttr

from axon.core.filter import Filter
from axon.core.filter.ast import all_of
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.policies import RecallMode
from axon.core.portal import run_blocking
from axon.core.validation import check_importance, check_k, check_tiers
from axon_integrations.langchain.documents import read_shape, result_document
from axon_integrations.langchain.filters import LangChainFilter, to_filter
from axon_integrations.langchain.searching import SearchOptions, recall, tier_node


class AxonRetriever(BaseRetriever):
    """Recall memories as documents.

    Each setting may also be given to ``invoke`` and ``ainvoke``. There ``k`` and ``mode`` replace the
    retriever's own; ``filter``, ``tier``, ``tags`` and ``min_importance`` are added to it, so that a call can
    narrow what is returned and never widen it.

    Attributes
    ----------
    memory : what is asked, in its own namespace; ``memory.scope(...)`` for another one. Of a vector store
        with an embedding of its own, ``store.memory``.
    k : how many documents, >= 1.
    filter : an Axon ``Filter``, a dict, a function of a document or the filter of a structured query.
    tier : one tier or several; None for all.
    tags : only memories with all of these. LangChain also shows them as the tags of its tracing runs.
    min_importance : in [0, 1]; only memories of at least this importance.
    mode : ``vector``, ``text`` or ``hybrid``; None for the memory's default.
    include, score_key : fields to add to the metadata of the documents, as in ``AxonVectorStore``; the score
        here is that of the recall, in [0, 1].

    Examples
    --------
    >>> from axon import MemorySystem
    >>> retriever = AxonRetriever(memory=MemorySystem(), k=2, filter={"lang": "en"})
    >>> retriever.invoke("anything?", min_importance=0.5)
    []
    """

    memory: MemorySystem
    k: int = Field(4, ge=1)
    filter: Any = None
    tier: str | list[str] | None = None
    tags: list[str] | None = None
    min_importance: float | None = Field(None, ge=0, le=1)
    mode: RecallMode | None = None
    include: list[str] = Field(default_factory=list)
    score_key: str | None = None

    _own: SearchOptions = PrivateAttr()
    _tiers: tuple[Tier, ...] | None = PrivateAttr()

    def model_post_init(self, context: Any, /) -> None:
        """Read the settings, so that a wrong one is an error here and not at the first question."""
        self._tiers = None if self.tier is None else check_tiers(self.tier, self.memory.tiers)
        self._own = _conditions(self.filter, None, self.tags, self.min_importance)
        self._own = self._own._replace(shape=read_shape(self.include, self.score_key))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: LangChainFilter = None,
        tier: str | Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
        min_importance: float | None = None,
        mode: RecallMode | None = None,
    ) -> list[Document]:
        return await self._recall(query, k, mode, _conditions(filter, tier, tags, min_importance))

    # LangChain hands the keywords of a call on only if this signature, the blocking one, has them.
    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        filter: LangChainFilter = None,
        tier: str | Iterable[str] | None = None,
        tags: Iterable[str] | None = None,
        min_importance: float | None = None,
        mode: RecallMode | None = None,
    ) -> list[Document]:
        return run_blocking(self._recall(query, k, mode, _conditions(filter, tier, tags, min_importance)))

    async def _recall(
        self, query: str, k: int | None, mode: RecallMode | None, call: SearchOptions
    ) -> list[Document]:
        options = SearchOptions(
            node=all_of((self._own.node, call.node)),
            predicates=self._own.predicates + call.predicates,
            shape=self._own.shape,
        )
        wanted = check_k(self.k if k is None else k)
        chosen_mode = self.mode if mode is None else mode
        results = await recall(self.memory, query, wanted, options, tier=self._tiers, mode=chosen_mode)
        return [result_document(result, options.shape, result.score) for result in results]


def _conditions(
    filter: LangChainFilter,
    tier: str | Iterable[str] | None,
    tags: Iterable[str] | None,
    min_importance: float | None,
) -> SearchOptions:
    node, predicate = to_filter(filter)
    predicates = () if predicate is None else (predicate,)
    least = None if min_importance is None else check_importance(min_importance)
    narrowed = Filter(tags=tags, min_importance=least)
    return SearchOptions(node=all_of((node, tier_node(tier), narrowed.node)), predicates=predicates)
