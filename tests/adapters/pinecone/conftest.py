"""A contract server per test, since its faults and its delays are its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from axon.adapters.pinecone import PineconeAdapter
from tests.servers.pinecone_server import PineconeServer, new_server


@pytest.fixture
def server() -> Iterator[PineconeServer]:
    server = new_server()
    yield server
    server.close()


@pytest.fixture
async def adapter(server: PineconeServer) -> AsyncIterator[PineconeAdapter]:
    adapter = PineconeAdapter(server.options(timeout=2, settle_seconds=2, fetch_lag=0))
    await adapter.open()
    yield adapter
    server.script()
    await adapter.aclose()
