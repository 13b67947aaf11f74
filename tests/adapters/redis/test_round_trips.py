"""How often the network is crossed, counted by a proxy between the adapter and a real server."""

from __future__ import annotations

import asyncio

import numpy as np

from axon.adapters.redis import RedisAdapter
from axon.core.models import Touch
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of, search
from tests.adapters.redis.conftest import Make
from tests.servers.proxy import Proxy

NS = "n"
QUERY = np.array([1, 0], np.float32)


async def opened(make: Make, proxy: Proxy) -> RedisAdapter:
    """An adapter behind the proxy that has made its connection and listed its namespace."""
    adapter: RedisAdapter = await make(url=f"redis://127.0.0.1:{proxy.port}")
    await adapter.put_many(NS, [make_entry("first", embedding=[1, 0])])
    await search(adapter, NS, QUERY)
    proxy.round_trips = 0
    return adapter


async def test_a_thousand_single_calls_at_once_share_a_few_round_trips(make: Make, proxy: Proxy) -> None:
    adapter = await opened(make, proxy)
    await asyncio.gather(*(adapter.put_many(NS, [make_entry(f"{n}", text=f"v{n}")]) for n in range(1000)))
    assert proxy.round_trips == 1
    found = await asyncio.gather(*(adapter.get_many(NS, [f"{n}"]) for n in range(1000)))
    assert [entry and entry.text for [entry] in found] == [f"v{n}" for n in range(1000)]
    assert proxy.round_trips == 2
    assert await asyncio.gather(*(adapter.delete_many(NS, [f"{n}"]) for n in range(1000))) == [1] * 1000
    assert proxy.round_trips == 3


async def test_batches_are_one_round_trip(make: Make, proxy: Proxy) -> None:
    adapter = await opened(make, proxy)
    ids = [f"{n}" for n in range(1000)]
    await adapter.put_many(NS, [make_entry(id) for id in ids])
    await adapter.get_many(NS, ids)
    await adapter.touch_many(NS, [Touch(id, 5) for id in ids])
    await adapter.delete_many(NS, ids)
    assert proxy.round_trips == 4


async def test_a_search_is_one_round_trip_where_nothing_is_new(make: Make, proxy: Proxy) -> None:
    adapter = await opened(make, proxy)
    await adapter.put_many(NS, [make_entry(f"{n}", text="fox", embedding=[1, n]) for n in range(20)])
    await adapter.touch_many(NS, [Touch("3", 5)])
    await adapter.delete_many(NS, ["4"])
    proxy.round_trips = 0
    assert len(await search(adapter, NS, QUERY, k=3)) == 3
    assert proxy.round_trips == 1
    await adapter.text_statistics(NS, "fox")
    assert len(await search(adapter, NS, QUERY, text="fox", k=3)) >= 3
    assert proxy.round_trips == 2


async def test_many_searches_at_once_ask_once_what_is_new(make: Make, proxy: Proxy) -> None:
    adapter = await opened(make, proxy)
    answers = await asyncio.gather(*(search(adapter, NS, QUERY) for _ in range(300)))
    assert {tuple(ids_of(hits)) for hits in answers} == {("first",)}
    assert proxy.round_trips == 1


async def test_news_of_others_cost_two_more(make: Make, proxy: Proxy) -> None:
    adapter, other = await opened(make, proxy), await make()
    await other.put_many(NS, [make_entry(f"{n}", embedding=[1, 0.1]) for n in range(300)])
    await other.delete_many(NS, ["7"])
    assert len(await search(adapter, NS, QUERY, k=1000)) == 300
    assert proxy.round_trips == 3
    assert len(await search(adapter, NS, QUERY, k=1000)) == 300
    assert proxy.round_trips == 4


async def test_writing_reads_nothing(make: Make, proxy: Proxy) -> None:
    """A process that only writes does not hold the namespace."""
    adapter = await make(url=f"redis://127.0.0.1:{proxy.port}")
    await adapter.put_many(NS, [make_entry(f"{n}", embedding=[1, 0]) for n in range(500)])
    assert (await adapter.stats()).bytes == 0
