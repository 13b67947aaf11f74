"""Event loops and threads: one adapter serves all loops and leaves no thread behind."""

from __future__ import annotations

import asyncio
import threading

from axon.adapters.pinecone import PineconeAdapter
from axon.core.filter.ast import EVERYTHING
from axon.core.portal import run_blocking
from tests.adapters.pinecone.helpers import NS, QUERY, entry
from tests.servers.pinecone_server import PineconeServer


def test_one_adapter_serves_two_loops_and_the_shared_one(server: PineconeServer) -> None:
    adapter = PineconeAdapter(server.options())

    async def step(n: int) -> int:
        await adapter.open()
        await adapter.put_many(NS, [entry(f"{n}", [1, n])])
        assert len((await adapter.search_many(NS, [QUERY]))[0]) == 1
        return await adapter.count(NS, EVERYTHING)

    with asyncio.Runner() as one, asyncio.Runner() as other:
        counts = [
            one.run(step(0)),
            other.run(step(1)),
            one.run(step(2)),
            run_blocking(step(3)),
            other.run(step(4)),
        ]
    assert counts == [1, 2, 3, 4, 5]
    run_blocking(adapter.aclose())


async def test_the_loop_runs_on_while_pinecone_takes_its_time(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.script({"hang": 0.3})
    ticks = 0
    reading = asyncio.ensure_future(adapter.count(NS, EVERYTHING))
    while not reading.done():
        await asyncio.sleep(0.001)
        ticks += 1
    assert await reading == 1
    assert ticks > 20


async def test_a_failed_opening_leaves_nothing_behind(server: PineconeServer) -> None:
    threads = threading.active_count()
    for _ in range(5):
        server.script({"status": 401})
        adapter = PineconeAdapter(server.options())
        try:
            await adapter.open()
        except ConnectionError:
            await adapter.aclose()
    left = [each.name for each in threading.enumerate() if "pinecone" in each.name]
    assert left == []
    # asyncio.to_thread keeps a few of its own.
    assert threading.active_count() <= threads + 5
