"""The Redis adapter beside redis-py alone, on servers of this machine; wall time, because there waiting counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import count, cycle, islice
from typing import Any

from axon import MemorySystem
from axon.adapters.memory import MemoryAdapter
from benchmarks.corpus import DIMS, Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import Plan, expect, filled, on_backend, one_tier
from benchmarks.report import Row, Target
from benchmarks.servers import running
from benchmarks.timing import Contestant, interleave

_CONNECTIONS = 50
_PER_PIPELINE = 500
_NOTE = "wall"


def _server(binary: str, *options: str) -> Any:
    from tests.servers.redis_server import RedisServer

    return RedisServer(binary, "--maxmemory", "0", *options)


def _plain() -> Any:
    from tests.servers.redis_server import plain_binary

    return _server(plain_binary())


def _with_search() -> Any:
    from tests.servers.redis_server import search_server

    return search_server("--maxmemory", "0")


def _client(url: str) -> Any:
    from redis.asyncio import BlockingConnectionPool, Redis

    pool = BlockingConnectionPool.from_url(url, max_connections=_CONNECTIONS, timeout=60, protocol=2)
    return Redis(connection_pool=pool)


def _packed(entries: Corpus) -> list[bytes]:
    """Values as large as ours: a record is its text and about 100 bytes."""
    return [
        text.encode() + bytes(100) + vector.tobytes()
        for text, vector in zip(entries.texts, entries.vectors, strict=True)
    ]


async def gathered(plan: Plan) -> list[Row]:
    """A thousand stores, and a thousand gets, at the same time."""
    entries, number = corpus(plan.small), plan.gathered
    texts, vectors, values = entries.texts[:number], entries.vectors[:number], _packed(entries)[:number]
    with running(_plain) as server:
        client, names = _client(server.url), count()
        async with on_backend("redis", url=server.url, max_connections=_CONNECTIONS) as memory:
            ids = await _store_gathered(memory, texts, vectors)
            keys = [f"raw:{next(names)}" for _ in values]
            await asyncio.gather(*(client.set(*pair) for pair in zip(keys, values, strict=True)))
            found = await asyncio.gather(*(memory.get(id) for id in ids))
            expect([each and each.text for each in found] == texts, "Redis lost gathered stores")

            async def put() -> None:
                await _store_gathered(memory, texts, vectors)

            async def put_raw() -> None:
                await asyncio.gather(*(client.set(f"raw:{next(names)}", value) for value in values))

            async def get() -> None:
                await asyncio.gather(*(memory.get(id) for id in ids))

            async def get_raw() -> None:
                await asyncio.gather(*(client.get(key) for key in keys))

            runs = {"put": put, "put raw": put_raw, "get": get, "get raw": get_raw}
            medians = await _by_wall(runs, number, plan.rounds)
        await client.aclose()
    beside = "redis-py, gathered, same pool size"
    return [
        Row(f"Redis: store, {number:,} gathered", medians["put"], beside, medians["put raw"], Target(">=", 4.0),
            note=_NOTE),
        Row(f"Redis: get, {number:,} gathered", medians["get"], beside, medians["get raw"], Target(">=", 4.0),
            note=_NOTE),
    ]  # fmt: skip


async def _store_gathered(memory: MemorySystem, texts: Sequence[str], vectors: Any) -> list[str]:
    pairs = zip(texts, vectors, strict=True)
    return await asyncio.gather(*(memory.store(text, embedding=vector) for text, vector in pairs))


async def bulk(plan: Plan) -> list[Row]:
    """``bulk_store`` and ``get_many`` beside pipelines of SET, and MGET, of as many bytes."""
    entries, values, number = corpus(plan.medium), _packed(corpus(plan.medium)), plan.medium
    with running(_plain) as server:
        client, names = _client(server.url), count()
        async with on_backend("redis", url=server.url) as memory:
            ids = await memory.bulk_store(entries.texts, embeddings=entries.vectors)
            keys = await _pipelined(client, values, names)
            found = await memory.get_many(ids)
            expect([each and each.text for each in found] == entries.texts, "Redis lost bulk stores")

            async def store() -> None:
                await memory.bulk_store(entries.texts, embeddings=entries.vectors)

            async def store_raw() -> None:
                await _pipelined(client, values, names)

            async def read() -> None:
                await memory.get_many(ids)

            async def read_raw() -> None:
                for start in range(0, number, _PER_PIPELINE):
                    await client.mget(keys[start : start + _PER_PIPELINE])

            runs = {"store": store, "store raw": store_raw, "get": read, "get raw": read_raw}
            medians = await _by_wall(runs, number, plan.rounds)
        await client.aclose()
    return [
        Row(f"Redis: bulk_store, {number:,}", medians["store"], f"pipelines of {_PER_PIPELINE} SET",
            medians["store raw"], Target(">=", 0.5), note=_NOTE),
        Row(f"Redis: get_many, {number:,}", medians["get"], f"MGET of {_PER_PIPELINE}, nothing decoded",
            medians["get raw"], Target(">=", 0.5), note=_NOTE),
    ]  # fmt: skip


async def _pipelined(client: Any, values: Sequence[bytes], names: Any) -> list[str]:
    keys = [f"raw:{next(names)}" for _ in values]
    for start in range(0, len(keys), _PER_PIPELINE):
        pipeline = client.pipeline(transaction=False)
        for place in range(start, min(start + _PER_PIPELINE, len(keys))):
            pipeline.set(keys[place], values[place])
        await pipeline.execute()
    return keys


async def recall(plan: Plan) -> list[Row]:
    """Recall where each process keeps an index, beside the memory adapter and one round trip."""
    entries, calls = corpus(plan.medium), plan.calls(2e-3)
    with running(_plain) as server:
        client, adapter = _client(server.url), MemoryAdapter()
        async with on_backend("redis", url=server.url, search_module="off") as memory:
            volatile = one_tier(adapter)
            await _check(memory, entries, await filled(memory, entries))
            await filled(volatile, entries)
            await client.set("raw", b"value")

            async def ours() -> None:
                for query in islice(cycle(entries.queries), calls):
                    await memory.recall(query, k=K, mode="vector")

            async def floor() -> None:
                for query in islice(cycle(entries.queries), calls):
                    await client.get("raw")
                    await volatile.recall(query, k=K, mode="vector")

            medians = await _by_wall({"ours": ours, "floor": floor}, calls, plan.rounds)
        await client.aclose()
    name = f"Redis: recall, {plan.medium:,} entries, no module"
    return [
        Row(
            name,
            medians["ours"],
            "the memory adapter + 1 GET",
            medians["floor"],
            Target("<=", 1.3),
            note=_NOTE,
        )
    ]


async def recall_by_module(plan: Plan) -> list[Row]:
    """Recall by the search module, beside one FT.SEARCH with the same conditions, and one without any."""
    entries, calls = corpus(plan.medium), plan.calls(2e-3)
    with running(_with_search) as server:
        client = _client(server.url)
        async with on_backend("redis", url=server.url, search_module="require") as memory:
            await _check(memory, entries, await filled(memory, entries))
            await _raw_index(client, entries)

            async def ours() -> None:
                for query in islice(cycle(entries.queries), calls):
                    await memory.recall(query, k=K, mode="vector")

            def asking(condition: str) -> Callable[[], Awaitable[None]]:
                async def ask() -> None:
                    for query in islice(cycle(entries.queries), calls):
                        await _raw_search(client, condition, query)

                return ask

            same = "(@space:{bench} @expires:[(1 +inf])"
            for query in entries.queries:
                truth = nearest_in_order(entries.vectors, query, K)
                expect(await _raw_search(client, same, query) == truth, "the raw search is wrong")
            runs = {"ours": ours, "same": asking(same), "bare": asking("*")}
            medians = await _by_wall(runs, calls, plan.rounds)
        await client.aclose()
    name = f"Redis: recall, {plan.medium:,} entries, search module"
    return [
        Row(name, medians["ours"], "one FT.SEARCH, same conditions", medians["same"], Target("<=", 1.3),
            note=_NOTE),
        Row(name, medians["ours"], "one FT.SEARCH, no conditions", medians["bare"], note=_NOTE),
    ]  # fmt: skip


async def _check(memory: MemorySystem, entries: Corpus, ids: list[str]) -> None:
    for query in entries.queries:
        results = await memory.recall(query, k=K, mode="vector")
        truth = nearest_in_order(entries.vectors, query, K)
        expect([result.entry.id for result in results] == [ids[row] for row in truth], "recall@10 is below 1")


async def _raw_index(client: Any, entries: Corpus) -> None:
    vector = ("v", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", DIMS, "DISTANCE_METRIC", "COSINE")
    fields = ("space", "TAG", "expires", "NUMERIC", *vector)
    await client.execute_command("FT.CREATE", "raw", "PREFIX", 1, "raw:", "SCHEMA", *fields)
    values = _packed(entries)
    for start in range(0, len(values), _PER_PIPELINE):
        pipeline = client.pipeline(transaction=False)
        for place in range(start, min(start + _PER_PIPELINE, len(values))):
            own = {"space": "bench", "expires": 1 << 62, "v": entries.vectors[place].tobytes()}
            pipeline.hset(f"raw:{place}", mapping={**own, "value": values[place]})
        await pipeline.execute()


async def _raw_search(client: Any, condition: str, query: Any) -> list[int]:
    """Return the places of the nearest; the values come along."""
    found = await client.execute_command(
        "FT.SEARCH", "raw", f"{condition}=>[KNN {K} @v $q AS d]", "PARAMS", 2, "q", query.tobytes(), "SORTBY", "d",
        "RETURN", 2, "d", "value", "LIMIT", 0, K, "DIALECT", 2,
    )  # fmt: skip
    return [int(key.removeprefix(b"raw:")) for key in found[1::2]]


async def _by_wall(
    runs: dict[str, Callable[[], Awaitable[None]]], operations: int, rounds: int
) -> dict[str, float]:
    contestants = [Contestant(name, run, operations, clock=time.perf_counter) for name, run in runs.items()]
    return await interleave(contestants, rounds)
