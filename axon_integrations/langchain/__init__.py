"""Axon as LangChain classes: a vector store, a retriever, embeddings both ways, and a self-query translator.

Names load when first used, so that importing this package costs nothing and needs no LangChain.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from axon.core.errors import MissingDependencyError

if TYPE_CHECKING:
    from axon_integrations.langchain.byte_store import AxonByteStore
    from axon_integrations.langchain.chat_history import AxonChatMessageHistory
    from axon_integrations.langchain.document_index import AxonDocumentIndex
    from axon_integrations.langchain.embeddings import AxonEmbeddings, from_langchain
    from axon_integrations.langchain.filters import to_filter
    from axon_integrations.langchain.memory import AxonMemory
    from axon_integrations.langchain.middleware import AxonMemoryMiddleware
    from axon_integrations.langchain.record_manager import AxonRecordManager
    from axon_integrations.langchain.retriever import AxonRetriever
    from axon_integrations.langchain.tools import memory_tools
    from axon_integrations.langchain.translator import AXON_ATTRIBUTES, AxonTranslator
    from axon_integrations.langchain.vector_store import AxonVectorStore

__all__ = [
    "AXON_ATTRIBUTES",
    "AxonByteStore",
    "AxonChatMessageHistory",
    "AxonDocumentIndex",
    "AxonEmbeddings",
    "AxonMemory",
    "AxonMemoryMiddleware",
    "AxonRecordManager",
    "AxonRetriever",
    "AxonTranslator",
    "AxonVectorStore",
    "from_langchain",
    "memory_tools",
    "to_filter",
]

_HOMES = {
    "AXON_ATTRIBUTES": "translator",
    "AxonByteStore": "byte_store",
    "AxonChatMessageHistory": "chat_history",
    "AxonDocumentIndex": "document_index",
    "AxonEmbeddings": "embeddings",
    "AxonMemory": "memory",
    "AxonMemoryMiddleware": "middleware",
    "AxonRecordManager": "record_manager",
    "AxonRetriever": "retriever",
    "AxonTranslator": "translator",
    "AxonVectorStore": "vector_store",
    "from_langchain": "embeddings",
    "memory_tools": "tools",
    "to_filter": "filters",
}
# What the extra `langchain` installs, by import name.
_PACKAGES = {"langchain": "langchain", "langchain_core": "langchain-core", "langgraph": "langgraph"}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{home}")
    except ModuleNotFoundError as error:
        package = _PACKAGES.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        raise MissingDependencyError(package, "langchain") from error
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
