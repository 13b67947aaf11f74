"""Maximal marginal relevance: near to the query, and unlike each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from axon.core.errors import InvalidInputError
from axon.core.models import RecallResult, Vector
from axon.core.portal import run_blocking
from axon.core.validation import check_k, check_vector
from axon_integrations._shared.relevance import RELEVANCE_ALONE
from axon_integrations.langchain.bound_store import BoundStore
from axon_integrations.langchain.documents import result_document
from axon_integrations.langchain.searching import read_options, recall


class MmrMethods(BoundStore):
    """Search that trades nearness against variety."""

    async def amax_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Choose among the documents nearest to a text by LangChain's own formula.

        Parameters
        ----------
        query : not blank.
        k : how many to return, >= 1.
        fetch_k : how many of the nearest to choose from, >= 1.
        lambda_mult : in [0, 1]; 1 looks at nearness alone, 0 at variety alone.
        **kwargs : as in ``asimilarity_search_with_score``.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If a number is out of its range, or a keyword has a value of the wrong kind.
        FilterError
            If the filter cannot be read.
        TypeError
            For an unknown keyword.
        """
        rows = await self._memory.embedder.embed_array([query], kind="query")
        return await self.amax_marginal_relevance_search_by_vector(rows[0], k, fetch_k, lambda_mult, **kwargs)

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """Search like :meth:`amax_marginal_relevance_search`, blocking."""
        return run_blocking(self.amax_marginal_relevance_search(query, k, fetch_k, lambda_mult, **kwargs))

    async def amax_marginal_relevance_search_by_vector(
        self,
        embedding: Sequence[float] | Vector,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        **kwargs: Any,
    ) -> list[Document]:
        """Search like :meth:`amax_marginal_relevance_search`, by a vector of the store's own dimensions."""
        options = read_options("max_marginal_relevance_search", kwargs)
        if not 0.0 <= lambda_mult <= 1.0:
            raise InvalidInputError(f"lambda_mult must be in [0, 1], not {lambda_mult!r}")
        query, wanted = check_vector(embedding), check_k(k)
        results = await recall(
            self._memory,
            query,
            check_k(fetch_k),
            options,
            tier=self._tiers,
            ranking=RELEVANCE_ALONE,
            touch=False,
        )
        # In a thread, because the formula takes time in proportion to fetch_k times k squared.
        chosen = await asyncio.to_thread(_choose, query, results, lambda_mult, wanted)
        return [result_document(result, options.shape, result.similarity or 0.0) for result in chosen]

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: Sequence[float] | Vector,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        **kwargs: Any,
    ) -> list[Document]:
        """Search like :meth:`amax_marginal_relevance_search_by_vector`, blocking."""
        return run_blocking(
            self.amax_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, **kwargs)
        )


def _choose(query: Vector, results: list[RecallResult], lambda_mult: float, k: int) -> list[RecallResult]:
    vectors = [result.entry.embedding for result in results]
    rows = [vector.tolist() for vector in vectors if vector is not None]
    return [results[place] for place in maximal_marginal_relevance(query, rows, lambda_mult, k)]
