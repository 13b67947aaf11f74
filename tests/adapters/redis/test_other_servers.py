"""Servers behind TLS, behind sentinels, and in a cluster."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from axon.adapters.redis import RedisAdapter
from axon.core.errors import AdapterError, AdapterUnavailable, ConfigError
from axon.core.models import MemoryEntry
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of, search
from tests.adapters.redis.conftest import Make
from tests.servers import redis_server
from tests.servers.process import wait_until
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer, Sentinel

QUERY = np.array([1, 0], np.float32)


async def works(make: Make, **options: object) -> None:
    adapter = await make(**options)
    await adapter.put_many("n", [make_entry("a", embedding=[1, 0]), make_entry("b", embedding=[0, 1])])
    assert ids_of(await search(adapter, "n", QUERY)) == ["a", "b"]
    assert await adapter.namespaces() == ["n"]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for the loopback address that signs itself, and its key."""
    key, own = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    making = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject)
    subprocess.run([*making, "-keyout", str(key), "-out", str(own)], check=True, capture_output=True)
    return own, key


@pytest.fixture
def tls_port(certificate: tuple[Path, Path], server: RedisServer) -> Iterator[int]:
    """A port that speaks TLS in front of the session's server, whose binary may know none."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with Proxy(server.port, context) as proxy:
        yield proxy.port


async def test_tls_is_spoken_and_the_certificate_checked(
    make: Make, tls_port: int, certificate: tuple[Path, Path]
) -> None:
    url = f"rediss://127.0.0.1:{tls_port}"
    await works(make, url=f"{url}?ssl_ca_certs={certificate[0]}")
    with pytest.raises(AdapterUnavailable):
        await make(url=url)


@pytest.fixture
def sentinel(own_server: RedisServer) -> Iterator[Sentinel]:
    """A sentinel that watches a server of this test's own under the name ``primary``."""
    with closing(redis_server.started(Sentinel(own_server))) as sentinel:
        yield sentinel


async def test_sentinels_name_the_server(make: Make, sentinel: Sentinel, own_server: RedisServer) -> None:
    await works(make, url=f"redis+sentinel://127.0.0.1:{sentinel.port}/primary/2")
    assert "db2:" in own_server.call("INFO", "keyspace")
    with pytest.raises(AdapterUnavailable):
        await make(url=f"redis+sentinel://127.0.0.1:{sentinel.port}/unknown")


@pytest.fixture
def replica(own_server: RedisServer) -> Iterator[RedisServer]:
    """A server that follows this test's own."""
    own_server.call("CONFIG", "SET", "repl-diskless-sync-delay", "0")
    following = RedisServer(redis_server.plain_binary(), "--replicaof", f"127.0.0.1 {own_server.port}")
    with closing(redis_server.started(following)) as replica:
        wait_until(lambda: "master_link_status:up" in replica.call("INFO", "replication"), "no replication")
        yield replica


async def test_when_the_primary_dies_its_replica_goes_on(
    make: Make, own_server: RedisServer, replica: RedisServer
) -> None:
    with closing(redis_server.started(Sentinel(own_server))) as sentinel:
        known = f"127.0.0.1:{replica.port}"
        wait_until(lambda: known in sentinel.call("SENTINEL", "REPLICAS", "primary"), "it sees no replica")
        adapter = await make(url=f"redis+sentinel://127.0.0.1:{sentinel.port}/primary", socket_timeout=1.0)
        await adapter.put_many("n", [make_entry("before", embedding=[1, 0])])
        assert ids_of(await search(adapter, "n", QUERY)) == ["before"]
        wait_until(lambda: replica.call("DBSIZE") == own_server.call("DBSIZE"), "the write did not arrive")
        own_server.kill()
        async with asyncio.timeout(60):
            while not await written(adapter, make_entry("after", embedding=[0, 1])):  # noqa: ASYNC110 - it polls
                await asyncio.sleep(0.02)
        assert sorted(ids_of(await search(adapter, "n", QUERY))) == ["after", "before"]
        assert "role:master" in replica.call("INFO", "replication")


async def written(adapter: RedisAdapter, entry: MemoryEntry) -> bool:
    """Whether a write is acknowledged; a failure must be Axon's own."""
    try:
        await adapter.put_many("n", [entry])
    except AdapterError:
        return False
    return True


async def test_a_cluster_is_recognised_and_spreads_the_namespaces(make: Make, prefix: str) -> None:
    nodes = redis_server.cluster()
    adapter = await make(url=nodes[0].url)
    assert (await adapter.stats()).backend.endswith("Cluster")
    names = [f"n{n}" for n in range(60)]
    await asyncio.gather(*(adapter.put_many(name, [make_entry("a", embedding=[1, 0])]) for name in names))
    assert await adapter.namespaces() == sorted(names)
    shares = [node.call("KEYS", f"{prefix}:*:e:a").count(f"{prefix}:") for node in nodes]
    assert sum(shares) == 60
    assert min(shares) > 0
    for name in names:
        await adapter.clear(name)
    with pytest.raises(ConfigError, match="database 0"):
        await works(make, url=f"{nodes[0].url}/1")


async def test_five_hundred_calls_at_once_on_a_cluster(make: Make) -> None:
    adapter = await make(url=redis_server.cluster()[1].url)
    calls = [(f"n{n % 50}", f"{n}") for n in range(500)]
    await asyncio.gather(*(adapter.put_many(name, [make_entry(id)]) for name, id in calls))
    found = await asyncio.gather(*(adapter.get_many(name, [id]) for name, id in calls))
    assert all(entry is not None for [entry] in found)
