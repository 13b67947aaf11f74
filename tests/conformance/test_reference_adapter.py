"""The suite against an adapter that is right by construction."""

from __future__ import annotations

import pytest

from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite, Oracle
from tests.conformance.reference_adapter import ReferenceAdapter


class TestReferenceAdapter(AdapterSuite):
    backend = "reference"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        oracle = Oracle(clock)
        return lambda: ReferenceAdapter(oracle)
