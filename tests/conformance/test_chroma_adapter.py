"""The conformance suite on Chroma: in memory, in a folder, and on a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from axon.adapters.chroma import ChromaAdapter
from axon.core.adapter_options import ChromaOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite


class TestChromaInMemory(AdapterSuite):
    backend = "chroma in memory"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        return lambda: ChromaAdapter(ChromaOptions(), clock=clock)


class TestChromaInFolder(AdapterSuite):
    backend = "chroma in a folder"

    @pytest.fixture
    def make_adapter(self, tmp_path: Path, clock: ManualClock) -> AdapterFactory:
        options = ChromaOptions(path=str(tmp_path / "chroma"))
        return lambda: ChromaAdapter(options, clock=clock)
