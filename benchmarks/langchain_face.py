"""The LangChain classes themselves: what they add to a recall, how they leave the event loop alone, their import."""

from __future__ import annotations

import asyncio
import gc
import time

import numpy as np

from benchmarks.corpus import K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import Plan, expect, one_tier
from benchmarks.process import ALLOWED_STALL, TICK, children_cpu, python
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

_SEARCHES = 100


async def search(plan: Plan) -> list[Row]:
    """A search by vector through ``AxonVectorStore`` beside ``InMemoryVectorStore``."""
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    from axon_integrations.langchain import AxonVectorStore

    entries = corpus(plan.medium)
    model = DeterministicFakeEmbedding(size=entries.vectors.shape[1])
    store, peer = AxonVectorStore(one_tier()), InMemoryVectorStore(model)
    ids = [str(place) for place in range(len(entries.texts))]
    await store.memory.bulk_store(entries.items(), embeddings=entries.vectors, ids=ids)
    for id, text, vector in zip(ids, entries.texts, entries.vectors.tolist(), strict=True):
        peer.store[id] = {"id": id, "vector": vector, "text": text, "metadata": {}}
    queries: list[list[float]] = entries.queries.tolist()
    few = queries[:2]
    for query, vector in zip(few, entries.queries, strict=False):
        truth = [str(row) for row in nearest_in_order(entries.vectors, vector, K)]
        found = await store.asimilarity_search_by_vector(query, k=K)
        expect([document.id for document in found] == truth, "AxonVectorStore found other entries")
        theirs = {document.id for document in peer.similarity_search_by_vector(query, k=K)}
        expect(theirs == set(truth), "InMemoryVectorStore found other entries")

    async def ours() -> None:
        for query in queries:
            await store.asimilarity_search_by_vector(query, k=K)

    async def beside() -> None:
        for query in few:
            await peer.asimilarity_search_by_vector(query, k=K)

    medians = await interleave(
        [Contestant("ours", ours, len(queries)), Contestant("peer", beside, len(few))], plan.rounds
    )
    name = f"AxonVectorStore, search by vector, {plan.medium:,} documents"
    return [Row(name, medians["ours"], "InMemoryVectorStore", medians["peer"], Target(">=", 30.0))]


async def stall(plan: Plan) -> list[Row]:
    """How long the turns of the event loop are while documents are added and 100 searches run.

    Seen by a ticker of one millisecond: how late it is, which other processes on the machine make worse, and how much
    CPU the loop's thread took between two of its ticks, which they do not. What was there before is kept out of the
    garbage collector, whose full passes grow with the whole heap.
    """
    from langchain_core.documents import Document
    from langchain_core.embeddings import DeterministicFakeEmbedding

    from axon_integrations.langchain import AxonVectorStore

    entries = corpus(plan.medium)
    store = AxonVectorStore(one_tier(), DeterministicFakeEmbedding(size=entries.vectors.shape[1]))
    documents = [
        Document(text, metadata={"place": place, "tags": [f"t{place % 9}"]})
        for place, text in enumerate(entries.texts)
    ]
    gc.collect()
    gc.freeze()
    ticks: list[tuple[float, float]] = []
    ticker = asyncio.create_task(_tick(ticks))
    questions = entries.texts[:_SEARCHES]
    await asyncio.gather(store.aadd_documents(documents), *map(store.asimilarity_search, questions))
    await asyncio.sleep(TICK)
    ticker.cancel()
    gc.unfreeze()
    expect(await store.memory.count() == len(documents), "documents were lost")
    late, busy = np.array(ticks).T
    name = f"{plan.medium:,} documents added, {_SEARCHES} searches"
    note = f"max {late.max() * 1000:.1f} ms, {len(ticks)} ticks"
    target = Target("<=", 1.0)
    return [
        Row(f"longest turn of the loop, CPU, {name}", float(busy.max()), "allowed", ALLOWED_STALL, target),
        Row(
            f"event loop stall p99, {name}",
            float(np.percentile(late, 99)),
            "allowed",
            ALLOWED_STALL,
            note=note,
        ),
    ]


async def _tick(ticks: list[tuple[float, float]]) -> None:
    while True:
        started, cpu = time.perf_counter(), time.thread_time()
        await asyncio.sleep(TICK)
        ticks.append((time.perf_counter() - started - TICK, time.thread_time() - cpu))


async def import_time(plan: Plan) -> list[Row]:
    """CPU of a new interpreter that imports our classes, beside one that imports LangChain's base class."""
    programs = {
        "package": "import axon_integrations.langchain",
        "store": "from axon_integrations.langchain import AxonVectorStore",
        "base": "from langchain_core.vectorstores import VectorStore",
        "base and numpy": "import numpy; from langchain_core.vectorstores import VectorStore",
    }

    def contestant(name: str) -> Contestant:
        async def run() -> None:
            python(programs[name])

        return Contestant(name, run, clock=children_cpu)

    medians = await interleave([contestant(name) for name in programs], plan.rounds)
    target = Target("<=", 1.2)
    base = "import VectorStore"
    return [
        Row("import axon_integrations.langchain", medians["package"], base, medians["base"], target),
        Row("import AxonVectorStore", medians["store"], f"{base}, numpy", medians["base and numpy"], target),
        Row("import AxonVectorStore", medians["store"], base, medians["base"]),
    ]
