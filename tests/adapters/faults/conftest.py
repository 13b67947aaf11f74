"""A server per backend, mended after each test, and adapters in names of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any

import pytest

from axon.core.ports import StorageAdapter
from tests.adapters.faults.backends import Backend, Fault, Place
from tests.adapters.faults.writing import recovered
from tests.servers.proxy import Proxy


@cache
def server_of(backend: Backend) -> Any:
    """The server of a backend; ended when the tests end."""
    return backend.start()


@pytest.fixture
def place(backend: Backend, fault: Fault) -> Iterator[Place]:
    server = server_of(backend)
    with Proxy(backend.port(server)) as proxy:
        port = proxy.port if fault.by_proxy else backend.port(server)
        yield Place(server, proxy, backend.policy(port))
    server.resume()
    if server.process.poll() is not None:
        server.start_again()


@pytest.fixture
async def adapter(place: Place) -> AsyncIterator[StorageAdapter]:
    adapter = place.make_adapter()
    await recovered(adapter.open)
    yield adapter
    await adapter.aclose()
