"""The conformance suite on Chroma: in memory, in a folder, and on a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from axon.adapters.chroma import ChromaAdapter
from axon.core.adapter_options import ChromaOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from tests.servers.chroma_server import shared_server


class TestChromaInMemory(AdapterSuite):
    backend = "chroma-memory"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        return lambda: ChromaAdapter(ChromaOptions(), clock=clock)


class TestChromaInFolder(AdapterSuite):
    backend = "chroma-embedded"

    @pytest.fixture
    def make_adapter(self, tmp_path: Path, clock: ManualClock) -> AdapterFactory:
        options = ChromaOptions(path=str(tmp_path / "chroma"))
        return lambda: ChromaAdapter(options, clock=clock)


class TestChromaServer(AdapterSuite):
    backend = "chroma-server"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> Iterator[AdapterFactory]:
        server, name = shared_server(), f"test-{uuid4().hex}"
        options = ChromaOptions(host="127.0.0.1", port=server.port, collection_name=name, timeout=60)
        yield lambda: ChromaAdapter(options, clock=clock)
        server.drop(name)
