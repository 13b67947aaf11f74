"""Adapters on a real server, each test with keys of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import RedisOptions
from tests.servers import redis_server
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

Make = Callable[..., Any]


@pytest.fixture
def server() -> RedisServer:
    """The session's plain server; not to be stopped."""
    return redis_server.plain()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """A plain server of this test's own."""
    own = redis_server.started(RedisServer(redis_server.plain_binary(), "--appendonly", "yes"))
    yield own
    own.close()


@pytest.fixture
def proxy(server: RedisServer) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def prefix() -> str:
    return f"test{uuid4().hex}"


@pytest.fixture
async def make(prefix: str, server: RedisServer) -> AsyncIterator[Make]:
    """Make opened adapters that are closed at the end; by default on the session's server."""
    made: list[RedisAdapter] = []

    async def make(**options: Any) -> RedisAdapter:
        adapter = RedisAdapter(RedisOptions(**{"url": server.url, "namespace": prefix, **options}))
        await adapter.open()
        made.append(adapter)
        return adapter

    yield make
    for adapter in made:
        await adapter.aclose()
