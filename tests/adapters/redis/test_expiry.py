"""The server itself drops what has expired, and nothing of it is kept elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from axon.adapters._redis.keys import Keyspace
from axon.core.filter.ast import EVERYTHING
from axon.testing.entries import make_entry
from axon.testing.exact import search
from tests.adapters.redis.conftest import Make
from tests.servers.process import wait_until
from tests.servers.redis_server import RedisServer


def number(answer: str) -> int:
    return int(answer.removeprefix(":"))


async def test_the_server_knows_when_an_entry_ends(make: Make, server: RedisServer, prefix: str) -> None:
    adapter, space = await make(), Keyspace(prefix).space("n")
    now = datetime.now(UTC)
    ends = {"soon": now + timedelta(milliseconds=300), "later": now + timedelta(seconds=100), "never": None}
    await adapter.put_many(
        "n", [make_entry(id, embedding=[1, 0], expires_at=end) for id, end in ends.items()]
    )
    assert 99_000 < number(server.call("PTTL", space.entry("later"))) <= 100_000
    assert number(server.call("PTTL", space.entry("never"))) == -1
    assert len(await search(adapter, "n", np.array([1, 0], np.float32))) >= 2

    wait_until(lambda: number(server.call("EXISTS", space.entry("soon"))) == 0, "it did not expire", 10)
    assert datetime.now(UTC) >= ends["soon"]
    assert await adapter.expired("n") == []
    for key in (space.index, space.expiring):
        assert server.call("ZSCORE", key, "soon").startswith("$-1")
        assert not server.call("ZSCORE", key, "later").startswith("$-1")
    assert await adapter.count("n", EVERYTHING) == 2


async def test_a_rewrite_without_end_takes_the_servers_away(
    make: Make, server: RedisServer, prefix: str
) -> None:
    adapter, space = await make(), Keyspace(prefix).space("n")
    soon = datetime.now(UTC) + timedelta(seconds=50)
    await adapter.put_many("n", [make_entry("a", expires_at=soon), make_entry("b", expires_at=soon)])
    await adapter.put_many("n", [make_entry("a"), make_entry("b", access_count=2)])
    assert [number(server.call("PTTL", space.entry(id))) for id in "ab"] == [-1, -1]
    assert number(server.call("EXISTS", space.expiring)) == 0


async def test_what_expired_leaves_the_memory_of_the_process(make: Make) -> None:
    adapter = await make()
    soon = datetime.now(UTC) + timedelta(milliseconds=50)
    await adapter.put_many("n", [make_entry(f"{n}", embedding=[1, n], expires_at=soon) for n in range(30)])
    await adapter.put_many("n", [make_entry("stays", embedding=[1, 0])])
    query = np.array([1, 0], np.float32)
    await search(adapter, "n", query)
    wait_until(lambda: datetime.now(UTC) > soon + timedelta(seconds=1), "time stands still", 10)
    assert len(await search(adapter, "n", query, k=50)) == 1
    assert [len(arena) for arena in adapter._replicas.arenas()] == [1]
