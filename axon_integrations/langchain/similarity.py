"""The similarity searches of the vector store: vector search on every backend, scored by cosine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.documents import Document

from axon.core.models import Vector
from axon.core.portal import run_blocking
from axon.core.validation import check_k, check_vector
from axon_integrations._shared.relevance import RELEVANCE_ALONE
from axon_integrations.langchain.bound_store import BoundStore
from axon_integrations.langchain.documents import result_document
from axon_integrations.langchain.searching import read_options, recall

# float32 holds no more; rounding lets an identical document have relevance 1.0 exactly.
_DIGITS = 6


class SimilarityMethods(BoundStore):
    """Similarity search, by text or vector, with and without scores."""

    async def asimilarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """Find the documents nearest to a text.

        Parameters
        ----------
        query : not blank.
        k : how many, >= 1.
        **kwargs : ``filter``, an Axon ``Filter``, a dict, a function of a document or the filter of a
            structured query; ``tier``, one tier or several; ``include``, fields to add to the metadata of
            the documents (``score``, ``tier``, ``importance``, ``tags`` and more); ``score_key``, the key
            under which to put the score there.

        Returns
        -------
        (document, score) pairs, best first, at most ``k``; the score is the cosine in [-1, 1].

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If ``k`` is below 1 or a keyword has a value of the wrong kind.
        FilterError
            If the filter cannot be read.
        TypeError
            For an unknown keyword.
        """
        return await self._nearest("similarity_search", query, k, kwargs)

    def similarity_search_with_score(
        self, query: str, k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """Search like :meth:`asimilarity_search_with_score`, blocking."""
        return run_blocking(self.asimilarity_search_with_score(query, k, **kwargs))

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Search like :meth:`asimilarity_search_with_score`, and return the documents alone."""
        return _documents(await self._nearest("similarity_search", query, k, kwargs))

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """Search like :meth:`asimilarity_search`, blocking."""
        return run_blocking(self.asimilarity_search(query, k, **kwargs))

    async def asimilarity_search_with_score_by_vector(
        self, embedding: Sequence[float], k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """Search like :meth:`asimilarity_search_with_score`, by a vector of the store's own dimensions."""
        return await self._nearest("similarity_search_by_vector", check_vector(embedding), k, kwargs)

    def similarity_search_with_score_by_vector(
        self, embedding: Sequence[float], k: int = 4, **kwargs: Any
    ) -> list[tuple[Document, float]]:
        """Search like :meth:`asimilarity_search_with_score_by_vector`, blocking."""
        return run_blocking(self.asimilarity_search_with_score_by_vector(embedding, k, **kwargs))

    async def asimilarity_search_by_vector(
        self, embedding: Sequence[float], k: int = 4, **kwargs: Any
    ) -> list[Document]:
        """Search like :meth:`asimilarity_search_with_score_by_vector`, and return the documents alone."""
        return _documents(await self.asimilarity_search_with_score_by_vector(embedding, k, **kwargs))

    def similarity_search_by_vector(
        self, embedding: Sequence[float], k: int = 4, **kwargs: Any
    ) -> list[Document]:
        """Search like :meth:`asimilarity_search_by_vector`, blocking."""
        return run_blocking(self.asimilarity_search_by_vector(embedding, k, **kwargs))

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return _relevance

    async def _nearest(
        self, method: str, query: str | Vector, k: int, keywords: dict[str, Any]
    ) -> list[tuple[Document, float]]:
        options = read_options(method, keywords)
        results = await recall(
            self._memory, query, check_k(k), options, tier=self._tiers, ranking=RELEVANCE_ALONE
        )
        scored = ((result, -1.0 if result.similarity is None else result.similarity) for result in results)
        return [(result_document(result, options.shape, score), score) for result, score in scored]


def _documents(scored: list[tuple[Document, float]]) -> list[Document]:
    return [document for document, _ in scored]


def _relevance(cosine: float) -> float:
    """Map the cosine to [0, 1]: 1.0 for identical, 0.0 for opposite."""
    return min(1.0, max(0.0, round((1.0 + cosine) / 2.0, _DIGITS)))
