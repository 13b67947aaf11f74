"""The pool, and what belongs to the user."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import threading

import numpy as np
import psutil
import pytest
from redis.asyncio import Redis

from axon.adapters._redis.address import read_address
from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import RedisOptions, read_options
from axon.core.errors import AdapterUnavailable, AxonError, ConfigError
from axon.testing.entries import make_entry
from axon.testing.exact import search
from tests.adapters.redis.conftest import Make
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

SECRET = "s3cret-pass"


async def test_the_pool_is_bounded_and_who_comes_late_waits(make: Make, proxy: Proxy) -> None:
    adapter = await make(url=f"redis://127.0.0.1:{proxy.port}", max_connections=2)
    proxy.most_open = 0
    names = [f"ns {n}" for n in range(40)]
    await asyncio.gather(*(adapter.put_many(name, [make_entry("a", embedding=[1, 0])]) for name in names))
    query = np.array([1, 0], np.float32)
    found = await asyncio.gather(*(search(adapter, name, query) for name in names))
    assert [len(hits) for hits in found] == [1] * 40
    assert proxy.most_open == 2


async def test_a_thousand_calls_on_default_settings_succeed(make: Make) -> None:
    adapter = await make()
    await asyncio.gather(*(adapter.put_many(f"ns {n % 100}", [make_entry(f"{n}")]) for n in range(1000)))
    found = await asyncio.gather(*(adapter.get_many(f"ns {n % 100}", [f"{n}"]) for n in range(1000)))
    assert all(entry is not None for [entry] in found)


@pytest.mark.parametrize("decode_responses", [False, True])
async def test_a_client_of_the_users_is_never_closed(
    make: Make, server: RedisServer, decode_responses: bool
) -> None:
    async with Redis.from_url(server.url, decode_responses=decode_responses) as client:
        await client.ping()
        kept = set(client.connection_pool._available_connections)
        adapter = await make(client=client, url="redis://127.0.0.1:1")
        await adapter.put_many("n", [make_entry("a", text="ä\0", embedding=[0.5, 2])])
        assert (await adapter.get_many("n", ["a"]))[0].text == "ä\0"
        await adapter.aclose()
        assert await client.ping()
        assert set(client.connection_pool._available_connections) == kept


async def test_the_option_decode_responses_changes_nothing(make: Make) -> None:
    adapter = await make(decode_responses=True)
    await adapter.put_many("n", [make_entry("a", text="ä\0", embedding=[0.5, 2])])
    assert (await adapter.get_many("n", ["a"]))[0].text == "ä\0"


def test_a_client_that_cannot_be_shared_is_refused() -> None:
    with pytest.raises(ConfigError, match="must be a redis"):
        RedisAdapter(RedisOptions(client=object()))


async def test_no_password_is_shown_anywhere(server: RedisServer, prefix: str) -> None:
    url = f"redis://someone:{SECRET}@127.0.0.1:{server.port}"
    options = RedisOptions(url=url, namespace=prefix)
    adapter = RedisAdapter(options)
    with pytest.raises(AdapterUnavailable) as refused:
        await adapter.open()
    shown = [repr(options), str(options), str(options.model_dump()), repr(adapter), repr(adapter._address)]
    shown += [repr(refused.value), str(refused.value.__cause__)]
    assert not [text for text in shown if SECRET in text]
    assert "user and password" in str(refused.value)
    assert pickle.loads(pickle.dumps(options)).url == options.url


@pytest.mark.parametrize(
    "url", [f"http://u:{SECRET}@host", f"redis+sentinel://u:{SECRET}@h", f"redis://u:{SECRET}@h:x"]
)
def test_a_url_that_cannot_be_read_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match="rediss://") as refused:
        RedisAdapter(RedisOptions(url=url))
    assert SECRET not in str(refused.value)


def test_urls_of_every_form_are_read() -> None:
    tls = read_address("rediss://u:p%40q@host:7000/3?ssl_cert_reqs=none")
    assert tls.arguments["password"] == "p@q"
    assert tls.arguments["ssl_cert_reqs"] == "none"
    assert tls.label == "rediss://host:7000/3"
    assert read_address("unix:///tmp/redis.sock").label == "unix:///tmp/redis.sock"
    behind = read_address("redis+sentinel://u:p@one:1,two/primary/2")
    assert (behind.sentinels, behind.service) == ((("one", 1), ("two", 26379)), "primary")
    assert (behind.arguments["db"], behind.arguments["username"]) == (2, "u")


def test_the_options_of_the_document_are_taken() -> None:
    stated = {
        "url": "redis://localhost:6379", "max_connections": 50, "socket_timeout": 5, "socket_connect_timeout": 5,
        "decode_responses": True, "namespace": "axon:session",
    }  # fmt: skip
    assert isinstance(read_options("redis", stated), RedisOptions)
    with pytest.raises(ConfigError, match="max_connections"):
        read_options("redis", {"max_connection": 5})


async def test_calls_before_open_say_so() -> None:
    with pytest.raises(AxonError, match="open"):
        await RedisAdapter(RedisOptions()).get_many("n", ["a"])


async def test_opening_and_closing_again_and_again_leaks_nothing(server: RedisServer, prefix: str) -> None:
    async def cycle() -> None:
        adapter = RedisAdapter(RedisOptions(url=server.url, namespace=prefix))
        await adapter.open()
        await adapter.put_many("n", [make_entry("a", embedding=[1, 0])])
        assert len(await search(adapter, "n", np.array([1, 0], np.float32))) == 1
        await adapter.aclose()

    for _ in range(20):
        await cycle()
    gc.collect()
    process = psutil.Process(os.getpid())
    before = process.num_fds(), threading.active_count(), process.memory_info().rss
    for _ in range(200):
        await cycle()
    gc.collect()
    assert process.num_fds() <= before[0] + 5
    assert threading.active_count() <= before[1] + 1
    assert process.memory_info().rss - before[2] < 10_000_000
