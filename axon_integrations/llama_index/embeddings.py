"""Embedders across the border: a LlamaIndex model for Axon, an Axon embedder for LlamaIndex."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from llama_index.core.bridge.pydantic import PrivateAttr
from numpy.typing import NDArray

from axon.core.errors import EmbeddingError
from axon.core.portal import on_portal, run_blocking
from axon.core.ports import Embedder, EmbedderSpec, EmbeddingKind

# The largest batch that LlamaIndex lets a model state.
_MAX_EMBED_BATCH_SIZE = 2048


class LlamaIndexEmbedder:
    """A LlamaIndex embedding model as an Axon embedder; made by :func:`from_llama_index`.

    Parameters
    ----------
    embed_model : its ``embed_batch_size``, cache and rate limiter stay in force.
    """

    def __init__(self, embed_model: BaseEmbedding) -> None:
        self.embed_model = embed_model
        self._dims: int | None = None
        self._native_documents = _is_native(embed_model, "_aget_text_embeddings", "_aget_text_embedding")
        self._native_queries = _is_native(embed_model, "_aget_query_embedding")

    @property
    def spec(self) -> EmbedderSpec:
        """Class and name of the model; ``dims`` is None until the first call."""
        return EmbedderSpec(
            provider=f"llama-index/{self.embed_model.class_name()}",
            model=self.embed_model.model_name,
            dims=self._dims,
            max_batch=self.embed_model.embed_batch_size,
            normalized=False,
        )

    async def embed_array(
        self, texts: Sequence[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        """Embed texts; see :class:`axon.core.ports.Embedder`.

        The model's asynchronous form runs on the caller's loop if the model has one of its own. Otherwise,
        and when a blocking call of Axon is being served (its loop is not the one that the model's client
        belongs to), the blocking form runs in a worker thread.

        Raises
        ------
        EmbeddingError
            If the model failed, or answers with another number of vectors or vectors of different lengths.
        """
        native = self._native_documents if kind == "document" else self._native_queries
        try:
            if native and not on_portal():
                vectors = await self._embed(list(texts), kind)
            else:
                vectors = await asyncio.to_thread(self._embed_blocking, list(texts), kind)
        except Exception as error:  # the boundary to a model of unknown make
            raise EmbeddingError(f"{self!r} failed to embed {len(texts)} texts: {error}") from error
        if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
            raise EmbeddingError(
                f"{self.embed_model.class_name()} gave {len(vectors)} vectors of "
                f"{sorted({len(vector) for vector in vectors})} dimensions for {len(texts)} texts"
            )
        rows = np.ascontiguousarray(vectors, dtype=np.float32)
        self._dims = rows.shape[1]
        return rows

    async def _embed(self, texts: list[str], kind: EmbeddingKind) -> list[Embedding]:
        if kind == "document":
            return await self.embed_model.aget_text_embedding_batch(texts)
        return await asyncio.gather(*[self.embed_model.aget_query_embedding(text) for text in texts])

    def _embed_blocking(self, texts: list[str], kind: EmbeddingKind) -> list[Embedding]:
        if kind == "document":
            return self.embed_model.get_text_embedding_batch(texts)
        return [self.embed_model.get_query_embedding(text) for text in texts]

    def __repr__(self) -> str:
        return f"LlamaIndexEmbedder({self.embed_model.class_name()}, model={self.embed_model.model_name!r})"


def from_llama_index(embed_model: BaseEmbedding) -> Embedder:
    """Use a LlamaIndex embedding model in a memory: ``MemorySystem(embedder=from_llama_index(embed_model))``.

    A memory made this way and a ``VectorStoreIndex`` on the same model agree about every vector. An
    ``AxonEmbedding`` gives back the embedder it was made of.

    Raises
    ------
    EmbeddingError
        If ``embed_model`` is no LlamaIndex embedding model.
    """
    if not isinstance(embed_model, BaseEmbedding):
        raise EmbeddingError(f"from_llama_index takes a BaseEmbedding, not {type(embed_model).__name__}")
    return embed_model.embedder if isinstance(embed_model, AxonEmbedding) else LlamaIndexEmbedder(embed_model)


class AxonEmbedding(BaseEmbedding):
    """An Axon embedder as a LlamaIndex embedding model.

    Parameters
    ----------
    embedder : used for documents and queries, each in its own way; not closed by this object.
    **fields : fields of ``BaseEmbedding``, such as ``embed_batch_size`` (default: the embedder's own limit).

    Examples
    --------
    >>> from axon.embedders.hashing import HashingEmbedder
    >>> len(AxonEmbedding(HashingEmbedder(dims=64)).get_text_embedding("a text"))
    64
    """

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder, **fields: Any) -> None:
        fields.setdefault("model_name", embedder.spec.model)
        fields.setdefault("embed_batch_size", min(embedder.spec.max_batch, _MAX_EMBED_BATCH_SIZE))
        super().__init__(**fields)
        self._embedder = embedder

    @classmethod
    def class_name(cls) -> str:
        """Name in LlamaIndex's serialised forms."""
        return "AxonEmbedding"

    @property
    def embedder(self) -> Embedder:
        """The Axon embedder."""
        return self._embedder

    @property
    def dims(self) -> int | None:
        """Numbers per vector; None until a lazily loaded model tells."""
        return self._embedder.spec.dims

    def _get_query_embedding(self, query: str) -> Embedding:
        return run_blocking(self._aget_query_embedding(query))

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return (await self._vectors([query], "query"))[0]

    def _get_text_embedding(self, text: str) -> Embedding:
        return run_blocking(self._aget_text_embedding(text))

    async def _aget_text_embedding(self, text: str) -> Embedding:
        return (await self._vectors([text], "document"))[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return run_blocking(self._aget_text_embeddings(texts))

    async def _aget_text_embeddings(self, texts: list[str]) -> list[Embedding]:
        return await self._vectors(texts, "document")

    async def _vectors(self, texts: list[str], kind: EmbeddingKind) -> list[Embedding]:
        rows = await self._embedder.embed_array(texts, kind=kind)
        vectors: list[Embedding] = rows.tolist()
        return vectors


def _is_native(embed_model: BaseEmbedding, *methods: str) -> bool:
    """Tell whether the model overrides one of LlamaIndex's asynchronous defaults, which block the loop."""
    made = type(embed_model)
    return any(getattr(made, method) is not getattr(BaseEmbedding, method) for method in methods)
