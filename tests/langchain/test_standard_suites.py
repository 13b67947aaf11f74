"""LangChain's own conformance suites, on each kind of memory, with no test overridden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import DocumentIndex
from langchain_core.retrievers import BaseRetriever
from langchain_core.stores import BaseStore
from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import (
    BaseStoreAsyncTests,
    BaseStoreSyncTests,
    EmbeddingsIntegrationTests,
    RetrieversIntegrationTests,
    VectorStoreIntegrationTests,
)
from langchain_tests.integration_tests.indexer import AsyncDocumentIndexTestSuite, DocumentIndexerTestSuite
from langchain_tests.unit_tests import EmbeddingsUnitTests

from axon.core.memory_system import MemorySystem
from axon.embedders import HashingEmbedder
from axon_integrations.langchain import (
    AxonByteStore,
    AxonDocumentIndex,
    AxonEmbeddings,
    AxonRetriever,
    AxonVectorStore,
)

# The suites' documents have a metadata key "id", about which the store rightly warns once.
pytestmark = pytest.mark.filterwarnings(
    "ignore:metadata key:axon_integrations._shared.inputs.ReservedMetadataWarning"
)


class TestVectorStore(VectorStoreIntegrationTests):
    @pytest.fixture
    def vectorstore(self, memory: MemorySystem) -> VectorStore:  # type: ignore[override]
        return AxonVectorStore(memory, self.get_embeddings())


class TestRetriever(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def corpus(self, memory: MemorySystem) -> Iterator[None]:
        store = AxonVectorStore(memory, DeterministicFakeEmbedding(size=6))
        store.add_texts(["the red fox", "green tea", "a blue sky", "black coffee"])
        self.asked = store.memory
        yield

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return AxonRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"memory": self.asked}

    @property
    def retriever_query_example(self) -> str:
        return "what is green?"


class Bytes:
    @pytest.fixture
    def kv_store(self, memory: MemorySystem) -> BaseStore[str, bytes]:
        return AxonByteStore(memory)

    @pytest.fixture
    def three_values(self) -> tuple[bytes, bytes, bytes]:
        return b"foo", b"\x00\xff", b""


class TestByteStore(Bytes, BaseStoreSyncTests[bytes]):
    pass


class TestByteStoreAsync(Bytes, BaseStoreAsyncTests[bytes]):
    pass


class TestDocumentIndex(DocumentIndexerTestSuite):
    @pytest.fixture
    def index(self, memory: MemorySystem) -> DocumentIndex:  # type: ignore[override]
        return AxonDocumentIndex(store=AxonVectorStore(memory, DeterministicFakeEmbedding(size=6)))


class TestDocumentIndexAsync(AsyncDocumentIndexTestSuite):
    @pytest.fixture
    async def index(self, memory: MemorySystem) -> DocumentIndex:  # type: ignore[override]
        return AxonDocumentIndex(store=AxonVectorStore(memory, DeterministicFakeEmbedding(size=6)))


class TestEmbeddingsUnit(EmbeddingsUnitTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return AxonEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": HashingEmbedder()}


class TestEmbeddingsIntegration(EmbeddingsIntegrationTests):
    @property
    def embeddings_class(self) -> type[Embeddings]:
        return AxonEmbeddings

    @property
    def embedding_model_params(self) -> dict[str, Any]:
        return {"embedder": HashingEmbedder()}
