"""A server per backend, mended after each test, and adapters in names of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import cache
from typing import Any
from uuid import uuid4

import pytest

from axon.core.policies import PersistentPolicy
from axon.core.ports import StorageAdapter
from tests.adapters.faults.backends import CASES, Backend, Fault, Place
from tests.servers.proxy import Proxy


@cache
def server_of(backend: Backend) -> Any:
    """The server of a backend; ended when the tests end."""
    return backend.start()


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[Backend, Fault]:
    found: tuple[Backend, Fault] = request.param
    return found


@pytest.fixture
def fault(case: tuple[Backend, Fault]) -> Fault:
    return case[1]


@pytest.fixture
def place(case: tuple[Backend, Fault]) -> Iterator[Place]:
    backend, fault = case
    server = server_of(backend)
    with Proxy(backend.port(server)) as proxy:
        port = proxy.port if fault.by_proxy else backend.port(server)
        options = backend.options(server, port, f"test-{uuid4().hex}")
        policy = PersistentPolicy(adapter_type=backend.adapter_type, adapter_config=options)
        yield Place(server, proxy, policy)
    server.resume()
    if server.process.poll() is not None:
        server.start_again()


@pytest.fixture
async def adapter(place: Place) -> AsyncIterator[StorageAdapter]:
    adapter = place.make_adapter()
    await adapter.open()
    yield adapter
    await adapter.aclose()
