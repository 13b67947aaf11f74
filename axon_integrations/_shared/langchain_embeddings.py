"""Embedding models, from Axon to LangChain and back; LangGraph takes LangChain's models too."""

from __future__ import annotations

import asyncio

from langchain_core.embeddings import Embeddings

from axon.core.errors import ConfigError
from axon.core.portal import run_blocking
from axon.core.ports import Embedder, EmbedderSpec, EmbeddingKind
from axon.embedders.base import TextEmbedder
from axon.embedders.worker import WorkerThread

# Attributes in which LangChain's own classes keep the name of their model, most telling first.
_NAME_ATTRIBUTES = ("model", "model_name", "model_id", "deployment", "repo_id")


class AxonEmbeddings(Embeddings):
    """An Axon embedder as LangChain embeddings.

    Parameters
    ----------
    embedder : any Axon embedder; a memory's own is ``memory.embedder``.
    """

    def __init__(self, embedder: Embedder) -> None:
        if not isinstance(embedder, Embedder):
            raise ConfigError(f"AxonEmbeddings takes an Axon embedder, not {type(embedder).__name__}")
        self.embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts to be stored; blocking form of :meth:`aembed_documents`."""
        return run_blocking(self.aembed_documents(texts))

    def embed_query(self, text: str) -> list[float]:
        """Embed a question; blocking form of :meth:`aembed_query`."""
        return run_blocking(self.aembed_query(text))

    async def aembed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts to be stored: one list of floats per text, in order.

        Raises
        ------
        EmptyTextError
            If a text is blank; its ``index`` says which.
        EmbeddingError
            If the model failed.
        """
        return await self._rows(texts, "document") if texts else []

    async def aembed_query(self, text: str) -> list[float]:
        """Embed a question; raises what :meth:`aembed_documents` raises."""
        return (await self._rows([text], "query"))[0]

    async def _rows(self, texts: list[str], kind: EmbeddingKind) -> list[list[float]]:
        rows: list[list[float]] = (await self.embedder.embed_array(texts, kind=kind)).tolist()
        return rows


class LangChainEmbedder(TextEmbedder):
    """LangChain embeddings as an Axon embedder; made by :func:`from_langchain`."""

    def __init__(self, embeddings: Embeddings, spec: EmbedderSpec) -> None:
        super().__init__(spec)
        self._embeddings = embeddings
        self._worker = WorkerThread("axon-langchain-embedder")

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> list[list[float]]:
        if kind == "document":
            return await self._documents(texts)
        return await self._queries(texts)

    async def _documents(self, texts: list[str]) -> list[list[float]]:
        if _is_native(self._embeddings, "aembed_documents"):
            return await self._embeddings.aembed_documents(texts)
        return await self._worker.run(lambda: self._embeddings.embed_documents(texts))

    async def _queries(self, texts: list[str]) -> list[list[float]]:
        if _is_native(self._embeddings, "aembed_query"):
            return list(await asyncio.gather(*map(self._embeddings.aembed_query, texts)))
        return await self._worker.run(lambda: [self._embeddings.embed_query(text) for text in texts])

    async def aclose(self) -> None:
        """Let the worker thread end; the LangChain object stays as it is."""
        self._worker.close()


def from_langchain(
    embeddings: Embeddings,
    *,
    model: str | None = None,
    revision: str = "",
    max_batch: int = 256,
    dims: int | None = None,
) -> Embedder:
    """Use LangChain embeddings in Axon, by their asynchronous form, or in a worker thread if they have none.

    Parameters
    ----------
    embeddings : any LangChain embeddings.
    model : name a collection remembers, so that vectors of two models are never mixed; by default the class
        and the model's name as far as the object tells it.
    revision : change it when the same model begins to give other vectors.
    max_batch : most texts per call, >= 1.
    dims : numbers per vector, >= 1; None learns it from the first answer.

    Returns
    -------
    An Axon embedder. Of ``AxonEmbeddings``, the
    embedder inside, as it is.

    Raises
    ------
    ConfigError
        If ``embeddings`` has no ``embed_documents`` and ``embed_query``, or a number is below 1.
    """
    if isinstance(embeddings, AxonEmbeddings):
        return embeddings.embedder
    if not all(callable(getattr(embeddings, name, None)) for name in ("embed_documents", "embed_query")):
        raise ConfigError(f"embedding takes LangChain Embeddings, not {type(embeddings).__name__}")
    if max_batch < 1 or (dims is not None and dims < 1):
        raise ConfigError(f"max_batch and dims must be at least 1, not {max_batch} and {dims}")
    spec = EmbedderSpec(
        provider="langchain",
        model=_describe(embeddings) if model is None else model,
        revision=revision,
        dims=dims,
        max_batch=max_batch,
        normalized=False,
    )
    return LangChainEmbedder(embeddings, spec)


def _describe(embeddings: Embeddings) -> str:
    names = (getattr(embeddings, attribute, None) for attribute in _NAME_ATTRIBUTES)
    name = next((name for name in names if isinstance(name, str) and name), None)
    kind = type(embeddings).__qualname__
    return kind if name is None else f"{kind}:{name}"


def _is_native(embeddings: Embeddings, method: str) -> bool:
    """Tell whether an asynchronous method is the model's own, not LangChain's detour through a thread."""
    own = getattr(type(embeddings), method, None)
    return own is not None and own is not getattr(Embeddings, method)
