"""The server's own clock, which several machines have in common."""

from __future__ import annotations

import pytest

from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from tests.adapters.redis.conftest import Make
from tests.servers import redis_server
from tests.servers.redis_server import RedisServer


def server_time(server: RedisServer) -> int:
    """Microseconds since 1970, as the server says."""
    seconds, microseconds = (line for line in server.call("TIME").split() if line.isdigit())
    return int(seconds) * 1_000_000 + int(microseconds)


async def test_the_time_is_the_servers(make: Make, server: RedisServer) -> None:
    adapter = await make()
    earliest = server_time(server)
    told = await adapter.backend_now_us("n")
    assert told is not None
    assert earliest <= told <= server_time(server)


async def test_l22_a_memory_asks_the_server(server: RedisServer, prefix: str) -> None:
    options = {"url": server.url, "namespace": prefix}
    policy = PersistentPolicy(adapter_type="redis", adapter_config=options)
    async with MemorySystem(MemoryConfig(persistent=policy)) as memory:
        earliest = server_time(server)
        assert earliest <= await memory.now_us("persistent") <= server_time(server)


@pytest.mark.parametrize("namespace", ["a", "b", "c"])
async def test_in_a_cluster_it_is_that_of_the_node(make: Make, namespace: str) -> None:
    nodes = redis_server.cluster()
    adapter = await make(url=nodes[0].url)
    earliest = min(map(server_time, nodes))
    told = await adapter.backend_now_us(namespace)
    assert told is not None
    assert earliest <= told <= max(map(server_time, nodes))
