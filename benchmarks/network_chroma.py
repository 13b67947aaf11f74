"""The Chroma adapter beside Chroma's own client, embedded and on a server of this machine.

The raw client is given what an application would give it: the text as the document, tags and metadata as metadata.
CPU of the process where Chroma runs in it, wall time where a server does.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

from axon import MemorySystem
from axon.core.models import MemoryEntry
from benchmarks.corpus import Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import Plan, expect, filled, on_backend, one_tier
from benchmarks.report import Row, Target
from benchmarks.servers import running
from benchmarks.timing import Contestant, interleave

_BATCH = 500
_GATHERED = 64
_SAME_INDEX = {"space": "cosine", "ef_search": 1000}
_WALL = "wall"

Clock = Callable[[], float]


def _settings() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


@contextmanager
def _server() -> Iterator[int]:
    """Start a server; gives its port."""
    from tests.servers.chroma_server import ChromaServer

    import_chroma()
    with running(ChromaServer) as server:
        yield server.port


def import_chroma() -> Any:
    """Import Chroma, which takes more than a second and is not installed everywhere."""
    import chromadb

    return chromadb


def _raw_collection(client: Any, name: str, **index: object) -> Any:
    configuration = {"hnsw": index or {"space": "cosine"}}
    return client.create_collection(name, configuration=configuration, embedding_function=None)


def _raw_batches(entries: Corpus, prefix: str) -> Iterator[dict[str, Any]]:
    items = entries.items()
    metadatas = [{"tags": item["tags"], **item["metadata"]} for item in items]
    for start in range(0, len(items), _BATCH):
        some = slice(start, start + _BATCH)
        yield {
            "ids": [f"{prefix}{place}" for place in range(start, min(start + _BATCH, len(items)))],
            "documents": entries.texts[some],
            "metadatas": metadatas[some],
            "embeddings": entries.vectors[some],
        }


def _fill_raw(collection: Any, entries: Corpus) -> None:
    for batch in _raw_batches(entries, ""):
        collection.upsert(**batch)


async def bulk(plan: Plan) -> list[Row]:
    """``bulk_store`` in a folder: new collections, all entries new; also beside a raw client given the same records."""
    chromadb = import_chroma()
    entries = corpus(plan.medium // 5)
    with tempfile.TemporaryDirectory() as folder:
        numbers = count()

        async def open_ours() -> MemorySystem:
            memory = on_backend("chroma", path=str(Path(folder, f"{next(numbers)}")))
            await memory.count()
            return memory

        async def open_raw() -> Any:
            return chromadb.PersistentClient(str(Path(folder, f"{next(numbers)}")), settings=_settings())

        ratios = await _bulk(plan, entries, open_ours, open_raw, time.process_time)
    return _bulk_rows("Chroma in a folder", entries, ratios, "")


async def bulk_on_server(plan: Plan) -> list[Row]:
    """``bulk_store`` on a server."""
    chromadb = import_chroma()
    entries = corpus(plan.medium // 5)
    with _server() as port:
        client = chromadb.HttpClient(host="127.0.0.1", port=port, settings=_settings())
        numbers = count()

        async def open_ours() -> MemorySystem:
            memory = on_backend(
                "chroma", host="127.0.0.1", port=port, collection_name=f"axon-{next(numbers)}", timeout=60
            )
            await memory.count()
            return memory

        async def open_raw() -> Any:
            return client

        ratios = await _bulk(plan, entries, open_ours, open_raw, time.perf_counter)
    return _bulk_rows("Chroma server", entries, ratios, _WALL)


async def _bulk(
    plan: Plan,
    entries: Corpus,
    open_ours: Callable[[], Awaitable[MemorySystem]],
    open_raw: Callable[[], Awaitable[Any]],
    clock: Clock,
) -> dict[str, float]:
    items, names, number = entries.items(), count(), len(entries.texts)
    records = _records(entries)

    async def ours(memory: MemorySystem) -> None:
        await memory.bulk_store(items, embeddings=entries.vectors)
        await memory.aclose()

    async def raw(client: Any) -> None:
        _fill_raw(_raw_collection(client, f"raw-{next(names)}"), entries)

    async def same(client: Any) -> None:
        collection = _raw_collection(client, f"raw-{next(names)}")
        for batch, start in zip(_raw_batches(entries, ""), range(0, number, _BATCH), strict=True):
            del batch["documents"]
            collection.upsert(**batch | {"metadatas": records[start : start + _BATCH]})

    memory = await open_ours()
    ids = await memory.bulk_store(items, embeddings=entries.vectors)
    found = await memory.get_many(ids)
    expect([each and each.text for each in found] == entries.texts, "Chroma lost bulk stores")
    await memory.aclose()
    contestants = [
        Contestant("ours", ours, number, open_ours, clock),
        Contestant("raw", raw, number, open_raw, clock),
        Contestant("same", same, number, open_raw, clock),
    ]
    return await interleave(contestants, plan.rounds)


def _records(entries: Corpus) -> list[dict[str, Any]]:
    """Metadata as the adapter writes it."""
    from axon.adapters._chroma.records import metadata_of
    from axon.core.clock import to_datetime

    made = to_datetime(1_700_000_000_000_000)
    return [
        metadata_of(MemoryEntry(id=f"{place:032x}", created_at=made, **item).record, None)
        for place, item in enumerate(entries.items())
    ]


def _bulk_rows(name: str, entries: Corpus, medians: dict[str, float], note: str) -> list[Row]:
    operation = f"{name}: bulk_store, {len(entries.texts):,}"
    # 0.9 of the rate is 1 / 0.9 of the time.
    return [
        Row(operation, medians["ours"], f"raw client, batches of {_BATCH}", medians["raw"], Target(">=", 0.9),
            note=note),
        Row(operation, medians["ours"], "raw client, the same records", medians["same"], note=note),
    ]  # fmt: skip


async def gathered(plan: Plan) -> list[Row]:
    """64 stores at the same time on a server, beside as many upserts of the asynchronous raw client."""
    chromadb = import_chroma()
    entries, names = corpus(plan.small), count()
    texts, vectors = entries.texts[:_GATHERED], entries.vectors[:_GATHERED]
    with _server() as port:
        client = await chromadb.AsyncHttpClient(host="127.0.0.1", port=port, settings=_settings())
        collection = await _raw_collection(client, "raw")
        async with on_backend("chroma", host="127.0.0.1", port=port, timeout=60) as memory:

            async def ours() -> list[str]:
                pairs = zip(texts, vectors, strict=True)
                return await asyncio.gather(*(memory.store(text, embedding=vector) for text, vector in pairs))

            async def raw() -> None:
                pairs = zip(texts, vectors, strict=True)
                await asyncio.gather(
                    *(
                        collection.upsert(ids=[f"{next(names)}"], documents=[text], embeddings=[vector])
                        for text, vector in pairs
                    )
                )

            found = await memory.get_many(await ours())
            expect([each and each.text for each in found] == texts, "Chroma lost gathered stores")
            contestants = [
                Contestant("ours", ours, _GATHERED, clock=time.perf_counter),
                Contestant("raw", raw, _GATHERED, clock=time.perf_counter),
            ]
            medians = await interleave(contestants, plan.rounds)
    name = f"Chroma server: store, {_GATHERED} gathered"
    beside = f"raw client, {_GATHERED} upserts gathered"
    return [Row(name, medians["ours"], beside, medians["raw"], Target(">=", 5.0), note=_WALL)]


async def reading(plan: Plan) -> list[Row]:
    """Get and recall in a folder and on a server, the raw client with an index made alike."""
    chromadb = import_chroma()
    entries, rows = corpus(plan.medium), []
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        port = stack.enter_context(_server())
        places = {
            "Chroma in a folder": (
                on_backend("chroma", path=f"{folder}/ours"),
                chromadb.PersistentClient(f"{folder}/raw", settings=_settings()),
                time.process_time,
            ),
            "Chroma server": (
                on_backend("chroma", host="127.0.0.1", port=port, timeout=60),
                chromadb.HttpClient(host="127.0.0.1", port=port, settings=_settings()),
                time.perf_counter,
            ),
        }
        for name, (memory, client, clock) in places.items():
            async with memory:
                collection = _raw_collection(client, "raw", **_SAME_INDEX)
                _fill_raw(collection, entries)
                rows += await _reading(plan, name, memory, collection, clock)
    return rows


async def _reading(plan: Plan, name: str, memory: MemorySystem, collection: Any, clock: Clock) -> list[Row]:
    entries = corpus(plan.medium)
    ids = await filled(memory, entries)
    calls = plan.calls(5e-3)
    includes: Any = ["metadatas", "documents", "embeddings"]

    async def recall() -> list[list[str]]:
        return [
            [result.entry.id for result in await memory.recall(query, k=K, mode="vector")]
            for query in islice(cycle(entries.queries), calls)
        ]

    async def query() -> list[list[str]]:
        return [
            collection.query(query_embeddings=[query], n_results=K, include=[*includes, "distances"])["ids"][
                0
            ]
            for query in islice(cycle(entries.queries), calls)
        ]

    async def get() -> None:
        for id in ids[:calls]:
            await memory.get(id)

    async def get_raw() -> None:
        for place in range(calls):
            collection.get(ids=[f"{place}"], include=includes)

    recalled = _recall_at_k(entries, [[ids.index(id) for id in found] for found in await recall()])
    expect(recalled >= 0.95, "the Chroma adapter finds too few of the nearest")
    raw_recalled = _recall_at_k(entries, [[int(id) for id in found] for found in await query()])
    runs = {"recall": recall, "query": query, "get": get, "raw": get_raw}
    contestants = [Contestant(key, run, calls, clock=clock) for key, run in runs.items()]
    medians = await interleave(contestants, plan.rounds)
    note = _WALL if clock is time.perf_counter else ""
    found = f"recall@10 {recalled:.3f}, raw {raw_recalled:.3f}"
    return [
        Row(f"{name}: recall, {plan.medium:,} entries", medians["recall"], "raw client, index made alike",
            medians["query"], note=f"{found} {note}".strip()),
        Row(f"{name}: get", medians["get"], "raw client, one id", medians["raw"], note=note),
    ]  # fmt: skip


def _recall_at_k(entries: Corpus, answers: list[list[int]]) -> float:
    truths = [nearest_in_order(entries.vectors, query, K) for query in entries.queries]
    hits = sum(
        len(set(found).intersection(truth)) for found, truth in zip(answers, cycle(truths), strict=False)
    )
    return hits / (K * len(answers))


async def peer(plan: Plan) -> list[Row]:
    """Exact recall in this process, beside the raw client's approximate index as it comes."""
    chromadb = import_chroma()
    entries, calls = corpus(plan.medium), plan.calls(5e-3)
    memory = one_tier()
    ids = await filled(memory, entries)
    with tempfile.TemporaryDirectory() as folder:
        collection = _raw_collection(chromadb.PersistentClient(folder, settings=_settings()), "raw")
        _fill_raw(collection, entries)

        async def query() -> list[list[str]]:
            return [
                collection.query(query_embeddings=[each], n_results=K)["ids"][0]
                for each in islice(cycle(entries.queries), calls)
            ]

        async def recall() -> list[list[str]]:
            return [
                [result.entry.id for result in await memory.recall(each, k=K, mode="vector")]
                for each in islice(cycle(entries.queries), calls)
            ]

        ours = _recall_at_k(entries, [[ids.index(id) for id in found] for found in await recall()])
        expect(ours == 1.0, "recall@10 is below 1")
        theirs = _recall_at_k(entries, [[int(id) for id in found] for found in await query()])
        contestants = [Contestant("ours", recall, calls), Contestant("raw", query, calls)]
        medians = await interleave(contestants, plan.rounds)
    return [
        Row(f"recall, {plan.medium:,} entries", medians["ours"], "Chroma in a folder", medians["raw"],
            Target("<=", 1.1), note=f"recall@10 1.0, Chroma's {theirs:.3f}")
    ]  # fmt: skip
