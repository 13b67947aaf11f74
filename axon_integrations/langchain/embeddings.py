"""Embedding models, from Axon to LangChain and back."""

from __future__ import annotations

from axon_integrations._shared.langchain_embeddings import AxonEmbeddings, LangChainEmbedder, from_langchain

__all__ = ["AxonEmbeddings", "LangChainEmbedder", "from_langchain"]
