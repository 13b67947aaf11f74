"""Recall at 10,000 entries beside the in-memory stores of LangChain and LlamaIndex."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.corpus import Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import Plan, expect, filled, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

_FASTER = Target(">=", 50.0)


async def langchain(plan: Plan) -> list[Row]:
    """``langchain_core.vectorstores.InMemoryVectorStore``, searched by vector."""
    from langchain_core.embeddings import DeterministicFakeEmbedding
    from langchain_core.vectorstores import InMemoryVectorStore

    entries = corpus(plan.medium)
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=entries.vectors.shape[1]))
    # The vectors as the store itself keeps them: its own way in would embed the texts.
    for place, (text, vector) in enumerate(zip(entries.texts, entries.vectors.tolist(), strict=True)):
        store.store[str(place)] = {"id": str(place), "vector": vector, "text": text, "metadata": {}}

    async def ask(query: list[float]) -> list[str]:
        return [str(document.id) for document in store.similarity_search_by_vector(query, k=K)]

    return await _compare(plan, entries, "LangChain InMemoryVectorStore", ask)


async def llama_index(plan: Plan) -> list[Row]:
    """``llama_index.core.vector_stores.SimpleVectorStore``."""
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery

    entries, store = corpus(plan.medium), SimpleVectorStore()
    store.add(
        [
            TextNode(id_=str(place), text=text, embedding=vector)
            for place, (text, vector) in enumerate(zip(entries.texts, entries.vectors.tolist(), strict=True))
        ]
    )  # fmt: skip

    async def ask(query: list[float]) -> list[str]:
        return list(store.query(VectorStoreQuery(query_embedding=query, similarity_top_k=K)).ids or [])

    return await _compare(plan, entries, "LlamaIndex SimpleVectorStore", ask)


async def _compare(
    plan: Plan, entries: Corpus, name: str, ask: Callable[[list[float]], Awaitable[list[str]]]
) -> list[Row]:
    memory = one_tier()
    ids = await filled(memory, entries)
    queries = entries.queries[:2]
    theirs: list[list[Any]] = queries.tolist()
    for query, wanted in zip(queries, theirs, strict=True):
        truth = nearest_in_order(entries.vectors, query, K)
        results = await memory.recall(query, k=K, mode="vector")
        expect([result.entry.id for result in results] == [ids[row] for row in truth], "recall@10 is below 1")
        expect(set(await ask(wanted)) == {str(row) for row in truth}, f"{name} found other entries")

    async def ours() -> None:
        for query in entries.queries:
            await memory.recall(query, k=K, mode="vector")

    async def peer() -> None:
        for query in theirs:
            await ask(query)

    medians = await interleave(
        [Contestant("ours", ours, len(entries.queries)), Contestant("peer", peer, len(theirs))], plan.rounds
    )
    return [Row(f"recall, {plan.medium:,} entries", medians["ours"], name, medians["peer"], _FASTER)]
