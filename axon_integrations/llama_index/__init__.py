"""Axon as LlamaIndex classes: a vector store, a chat store, embedding adapters, and what an auto-retriever must know.

Nothing of LlamaIndex is imported until a name of this package is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from axon.core.errors import MissingDependencyError

if TYPE_CHECKING:
    from axon_integrations.llama_index.chat_store import AxonChatStore
    from axon_integrations.llama_index.embeddings import AxonEmbedding, LlamaIndexEmbedder, from_llama_index
    from axon_integrations.llama_index.vector_store import AxonVectorStore
    from axon_integrations.llama_index.vector_store_info import AXON_METADATA_INFO, axon_vector_store_info

__all__ = [
    "AXON_METADATA_INFO",
    "AxonChatStore",
    "AxonEmbedding",
    "AxonVectorStore",
    "LlamaIndexEmbedder",
    "axon_vector_store_info",
    "from_llama_index",
]

_HOMES = {
    "AxonChatStore": "chat_store",
    "AxonEmbedding": "embeddings",
    "AxonVectorStore": "vector_store",
    "LlamaIndexEmbedder": "embeddings",
    "AXON_METADATA_INFO": "vector_store_info",
    "from_llama_index": "embeddings",
    "axon_vector_store_info": "vector_store_info",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{home}")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "llama_index":
            raise
        raise MissingDependencyError("llama-index-core", "llama-index") from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
