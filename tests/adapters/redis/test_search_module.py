"""The server's search module: what it answers, what is sent to it, and what happens where it cannot answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given
from redis import Redis

from axon.adapters._filters.redis import compile_filter
from axon.adapters._redis.keys import Keyspace
from axon.adapters.memory import MemoryAdapter
from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import read_options
from axon.core.errors import ConfigError
from axon.core.filter.ast import (
    EVERYTHING,
    Contains,
    Eq,
    Exists,
    Field,
    FilterNode,
    Gte,
    In,
    Lt,
    Ne,
    Prefix,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.filter import Filter
from axon.core.filter.residual import CompiledFilter
from axon.core.models import SearchRequest
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of, search
from axon.testing.strategies import filters
from tests.adapters.redis.conftest import Make
from tests.servers import redis_server
from tests.servers.proxy import Proxy
from tests.servers.redis_server import RedisServer

QUERY = np.array([1, 0], np.float32)
X = Field("x", is_metadata=True)


@pytest.fixture
def server() -> RedisServer:
    return redis_server.with_search()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    own = redis_server.search_server("--appendonly", "yes")
    own.start()
    yield own
    own.close()


async def filled(make: Make, **options: object) -> RedisAdapter:
    adapter: RedisAdapter = await make(**options)
    await adapter.put_many(
        "n", [make_entry(f"{n}", embedding=[1, n], tags=[f"t{n % 3}"], metadata={"x": n}) for n in range(60)]
    )
    return adapter


async def test_a_search_by_vector_loads_nothing_and_is_one_round_trip(make: Make, proxy: Proxy) -> None:
    adapter = await filled(make, url=f"redis://127.0.0.1:{proxy.port}")
    proxy.round_trips = 0
    hits = await search(adapter, "n", QUERY, k=3, node=Contains(Field("tags"), ("t1",)))
    assert ids_of(hits) == ["1", "4", "7"]
    assert proxy.round_trips == 1
    stats = await adapter.stats()
    assert stats.bytes == 0
    assert stats.details["index"].startswith("search module")


async def test_words_are_two_round_trips_and_load_nothing(make: Make, proxy: Proxy) -> None:
    adapter = await filled(make, url=f"redis://127.0.0.1:{proxy.port}")
    await adapter.put_many("n", [make_entry("fox", text="a red fox", embedding=[0, 1])])
    proxy.round_trips = 0
    assert ids_of(await search(adapter, "n", text="fox")) == ["fox"]
    assert proxy.round_trips == 2
    assert {"fox", "0"} <= set(ids_of(await search(adapter, "n", QUERY, text="fox", k=1)))
    assert proxy.round_trips == 4
    await adapter.text_statistics("n", "fox")
    assert proxy.round_trips == 5
    assert (await adapter.stats()).bytes == 0


async def test_many_searches_at_once_share_round_trips(make: Make, proxy: Proxy) -> None:
    adapter = await filled(make, url=f"redis://127.0.0.1:{proxy.port}")
    proxy.round_trips = 0
    found = await asyncio.gather(*(search(adapter, "n", QUERY, k=2) for _ in range(100)))
    assert {tuple(ids_of(hits)) for hits in found} == {("0", "1")}
    assert proxy.round_trips == 1


async def test_one_search_of_the_module_answers_one_by_vector(make: Make, server: RedisServer) -> None:
    adapter = await filled(make)

    def asked() -> int:
        told = server.call("INFO", "commandstats")
        return int(told.partition("cmdstat_FT.SEARCH:calls=")[2].partition(",")[0] or 0)

    before = asked()
    await search(adapter, "n", QUERY, k=2)
    assert asked() == before + 1


async def test_words_score_as_in_memory(make: Make) -> None:
    """More candidates than are asked for, and another namespace that shares the index and has other statistics."""
    random = Random(5)
    words = [f"{first}{second}{third}" for first in "bdfg" for second in "aeou" for third in "klmnprtv"]
    weights = [1 / (place + 1) for place in range(len(words))]
    texts = [" ".join(random.choices(words, weights, k=random.randint(3, 40))) for _ in range(1500)]
    entries = [make_entry(f"{n}", text=text, tags=[f"t{n % 3}"]) for n, text in enumerate(texts)]
    adapter, memory = await make(), MemoryAdapter()
    await adapter.put_many("other", [make_entry(f"{n}", text=text[:12]) for n, text in enumerate(texts)])
    for each in (adapter, memory):
        await each.put_many("n", entries)
    for query in (words[0], words[30], f"{words[2]} {words[20]} {words[90]}", "bakes"):
        known = await memory.text_statistics("n", query)
        assert await adapter.text_statistics("n", query) == known
        for node in (EVERYTHING, Contains(Field("tags"), ("t1", "t2"), "any")):
            request = SearchRequest(node, 10, None, query, known)
            mine, theirs = [
                [hit.text_score for hit in (await each.search_many("n", [request]))[0]]
                for each in (adapter, memory)
            ]
            assert mine == pytest.approx(theirs, abs=1e-4)
    assert (await adapter.stats()).bytes == 0


NATIVE: list[FilterNode] = [
    Filter(tags=["a", "b"]).node,
    Filter(any_tags=["a", "b"], min_importance=0.3, max_importance=0.9).node,
    Filter(created_after=datetime(2024, 1, 1, tzinfo=UTC), created_before=datetime(2030, 1, 1, tzinfo=UTC)).node,
    Filter(session_id="s", metadata={"x": 1, "y": "z", "w": [1, {"k": None}]}).node,
    Lt(Field("updated_at"), datetime(2024, 1, 1, tzinfo=UTC)),
    Exists(Field("expires_at")),
    negate(any_of([Ne(X, True), In(Field("id"), ("a", "b"))])),
]  # fmt: skip


@pytest.mark.parametrize("node", NATIVE, ids=range(len(NATIVE)))
def test_the_common_filters_are_native(node: FilterNode) -> None:
    compiled = compile_filter(node)
    assert isinstance(compiled.native, str)
    assert compiled.residual == EVERYTHING


def test_what_it_cannot_tell_is_checked_here() -> None:
    node = all_of([Eq(X, 1), Gte(X, 0), Prefix(X, "a")])
    assert compile_filter(node) == CompiledFilter(
        compile_filter(Eq(X, 1)).native, all_of([Gte(X, 0), Prefix(X, "a")])
    )


def test_negations_among_alternatives_are_checked_here_because_the_module_loses_matches() -> None:
    either = any_of([Eq(X, 1), Ne(Field("y", is_metadata=True), 2)])
    same = negate(all_of([Ne(X, 1), Eq(Field("y", is_metadata=True), 2)]))
    for node in (either, same):
        assert compile_filter(node) == CompiledFilter(True, node)
        beside = all_of([Ne(X, 5), node])
        assert compile_filter(beside) == CompiledFilter(compile_filter(Ne(X, 5)).native, node)


@given(filters())
def test_nothing_of_a_filter_becomes_syntax(node: FilterNode) -> None:
    native = compile_filter(node).native
    if isinstance(native, str):
        rest = re.sub(r"@t:\{x[0-9a-f]{24}\}", "", native)
        rest = re.sub(
            r"@(importance|created_at|updated_at|expires_at):\[\(?[-+0-9.e]+(inf)? \(?[-+0-9.e]*(inf)?\]",
            "",
            rest,
        )
        assert re.fullmatch(r"[-()| ]*", rest), native


async def test_a_writer_without_the_module_takes_the_namespace_out_of_it(make: Make) -> None:
    adapter = await filled(make)
    other = await make(search_module="off")
    await other.put_many("n", [make_entry("theirs", embedding=[1, 0])])
    assert sorted(ids_of(await search(adapter, "n", QUERY, k=2))) == ["0", "theirs"]
    await other.delete_many("n", ["0"])
    await adapter.put_many("n", [make_entry("mine", embedding=[1, 0])])
    for each in (adapter, other):
        assert sorted(ids_of(await search(each, "n", QUERY, k=2))) == ["mine", "theirs"]
    await adapter.clear("n")
    await adapter.put_many("n", [make_entry("new", embedding=[1, 0])])
    assert (await adapter.stats()).bytes == 0
    assert ids_of(await search(adapter, "n", QUERY)) == ["new"]
    assert (await adapter.stats()).bytes == 0


async def test_what_was_written_without_the_module_becomes_searchable(
    make: Make, server: RedisServer, prefix: str
) -> None:
    plain = await make(search_module="off")
    later = datetime.now(UTC) + timedelta(seconds=100)
    await plain.put_many("n", [make_entry(f"{n}", embedding=[1, n]) for n in range(1200)])
    await plain.put_many("n", [make_entry("ends", embedding=[0, 1], expires_at=later), make_entry("words")])
    adapter = await make(search_module="require")
    assert ids_of(await search(adapter, "n", QUERY, k=3)) == ["0", "1", "2"]
    assert len(await search(adapter, "n", QUERY, k=5000)) == 1201
    assert (await adapter.stats()).bytes == 0, "it was answered by the module"
    assert (await adapter.stats()).details["unindexed_entries"] == 0
    document = Keyspace(prefix).space("n").document(2)
    assert 90_000 < int(server.call("PTTL", document + b"ends")[1:]) <= 100_000
    assert ids_of(await search(adapter, "n", text="text", k=5000)) != []
    await plain.put_many("n", [make_entry("0", embedding=[0, 1]), make_entry("new", embedding=[1, 0])])
    await plain.delete_many("n", ["1"])
    assert ids_of(await search(adapter, "n", QUERY, k=2)) == ["new", "2"]
    assert (await adapter.stats()).bytes == 0


async def test_the_module_of_a_server_that_had_none_finds_what_was_kept(make: Make) -> None:
    bare = RedisServer(redis_server.modern_binary(), "--appendonly", "yes")
    with closing(redis_server.started(bare)):
        adapter = await make(url=bare.url)
        await adapter.put_many("n", [make_entry(f"{n}", embedding=[1, n]) for n in range(600)])
        assert (await adapter.stats()).details["index"] == "in this process"
        bare.stop()
        upgraded = redis_server.search_server("--appendonly", "yes", "--dir", str(bare.folder))
        with closing(redis_server.started(upgraded)):
            again = await make(url=upgraded.url, search_module="require")
            assert ids_of(await search(again, "n", QUERY, k=2)) == ["0", "1"]
            assert len(await search(again, "n", QUERY, k=1000)) == 600
            assert (await again.stats()).bytes == 0


async def test_an_entry_that_cannot_be_read_hides_no_other_when_the_index_is_filled(
    make: Make, server: RedisServer, prefix: str
) -> None:
    plain = await make(search_module="off")
    await plain.put_many("n", [make_entry(id, embedding=[1, 0]) for id in ("bad", "good")])
    server.call("SET", Keyspace(prefix).space("n").entry("bad"), "nonsense")
    adapter = await make()
    assert ids_of(await search(adapter, "n", QUERY)) == ["good"]
    assert (await adapter.stats()).details["corrupt_entries"] == ["bad"]


async def test_an_index_that_was_dropped_is_made_again(make: Make, server: RedisServer, prefix: str) -> None:
    adapter = await filled(make)
    assert server.call("FT.DROPINDEX", Keyspace(prefix).index_name(2)).startswith("+OK")
    assert ids_of(await search(adapter, "n", QUERY, k=60)) == [f"{n}" for n in range(60)]


async def test_every_document_is_indexed(make: Make, server: RedisServer, prefix: str) -> None:
    await filled(make)
    with Redis.from_url(server.url, protocol=2, decode_responses=True) as client:
        listed = client.execute_command("FT.INFO", Keyspace(prefix).index_name(2))
    info = dict(zip(listed[::2], listed[1::2], strict=True))
    assert (int(info["num_docs"]), int(info["hash_indexing_failures"])) == (60, 0)


async def test_after_a_restart_of_the_server_nothing_is_missing(
    make: Make, own_server: RedisServer, prefix: str
) -> None:
    adapter = await make(url=own_server.url)
    for start in range(0, 3000, 1000):
        await adapter.put_many(
            "n", [make_entry(f"{n}", embedding=[1, n]) for n in range(start, start + 1000)]
        )
    own_server.kill()
    own_server.start_again()
    assert len(await search(adapter, "n", QUERY, k=3000)) == 3000
    own_server.kill()
    own_server.start_again()
    again = await make(url=own_server.url)
    assert len(await search(again, "n", QUERY, k=3000)) == 3000
    assert (await again.stats()).bytes == 0


async def test_deleting_clearing_and_expiring_leave_no_document(
    make: Make, server: RedisServer, prefix: str
) -> None:
    adapter = await filled(make)
    await adapter.delete_many("n", ["1", "2"])
    await adapter.put_many("n", [make_entry("3", text="no vector any more")])
    await adapter.put_many(
        "n", [make_entry("4", embedding=[1, 0], expires_at=datetime.now(UTC) - timedelta(1))]
    )
    space = Keyspace(prefix).space("n")
    gone = [server.call("EXISTS", space.document(2) + id) for id in (b"1", b"2", b"3", b"4")]
    assert gone == [":0\r\n"] * 4
    later = datetime.now(UTC) + timedelta(seconds=100)
    await adapter.put_many("n", [make_entry("5", embedding=[1, 0], expires_at=later)])
    assert 99_000 < int(server.call("PTTL", space.document(2) + b"5")[1:]) <= 100_000
    await adapter.put_many("n", [make_entry("5", embedding=[1, 0])])
    assert server.call("PTTL", space.document(2) + b"5") == ":-1\r\n"
    await adapter.clear("n")
    assert server.call("KEYS", f"{prefix}:*") == "*0\r\n"


async def test_requiring_it_where_it_cannot_be_used_says_so(make: Make, server: RedisServer) -> None:
    plain = redis_server.plain()
    for url in (plain.url, f"{server.url}/1"):
        with pytest.raises(ConfigError, match="search module"):
            await make(url=url, search_module="require")
    assert isinstance(await make(search_module="require"), RedisAdapter)
    elsewhere = await make(url=f"{server.url}/1")
    assert (await elsewhere.stats()).details["index"] == "in this process"
    with pytest.raises(ConfigError, match="search_module"):
        read_options("redis", {"search_module": "sometimes"})
