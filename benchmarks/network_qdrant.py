"""The Qdrant adapter beside Qdrant itself, which is given the same points; CPU of the client's process.

Four places: the client's own engine in memory, the embedded engine in a folder, and the contract server of the tests
over REST and gRPC, which answers with Qdrant's engine in a process of its own. Without the index of words, since the
raw points have none either.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from axon import MemorySystem
from axon.core.clock import to_datetime
from axon.core.models import MemoryEntry
from benchmarks.corpus import Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import NAMESPACE, Plan, expect, filled, on_backend, one_tier
from benchmarks.raw_qdrant import RawClient, RawEdge, RawPoint, RawQdrant
from benchmarks.report import Row, Target
from benchmarks.servers import running
from benchmarks.timing import Contestant, interleave

_BATCH = 1_000
_NEAR = Target("<=", 1.15)
_BESIDE = "raw client, same points"


class Place(NamedTuple):
    """Where Qdrant is: options of the adapter, and a raw client of the same place or of one alike."""

    name: str
    options: dict[str, Any]
    raw: RawQdrant

    def memory(self, **options: Any) -> MemorySystem:
        """Make a memory there."""
        return on_backend("qdrant", text_index=False, **self.options, **options)


@contextmanager
def _on_server(*, prefer_grpc: bool) -> Iterator[Place]:
    from tests.servers.qdrant_server import new_server

    with running(new_server) as server:
        wire = {"prefer_grpc": prefer_grpc, "grpc_port": server.grpc_port, "timeout": 60}
        with closing(RawClient(url=server.url, check_compatibility=False, **wire)) as raw:
            name = f"Qdrant over {'gRPC' if prefer_grpc else 'REST'}"
            yield Place(name, {"url": server.url, **wire}, raw)


async def local(plan: Plan) -> list[Row]:
    """Measure the client's own engine in memory; and recall in this process beside it."""
    with closing(RawClient(location=":memory:")) as raw:
        place = Place("Qdrant's local form", {"location": ":memory:"}, raw)
        return [*await _all(plan, place), await _peer(plan, raw)]


async def edge(plan: Plan) -> list[Row]:
    """Measure the embedded engine, unoptimised as the adapter leaves it."""
    with tempfile.TemporaryDirectory() as folder, closing(RawEdge(Path(folder, "raw"))) as raw:
        options = {"path": str(Path(folder, "ours")), "engine": "edge"}
        return await _all(plan, Place("Qdrant's embedded engine", options, raw))


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


def _points(entries: Corpus) -> list[RawPoint]:
    """Points with payloads as the adapter writes them."""
    from axon.adapters._qdrant.records import point_of

    made = to_datetime(1_700_000_000_000_000)
    points = []
    for row, item in enumerate(entries.items()):
        entry = MemoryEntry(id=f"{row:032x}", created_at=made, **item)
        payload = dict(point_of(NAMESPACE, entry, with_words=False).payload or {})
        points.append(RawPoint(str(UUID(int=row)), entries.vectors[row], payload))
    return points


def _fill(raw: RawQdrant, name: str, points: list[RawPoint]) -> None:
    for start in range(0, len(points), _BATCH):
        raw.write(name, points[start : start + _BATCH])


async def _put(plan: Plan, place: Place) -> Row:
    entries, numbers = corpus(plan.medium // 5), count()
    items, points, number = entries.items(), _points(entries), len(entries.texts)

    async def open_ours() -> MemorySystem:
        memory = place.memory(collection_name=f"axon{next(numbers)}")
        # One entry makes the collections, which the raw client is given ready-made too.
        await memory.store("the first", embedding=entries.vectors[0])
        return memory

    async def ours(memory: MemorySystem) -> None:
        await memory.bulk_store(items, embeddings=entries.vectors)

    async def make_raw() -> str:
        name = f"raw{next(numbers)}"
        place.raw.make(name)
        return name

    async def raw(name: str) -> None:
        _fill(place.raw, name, points)

    memory = await open_ours()
    await ours(memory)
    expect(await memory.count() == number + 1, "Qdrant lost bulk stores")
    await memory.aclose()
    contestants = [Contestant("ours", ours, number, open_ours), Contestant("raw", raw, number, make_raw)]
    medians = await interleave(contestants, plan.rounds)
    return Row(f"{place.name}: bulk_store, {number:,}", medians["ours"], _BESIDE, medians["raw"], _NEAR)


async def _reading(plan: Plan, place: Place) -> list[Row]:
    entries, calls = corpus(plan.medium), plan.calls(1e-2)
    points = _points(entries)
    place.raw.make("raw")
    _fill(place.raw, "raw", points)
    async with place.memory() as memory:
        ids = await filled(memory, entries)
        for query in entries.queries[:8]:
            truth = nearest_in_order(entries.vectors, query, K)
            results = await memory.recall(query, k=K, mode="vector")
            expect(
                [result.entry.id for result in results] == [ids[row] for row in truth], "recall@10 is below 1"
            )
            found = place.raw.ask("raw", query)
            expect(found == [points[row].id for row in truth], "the raw client found others")

        async def recall() -> None:
            for query in islice(cycle(entries.queries), calls):
                await memory.recall(query, k=K, mode="vector")

        async def ask() -> None:
            for query in islice(cycle(entries.queries), calls):
                place.raw.ask("raw", query)

        async def get() -> None:
            for id in ids[:calls]:
                await memory.get(id)

        async def read() -> None:
            for point in points[:calls]:
                place.raw.read("raw", point.id)

        runs = {"recall": recall, "ask": ask, "get": get, "read": read}
        medians = await interleave([Contestant(key, run, calls) for key, run in runs.items()], plan.rounds)
    return [
        Row(
            f"{place.name}: recall, {plan.medium:,} entries",
            medians["recall"],
            _BESIDE,
            medians["ask"],
            _NEAR,
        ),
        Row(f"{place.name}: get", medians["get"], _BESIDE, medians["read"], _NEAR),
    ]


async def _peer(plan: Plan, raw: RawQdrant) -> Row:
    """Recall in this process, beside the collection that was filled before."""
    entries, memory = corpus(plan.medium), one_tier()
    await filled(memory, entries)
    many, few = plan.calls(plan.medium * 1e-7), plan.calls(2e-2)

    async def ours() -> None:
        for query in islice(cycle(entries.queries), many):
            await memory.recall(query, k=K, mode="vector")

    async def theirs() -> None:
        for query in islice(cycle(entries.queries), few):
            raw.ask("raw", query)

    contestants = [Contestant("ours", ours, many), Contestant("theirs", theirs, few)]
    medians = await interleave(contestants, plan.rounds)
    name = f"recall, {plan.medium:,} entries"
    return Row(name, medians["ours"], "Qdrant's local form", medians["theirs"], Target(">=", 5.0))
