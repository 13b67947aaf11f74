"""What a vector store is bound to, once and for all calls: a memory, a namespace, an embedding, tiers."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.validation import check_tiers
from axon_integrations._shared.closing import Closable
from axon_integrations._shared.owning import owner_of
from axon_integrations.langchain.embeddings import AxonEmbeddings, LangChainEmbedder, from_langchain


class BoundStore(Closable, VectorStore):
    """The part of the store that every method builds on.

    Nothing a call passes (a filter, an id, a tier) reaches beyond what the store is bound to.
    """

    def __init__(
        self,
        memory: MemorySystem,
        embedding: Embeddings | None = None,
        *,
        tier: str | Iterable[str] | None = None,
        namespace: str | None = None,
    ) -> None:
        memory = owner_of(memory, hint="; from_texts and from_documents make one themselves")
        self._owner: MemorySystem | None = None
        self._embedding = embedding
        self._embedder = None if embedding is None else from_langchain(embedding)
        self._memory = memory.scope(
            memory.namespace if namespace is None else namespace, embedder=self._embedder
        )
        self._tiers = None if tier is None else check_tiers(tier, memory.tiers)

    @property
    def memory(self) -> MemorySystem:
        """The memory, bound to this store's namespace and embedding."""
        return self._memory

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers that the store reads and writes, from the most fleeting to the most durable."""
        return self._memory.tiers if self._tiers is None else self._tiers

    @property
    def embeddings(self) -> Embeddings:
        """What embeds documents and queries: the embedding given, or the memory's own."""
        if self._embedding is None:
            return AxonEmbeddings(self._memory.embedder)
        return self._embedding

    async def aclose(self) -> None:
        """Close what this store made; a memory passed in stays open. Closing twice does nothing."""
        if isinstance(self._embedder, LangChainEmbedder):
            await self._embedder.aclose()
        owner, self._owner = self._owner, None
        if owner is not None:
            await owner.aclose()
