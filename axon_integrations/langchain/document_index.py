"""The document index of LangChain (a beta of theirs): upsert, delete, get and retrieve in one object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.indexing import DeleteResponse, DocumentIndex, UpsertResponse
from pydantic import Field

from axon.core.portal import run_blocking
from axon_integrations.langchain.vector_store import AxonVectorStore


class AxonDocumentIndex(DocumentIndex):
    """A vector store as LangChain's document index, for ``index`` and ``aindex``.

    Attributes
    ----------
    store : what holds the documents.
    k : documents per question, >= 1.
    """

    store: AxonVectorStore
    k: int = Field(4, ge=1)

    def upsert(self, items: Sequence[Document], /, **kwargs: Any) -> UpsertResponse:
        """Add or replace documents; blocking form of :meth:`aupsert`."""
        return run_blocking(self.aupsert(items, **kwargs))

    async def aupsert(self, items: Sequence[Document], /, **kwargs: Any) -> UpsertResponse:
        """Add documents, replacing those with the same ids; keywords are those of ``aadd_documents``."""
        return UpsertResponse(succeeded=await self.store.aadd_documents(items, **kwargs), failed=[])

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> DeleteResponse:
        """Delete documents; blocking form of :meth:`adelete`."""
        return run_blocking(self.adelete(ids, **kwargs))

    async def adelete(self, ids: list[str] | None = None, **kwargs: Any) -> DeleteResponse:
        """Delete documents by id, and tell which were there; keywords are those of the store's ``adelete``.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If nothing says what to delete.
        """
        found = [] if ids is None else [document.id or "" for document in await self.aget(ids)]
        await self.store.adelete(ids, **kwargs)
        if ids is None or kwargs:
            return DeleteResponse(num_failed=0, failed=[])
        return DeleteResponse(num_deleted=len(found), succeeded=found, num_failed=0, failed=[])

    def get(self, ids: Sequence[str], /, **kwargs: Any) -> list[Document]:
        """Read documents; blocking form of :meth:`aget`."""
        return run_blocking(self.aget(ids, **kwargs))

    async def aget(self, ids: Sequence[str], /, **kwargs: Any) -> list[Document]:
        """Read documents by id, in the order of ``ids``; those that are not there are left out."""
        return await self.store.aget_by_ids(list(dict.fromkeys(ids)), **kwargs)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return await self.store.asimilarity_search(query, **{"k": self.k, **kwargs})

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **kwargs: Any
    ) -> list[Document]:
        return self.store.similarity_search(query, **{"k": self.k, **kwargs})
