"""The conformance suite on Qdrant: the client's own engine in memory and in a folder, and the REST interface."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from tests.servers.qdrant_server import shared_server


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


class TestQdrantRest(AdapterSuite):
    """Over the wire, against a contract server: shapes are Qdrant's, answers are the client's own engine's."""

    backend = "qdrant-rest"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        options = QdrantOptions(url=shared_server().url, collection_name=f"test-{uuid4().hex}", timeout=60)
        return lambda: QdrantAdapter(options, clock=clock)
