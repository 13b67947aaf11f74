"""Axon as LlamaIndex classes: vector store, retriever, agent memory, chat store, tools and embedding adapters.

Nothing of LlamaIndex is imported until a name of this package is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from axon.core.errors import MissingDependencyError

if TYPE_CHECKING:
    from axon_integrations.llama_index.chat_store import AxonChatStore
    from axon_integrations.llama_index.embeddings import AxonEmbedding, LlamaIndexEmbedder, from_llama_index
    from axon_integrations.llama_index.live_memories import register_memory
    from axon_integrations.llama_index.memory import AxonMemory
    from axon_integrations.llama_index.memory_block import AxonMemoryBlock
    from axon_integrations.llama_index.retriever import AxonRetriever
    from axon_integrations.llama_index.tools import AxonMemoryToolSpec
    from axon_integrations.llama_index.vector_store import AxonVectorStore
    from axon_integrations.llama_index.vector_store_info import AXON_METADATA_INFO, axon_vector_store_info

__all__ = [
    "AXON_METADATA_INFO",
    "AxonChatStore",
    "AxonEmbedding",
    "AxonMemory",
    "AxonMemoryBlock",
    "AxonMemoryToolSpec",
    "AxonRetriever",
    "AxonVectorStore",
    "LlamaIndexEmbedder",
    "axon_vector_store_info",
    "from_llama_index",
    "register_memory",
]

_HOMES = {
    "AxonChatStore": "chat_store",
    "AxonEmbedding": "embeddings",
    "AxonMemory": "memory",
    "AxonMemoryBlock": "memory_block",
    "AxonMemoryToolSpec": "tools",
    "AxonRetriever": "retriever",
    "AxonVectorStore": "vector_store",
    "LlamaIndexEmbedder": "embeddings",
    "AXON_METADATA_INFO": "vector_store_info",
    "from_llama_index": "embeddings",
    "register_memory": "live_memories",
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
