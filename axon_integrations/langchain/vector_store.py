"""The vector store of LangChain, over a tiered memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Self

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain.adding import AddMethods
from axon_integrations.langchain.by_id import IdMethods
from axon_integrations.langchain.mmr import MmrMethods
from axon_integrations.langchain.similarity import SimilarityMethods


class AxonVectorStore(AddMethods, IdMethods, SimilarityMethods, MmrMethods):
    """A LangChain vector store whose documents live in the tiers of a memory.

    Parameters
    ----------
    memory : where documents live; stays open when the store closes.
    embedding : embeds documents and queries, and marks the collection as its own; None takes the memory's.
    tier : one tier or several to which the store is bound; None for all.
    namespace : non-empty string to which the store is bound; None for the memory's.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem`` or ``embedding`` no embeddings.
    InvalidInputError
        For an unknown tier or an empty namespace.

    Notes
    -----
    A document without an importance (as keyword or in its metadata) goes to the most durable tier, so that a
    corpus never expires by accident; one with an importance is routed by it.

    Examples
    --------
    >>> from langchain_core.embeddings import DeterministicFakeEmbedding
    >>> store = AxonVectorStore.from_texts(["the sky is blue"], DeterministicFakeEmbedding(size=8))
    >>> [document.page_content for document in store.similarity_search("the sky is blue", k=1)]
    ['the sky is blue']
    """

    @classmethod
    async def afrom_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        ids: Iterable[str | None] | None = None,
        memory: MemorySystem | None = None,
        tier: str | Iterable[str] | None = None,
        namespace: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a store and add texts to it.

        Parameters
        ----------
        memory : None makes one in this process, which the store's ``aclose`` closes.
        texts, metadatas, ids, **kwargs : as in ``aadd_texts``.
        embedding, tier, namespace : as in the constructor.
        """
        async with AsyncExitStack() as undo:
            store = cls._made(embedding, memory, tier, namespace)
            undo.push_async_callback(store.aclose)
            await store.aadd_texts(texts, metadatas, ids=ids, **kwargs)
            undo.pop_all()
            return store

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        ids: Iterable[str | None] | None = None,
        memory: MemorySystem | None = None,
        tier: str | Iterable[str] | None = None,
        namespace: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a store like :meth:`afrom_texts`, blocking."""
        with ExitStack() as undo:
            store = cls._made(embedding, memory, tier, namespace)
            undo.callback(store.close)
            store.add_texts(texts, metadatas, ids=ids, **kwargs)
            undo.pop_all()
            return store

    @classmethod
    async def afrom_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        memory: MemorySystem | None = None,
        tier: str | Iterable[str] | None = None,
        namespace: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a store like :meth:`afrom_texts` and add documents to it; ``ids=`` beat the documents' own."""
        async with AsyncExitStack() as undo:
            store = cls._made(embedding, memory, tier, namespace)
            undo.push_async_callback(store.aclose)
            await store.aadd_documents(documents, **kwargs)
            undo.pop_all()
            return store

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        memory: MemorySystem | None = None,
        tier: str | Iterable[str] | None = None,
        namespace: str | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a store like :meth:`afrom_documents`, blocking."""
        with ExitStack() as undo:
            store = cls._made(embedding, memory, tier, namespace)
            undo.callback(store.close)
            store.add_documents(documents, **kwargs)
            undo.pop_all()
            return store

    @classmethod
    def _made(
        cls,
        embedding: Embeddings | None,
        memory: MemorySystem | None,
        tier: str | Iterable[str] | None,
        namespace: str | None,
    ) -> Self:
        if memory is not None:
            return cls(memory, embedding, tier=tier, namespace=namespace)
        made = MemorySystem(MemoryConfig.in_memory())
        store = cls(made, embedding, tier=tier, namespace=namespace)
        store._owner = made
        return store
