"""The add methods of the vector store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from langchain_core.documents import Document

from axon.core.portal import run_blocking
from axon.core.validation import check_tiers
from axon_integrations.langchain.bound_store import BoundStore
from axon_integrations.langchain.searching import refuse_unknown
from axon_integrations.langchain.writing import WRITE_KEYWORDS, WriteBatch, read_documents, read_texts

_BATCH_SIZE = 512
"""Texts stored at a time: writing these in process takes some 5 ms, which is as long as the event loop should wait."""


class AddMethods(BoundStore):
    """Adding texts and documents."""

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        ids: Iterable[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embed texts and store them.

        Parameters
        ----------
        texts : any iterable, a generator too; none blank.
        metadatas : JSON objects, one per text. ``tags`` (a list of strings), ``importance`` (a number in
            [0, 1]) and ``session_id`` (a string) also fill the entry's own fields, unless the keyword does.
        ids : one per text; None lets the store choose. A text whose id is there already replaces it whole;
            of equal ids in one call the last wins.
        **kwargs : ``importance``, ``tags``, ``ttl`` (seconds), ``tier`` and ``session_id``, each one value
            for all texts or a list with one per text; ``batch_size``, how many texts are stored
            at a time, 512 by default.

        Returns
        -------
        The id of each text, in order.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If a list has another length than the texts, before anything is embedded; or if
            a value cannot be stored.
        EmbeddingError
            If a text is blank or cannot be embedded.
        TypeError
            For an unknown keyword.
        """
        refuse_unknown("add_texts", kwargs, WRITE_KEYWORDS)
        return await self._store(read_texts(texts, metadatas, ids, kwargs), kwargs)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: Iterable[Mapping[str, Any] | None] | None = None,
        *,
        ids: Iterable[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add like :meth:`aadd_texts`, blocking."""
        refuse_unknown("add_texts", kwargs, WRITE_KEYWORDS)
        # Read here, so that a caller's generator runs in the caller's thread.
        return run_blocking(self._store(read_texts(texts, metadatas, ids, kwargs), kwargs))

    async def aadd_documents(
        self, documents: Iterable[Document], *, ids: Iterable[str | None] | None = None, **kwargs: Any
    ) -> list[str]:
        """Embed documents and store them; the documents are left alone.

        ``ids`` beat the documents' own. Everything else is as in :meth:`aadd_texts`.
        """
        refuse_unknown("add_documents", kwargs, WRITE_KEYWORDS)
        return await self._store(read_documents(documents, ids, kwargs), kwargs)

    def add_documents(
        self, documents: Iterable[Document], *, ids: Iterable[str | None] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add like :meth:`aadd_documents`, blocking."""
        refuse_unknown("add_documents", kwargs, WRITE_KEYWORDS)
        return run_blocking(self._store(read_documents(documents, ids, kwargs), kwargs))

    async def _store(self, batch: WriteBatch, keywords: Mapping[str, Any]) -> list[str]:
        if self._tiers is not None:
            for tier in batch.tier:
                check_tiers(tier, self._tiers)
        batch, positions = batch.without_repeats()
        size = keywords.get("batch_size")
        stored = await self._memory.bulk_store(
            batch.inputs(self.tiers), batch_size=_BATCH_SIZE if size is None else size
        )
        return [stored[position] for position in positions]
