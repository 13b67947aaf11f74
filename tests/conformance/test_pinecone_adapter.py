"""The conformance suite on Pinecone's data plane, as a contract server of ours plays it: at once, and late."""

from __future__ import annotations

from uuid import uuid4

import pytest

from axon.adapters.pinecone import PineconeAdapter
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from tests.servers.pinecone_server import lagging_server, shared_server


class TestPineconeContract(AdapterSuite):
    """Writes are shown at once, and every read is Pinecone's own answer."""

    backend = "pinecone-contract"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        options = shared_server().options(namespace=uuid4().hex, timeout=60, max_unseen=0, fetch_lag=0)
        return lambda: PineconeAdapter(options, clock=clock)


class TestPineconeContractLagging(AdapterSuite):
    """Writes are shown late, and to fetches later than to queries: until then this process adds them to the answers."""

    backend = "pinecone-contract-lagging"

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        options = lagging_server().options(namespace=uuid4().hex, timeout=60, fetch_lag=0.3)
        return lambda: PineconeAdapter(options, clock=clock)
