"""The Qdrant adapter beside Qdrant's own client, which is given the same points; CPU of the client's process.

Three places: the client's own engine in memory, and the contract server of the tests over REST and gRPC, which
answers with Qdrant's engine in a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle, islice
from typing import Any, NamedTuple
from uuid import UUID

from axon import MemorySystem
from axon.core.clock import to_datetime
from axon.core.models import MemoryEntry
from benchmarks.corpus import DIMS, Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import NAMESPACE, Plan, expect, filled, on_backend, one_tier
from benchmarks.report import Row, Target
from benchmarks.servers import running
from benchmarks.timing import Contestant, interleave

_BATCH = 1_000
_NEAR = Target("<=", 1.15)
_RAW = "raw client, same points"


class Place(NamedTuple):
    """Where Qdrant is: options of the adapter, and a raw client of the same place or of one alike."""

    name: str
    options: dict[str, Any]
    client: Any


@contextmanager
def _in_memory() -> Iterator[Place]:
    from qdrant_client import QdrantClient

    yield Place("Qdrant's local form", {"location": ":memory:"}, QdrantClient(location=":memory:"))


@contextmanager
def _on_server(prefer_grpc: bool) -> Iterator[Place]:
    from qdrant_client import QdrantClient

    from tests.servers.qdrant_server import new_server

    with running(new_server) as server:
        wire = {"prefer_grpc": prefer_grpc, "grpc_port": server.grpc_port, "timeout": 60}
        client = QdrantClient(url=server.url, check_compatibility=False, **wire)
        yield Place(f"Qdrant over {'gRPC' if prefer_grpc else 'REST'}", {"url": server.url, **wire}, client)
        client.close()


async def local(plan: Plan) -> list[Row]:
    """Measure the client's own engine in memory; and recall in this process beside it."""
    with _in_memory() as place:
        return [*await _all(plan, place), await _peer(plan, place)]


async def rest(plan: Plan) -> list[Row]:
    """Measure REST."""
    with _on_server(prefer_grpc=False) as place:
        return await _all(plan, place)


async def grpc(plan: Plan) -> list[Row]:
    """Measure gRPC."""
    with _on_server(prefer_grpc=True) as place:
        return await _all(plan, place)


async def _all(plan: Plan, place: Place) -> list[Row]:
    return [await _put(plan, place), *await _reading(plan, place)]


def _make_raw(client: Any, name: str) -> str:
    from qdrant_client import models

    vectors = {"dense": models.VectorParams(size=DIMS, distance=models.Distance.DOT)}
    client.create_collection(name, vectors_config=vectors)
    return name


def _payloads(entries: Corpus) -> list[dict[str, Any]]:
    """Payloads as the adapter writes them."""
    from axon.adapters._qdrant.records import point_of

    made = to_datetime(1_700_000_000_000_000)
    items = enumerate(entries.items())
    points = (
        point_of(NAMESPACE, MemoryEntry(id=f"{place:032x}", created_at=made, **item)) for place, item in items
    )
    return [dict(point.payload or {}) for point in points]


def _fill_raw(client: Any, name: str, entries: Corpus, payloads: list[dict[str, Any]]) -> None:
    from qdrant_client import models

    for start in range(0, len(payloads), _BATCH):
        points = [
            models.PointStruct(
                id=_raw_id(place), vector={"dense": entries.vectors[place].tolist()}, payload=payloads[place]
            )
            for place in range(start, min(start + _BATCH, len(payloads)))
        ]
        client.upsert(name, points, wait=True)


def _raw_id(place: int) -> str:
    return str(UUID(int=place))


async def _put(plan: Plan, place: Place) -> Row:
    entries, numbers = corpus(plan.medium // 5), count()
    items, payloads, number = entries.items(), _payloads(entries), len(entries.texts)

    async def open_ours() -> MemorySystem:
        memory = on_backend("qdrant", collection_name=f"axon{next(numbers)}", **place.options)
        # One entry makes the collections, which the raw client is given ready-made too.
        await memory.store("the first", embedding=entries.vectors[0])
        return memory

    async def ours(memory: MemorySystem) -> None:
        await memory.bulk_store(items, embeddings=entries.vectors)

    async def open_raw() -> str:
        return _make_raw(place.client, f"raw{next(numbers)}")

    async def raw(name: str) -> None:
        _fill_raw(place.client, name, entries, payloads)

    memory = await open_ours()
    await ours(memory)
    expect(await memory.count() == number + 1, "Qdrant lost bulk stores")
    await memory.aclose()
    contestants = [Contestant("ours", ours, number, open_ours), Contestant("raw", raw, number, open_raw)]
    medians = await interleave(contestants, plan.rounds)
    return Row(f"{place.name}: bulk_store, {number:,}", medians["ours"], _RAW, medians["raw"], _NEAR)


async def _reading(plan: Plan, place: Place) -> list[Row]:
    entries, calls = corpus(plan.medium), plan.calls(1e-2)
    name = _make_raw(place.client, "raw")
    _fill_raw(place.client, name, entries, _payloads(entries))
    async with on_backend("qdrant", **place.options) as memory:
        ids = await filled(memory, entries)
        for query in entries.queries[:8]:
            truth = nearest_in_order(entries.vectors, query, K)
            results = await memory.recall(query, k=K, mode="vector")
            expect(
                [result.entry.id for result in results] == [ids[row] for row in truth], "recall@10 is below 1"
            )
            found = [hit.id for hit in _ask(place.client, name, query)]
            expect(found == [_raw_id(row) for row in truth], "the raw client found others")

        async def recall() -> None:
            for query in islice(cycle(entries.queries), calls):
                await memory.recall(query, k=K, mode="vector")

        async def query_raw() -> None:
            for query in islice(cycle(entries.queries), calls):
                _ask(place.client, name, query)

        async def get() -> None:
            for id in ids[:calls]:
                await memory.get(id)

        async def get_raw() -> None:
            for row in range(calls):
                place.client.retrieve(name, [_raw_id(row)], with_payload=True, with_vectors=True)

        runs = {"recall": recall, "query": query_raw, "get": get, "raw": get_raw}
        medians = await interleave([Contestant(key, run, calls) for key, run in runs.items()], plan.rounds)
    return [
        Row(
            f"{place.name}: recall, {plan.medium:,} entries", medians["recall"], _RAW, medians["query"], _NEAR
        ),
        Row(f"{place.name}: get", medians["get"], _RAW, medians["raw"], _NEAR),
    ]


def _ask(client: Any, name: str, query: Any) -> list[Any]:
    answer = client.query_points(
        name, query=query.tolist(), using="dense", limit=K, with_payload=True, with_vectors=True
    )
    return list(answer.points)


async def _peer(plan: Plan, place: Place) -> Row:
    """Recall in this process, beside the collection that was filled before."""
    entries, memory = corpus(plan.medium), one_tier()
    await filled(memory, entries)
    many, few = plan.calls(plan.medium * 1e-7), plan.calls(2e-2)

    async def ours() -> None:
        for query in islice(cycle(entries.queries), many):
            await memory.recall(query, k=K, mode="vector")

    async def raw() -> None:
        for query in islice(cycle(entries.queries), few):
            place.client.query_points("raw", query=query.tolist(), using="dense", limit=K)

    medians = await interleave([Contestant("ours", ours, many), Contestant("raw", raw, few)], plan.rounds)
    name = f"recall, {plan.medium:,} entries"
    return Row(name, medians["ours"], place.name, medians["raw"], Target(">=", 5.0))
