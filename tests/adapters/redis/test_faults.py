"""A server that stops, hangs, cuts connections or comes back."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from axon.core.errors import AdapterUnavailable, CorruptEntryError
from axon.core.filter.ast import EVERYTHING
from axon.core.models import Touch
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import ids_of, search
from tests.adapters.redis.conftest import Make
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

QUERY = np.array([1, 0], np.float32)
ENTRY = make_entry("a", text="kept", embedding=[1, 0])


async def test_a_touch_that_may_have_been_counted_is_not_counted_again(make: Make, proxy: Proxy) -> None:
    adapter = await make(url=f"redis://127.0.0.1:{proxy.port}")
    await adapter.put_many("n", [ENTRY])
    proxy.cut_next_answers(1)
    touching = asyncio.ensure_future(adapter.touch_many("n", [Touch("a", 1)]))
    reading = asyncio.ensure_future(adapter.get_many("n", ["a"]))
    with pytest.raises(AdapterUnavailable):
        await touching
    [entry] = await reading
    assert entry.access_count == 1


async def test_after_a_cut_the_local_index_is_right_again(make: Make, proxy: Proxy) -> None:
    adapter = await make(url=f"redis://127.0.0.1:{proxy.port}")
    await adapter.put_many("n", [ENTRY, make_entry("b", embedding=[0, 1])])
    await search(adapter, "n", QUERY)
    proxy.cut_next_answers(1)
    assert await adapter.delete_many("n", ["b"]) == 0, "the first attempt deleted it, and its answer was lost"
    assert ids_of(await search(adapter, "n", QUERY)) == ["a"]


async def test_one_damaged_entry_hides_no_other(make: Make, server: RedisServer, prefix: str) -> None:
    adapter = await make()
    await adapter.put_many("n", [make_entry(id, embedding=[1, 0]) for id in ("a", "bad", "z")])
    server.call("SET", f"{prefix}:{{n}}:e:bad", b"\x01\xff\xff\xff\xffnonsense")
    with pytest.raises(CorruptEntryError, match="'bad'") as raised:
        await adapter.get_many("n", ["a", "bad"])
    assert raised.value.entry_id == "bad"
    found = await asyncio.gather(
        adapter.get_many("n", ["a"]), adapter.get_many("n", ["bad"]), return_exceptions=True
    )
    assert isinstance(found[0], list)
    assert isinstance(found[1], CorruptEntryError)
    fresh = await make()
    assert sorted(ids_of(await search(fresh, "n", QUERY))) == ["a", "z"]
    assert (await fresh.stats()).details["corrupt_entries"] == ["bad"]
    await fresh.put_many("n", [make_entry("bad", embedding=[1, 0])])
    assert sorted(ids_of(await search(fresh, "n", QUERY))) == ["a", "bad", "z"]


async def test_a_full_server_refuses_and_changes_nothing(make: Make, own_server: RedisServer) -> None:
    adapter = await make(url=own_server.url)
    await adapter.put_many("n", [ENTRY])
    own_server.call("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(AdapterUnavailable, match="maxmemory"):
        await adapter.put_many("n", [make_entry("a", text="changed"), make_entry("b")])
    own_server.call("CONFIG", "SET", "maxmemory", "0")
    assert_same((await adapter.get_many("n", ["a"]))[0], ENTRY)
    assert await adapter.count("n", EVERYTHING) == 1
