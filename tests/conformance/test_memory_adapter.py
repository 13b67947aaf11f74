"""The conformance suite on the in-process adapter."""

from __future__ import annotations

import pytest

from axon.adapters.memory import MemoryAdapter
from axon.core.adapter_options import MemoryOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite


class TestMemoryAdapter(AdapterSuite):
    backend = "memory"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        return lambda: MemoryAdapter(MemoryOptions(), clock=clock)
