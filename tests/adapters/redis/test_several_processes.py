"""Several processes on one server, and a server that is killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from axon.core.filter.ast import EVERYTHING
from axon.core.models import Touch
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of, scan_all, search
from tests.adapters.redis.conftest import Make
from tests.servers.redis_server import RedisServer

QUERY = np.array([1, 0], np.float32)
WRITER = Path(__file__).with_name("writer.py")


def writer(server: RedisServer, prefix: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(WRITER), server.url, prefix, str(count)]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


async def test_another_process_is_seen(make: Make, server: RedisServer, prefix: str) -> None:
    adapter = await make()
    await adapter.put_many(
        "n", [make_entry("mine", embedding=[1, 0]), make_entry("3", text="old", embedding=[0, 1])]
    )
    assert len(await search(adapter, "n", QUERY)) == 2
    with writer(server, prefix, 30) as process:
        assert process.stdout is not None
        for line in process.stdout:
            id = line.strip()
            assert id in ids_of(await search(adapter, "n", QUERY, k=50))
        assert process.wait() == 0
    assert {entry.id: entry.text for entry in await scan_all(adapter, "n")}["3"] == "text 3"
    assert await adapter.namespaces() == ["n"]


async def test_killing_the_server_loses_nothing_acknowledged(
    make: Make, own_server: RedisServer, prefix: str
) -> None:
    own_server.call("CONFIG", "SET", "appendfsync", "everysec")
    acknowledged = []
    with writer(own_server, prefix, 1_000_000) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.append(line.strip())
            if len(acknowledged) == 200:
                own_server.kill()
        assert process.wait() != 0, "the writer did not notice"
    assert len(acknowledged) >= 200
    own_server.start_again()
    adapter = await make(url=own_server.url)
    found = await adapter.get_many("n", acknowledged)
    assert [entry and entry.text for entry in found] == [f"text {id}" for id in acknowledged]
    assert set(acknowledged) <= set(ids_of(await search(adapter, "n", QUERY, k=10_000)))
    details = (await adapter.stats()).details
    assert (details["persistence"], details["survives_restart"]) == ("aof", True)


async def test_a_server_that_keeps_nothing_says_so(make: Make) -> None:
    details = (await (await make()).stats()).details
    assert (details["persistence"], details["survives_restart"]) == ("none", False)


async def test_who_was_away_for_long_reads_anew(make: Make) -> None:
    """More deletions than the server lists: without them, the entry deleted first would stay for ever."""
    adapter, other = await make(), await make()
    await other.put_many("n", [make_entry(id, embedding=[1, 0]) for id in ("gone", "stays")])
    assert len(await search(adapter, "n", QUERY)) == 2
    await other.delete_many("n", ["gone"])
    for start in range(0, 11_000, 1000):
        ids = [f"{n}" for n in range(start, start + 1000)]
        await other.put_many("n", [make_entry(id) for id in ids])
        await other.delete_many("n", ids)
    assert ids_of(await search(adapter, "n", QUERY)) == ["stays"]
    assert ids_of(await search(other, "n", QUERY)) == ["stays"]


async def test_a_namespace_that_another_cleared_begins_anew(make: Make) -> None:
    adapter, other = await make(), await make()
    await adapter.put_many("n", [make_entry("old", embedding=[1, 0])])
    await search(adapter, "n", QUERY)
    await other.clear("n")
    assert await search(adapter, "n", QUERY) == []
    await adapter.put_many("n", [make_entry("new", embedding=[1, 0, 0])])
    assert await other.namespaces() == ["n"]
    assert ids_of(await search(other, "n", np.array([1, 0, 0], np.float32))) == ["new"]
    await other.clear("n")
    await other.put_many("n", [make_entry("newer", embedding=[1, 0])])
    assert ids_of(await search(adapter, "n", QUERY)) == ["newer"]


async def test_a_namespace_cleared_by_another_is_listed_again_when_written(make: Make) -> None:
    adapter, other = await make(), await make()
    await adapter.put_many("n", [make_entry("a")])
    await other.clear("n")
    await adapter.put_many("n", [make_entry("a")])
    assert await other.namespaces() == ["n"]


async def test_touches_of_another_are_seen_and_add_up(make: Make) -> None:
    adapter, other = await make(), await make()
    await adapter.put_many("n", [make_entry("a", embedding=[1, 0], access_count=1)])
    for each in (adapter, other):
        await search(each, "n", QUERY)
    await adapter.touch_many("n", [Touch("a", 50, 2)])
    await other.touch_many("n", [Touch("a", 40, 4)])
    for each in (adapter, other):
        [hit] = await search(each, "n", QUERY)
        assert hit.entry.access_count == 7
        assert hit.entry.record.accessed_us == 50
    assert await adapter.count("n", EVERYTHING) == 1
