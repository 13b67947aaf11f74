"""The conformance suite on the embedded durable adapter."""

from __future__ import annotations

from pathlib import Path

import pytest

from axon.adapters.sqlite import SqliteAdapter
from axon.core.adapter_options import SqliteOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite


class TestSqliteAdapter(AdapterSuite):
    backend = "sqlite"

    @pytest.fixture
    def make_adapter(self, tmp_path: Path, clock: ManualClock) -> AdapterFactory:
        options = SqliteOptions(path=str(tmp_path / "memory.db"))
        return lambda: SqliteAdapter(options, clock=clock)
