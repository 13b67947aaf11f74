"""The conformance suite on Qdrant: the client's own engine in memory and in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite


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
