"""The conformance suite on Qdrant: the client's own engine in memory and in a folder, and both interfaces of a server.

Over the wire a contract server answers: shapes are checked with the client's own models, and Qdrant's embedded engine
stores, filters and scores.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar
from uuid import uuid4

import pytest

from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from tests.servers.qdrant_server import fast_place, shared_server


class TestQdrantInMemory(AdapterSuite):
    backend = "qdrant-memory"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        return lambda: QdrantAdapter(QdrantOptions(location=":memory:"), clock=clock)


class TestQdrantInFolder(AdapterSuite):
    backend = "qdrant-local"

    @pytest.fixture
    def make_adapter(self, tmp_path: Path, clock: ManualClock) -> AdapterFactory:
        options = QdrantOptions(path=str(tmp_path / "qdrant"))
        return lambda: QdrantAdapter(options, clock=clock)


class TestQdrantEdge(AdapterSuite):
    """The embedded engine in this process."""

    backend = "qdrant-edge"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> Iterator[AdapterFactory]:
        with tempfile.TemporaryDirectory(dir=fast_place()) as folder:
            options = QdrantOptions(path=folder, engine="edge")
            yield lambda: QdrantAdapter(options, clock=clock)


class QdrantOverTheWire(AdapterSuite):
    """What the subclasses share: the contract server, in collections that are deleted after each test."""

    prefer_grpc: ClassVar[bool]

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> Iterator[AdapterFactory]:
        server, name = shared_server(), f"test-{uuid4().hex}"
        options = QdrantOptions(
            url=server.url,
            grpc_port=server.grpc_port,
            prefer_grpc=self.prefer_grpc,
            collection_name=name,
            timeout=60,
        )
        yield lambda: QdrantAdapter(options, clock=clock)
        server.drop(name)


class TestQdrantRest(QdrantOverTheWire):
    backend = "qdrant-rest"
    prefer_grpc = False


class TestQdrantGrpc(QdrantOverTheWire):
    backend = "qdrant-grpc"
    prefer_grpc = True
