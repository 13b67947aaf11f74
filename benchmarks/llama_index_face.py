"""The LlamaIndex vector store itself: what it adds to the adapter, what filters cost, and its peer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from axon.adapters.memory import MemoryAdapter
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest
from benchmarks.corpus import RARE_TAG, Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import NAMESPACE, Plan, expect, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

if TYPE_CHECKING:
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery

    from axon_integrations.llama_index import AxonVectorStore

_LEAST_IMPORTANCE = 0.25


async def query(plan: Plan) -> list[Row]:
    """Queries of ``AxonVectorStore``, with and without filters, beside the adapter and ``SimpleVectorStore``."""
    from llama_index.core.vector_stores import (
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
        SimpleVectorStore,
        VectorStoreQuery,
    )

    from axon_integrations.llama_index import AxonVectorStore

    entries = corpus(plan.medium)
    adapter, peer = MemoryAdapter(), SimpleVectorStore()
    store = AxonVectorStore(one_tier(adapter))
    nodes = _nodes(entries)
    await store.async_add(nodes)
    peer.add(nodes)
    filters = MetadataFilters(
        filters=[
            MetadataFilter(key="tags", value=RARE_TAG),
            MetadataFilter(key="importance", operator=FilterOperator.GTE, value=_LEAST_IMPORTANCE),
        ]
    )
    asked = [VectorStoreQuery(query_embedding=each, similarity_top_k=K) for each in entries.queries.tolist()]
    narrow = [
        VectorStoreQuery(query_embedding=each.query_embedding, similarity_top_k=K, filters=filters)
        for each in asked
    ]
    requests = [SearchRequest(EVERYTHING, K, vector) for vector in entries.queries]
    await _check(entries, store, peer, asked[0], narrow[0])

    async def run(queries: Sequence[VectorStoreQuery]) -> None:
        for each in queries:
            await store.aquery(each)

    async def raw() -> None:
        for each in requests:
            await adapter.search_many(NAMESPACE, [each])

    async def simple() -> None:
        for each in asked[:2]:
            peer.query(each)

    medians = await interleave(
        [
            Contestant("ours", lambda: run(asked), len(asked)),
            Contestant("filtered", lambda: run(narrow), len(narrow)),
            Contestant("adapter", raw, len(requests)),
            Contestant("peer", simple, 2),
        ],
        plan.rounds,
    )
    name = f"AxonVectorStore.query, {plan.medium:,} nodes"
    ours, filtered = medians["ours"], medians["filtered"]
    return [
        Row(name, ours, "SimpleVectorStore", medians["peer"], Target(">=", 50.0)),
        Row(name, ours, "the adapter alone", medians["adapter"], Target("<=", 1.5)),
        Row(f"{name}, tag and importance", filtered, "without a filter", ours, Target("<=", 1.0)),
    ]


def _nodes(entries: Corpus) -> list[TextNode]:
    from llama_index.core.schema import TextNode

    return [
        TextNode(
            id_=str(place),
            text=text,
            embedding=vector,
            metadata={"tags": [f"tag-{place % 100}"], "importance": place % 4 / 4},
        )
        for place, (text, vector) in enumerate(zip(entries.texts, entries.vectors.tolist(), strict=True))
    ]


async def _check(
    entries: Corpus,
    store: AxonVectorStore,
    peer: SimpleVectorStore,
    asked: VectorStoreQuery,
    narrow: VectorStoreQuery,
) -> None:
    truth = [str(row) for row in nearest_in_order(entries.vectors, entries.queries[0], K)]
    found = await store.aquery(asked)
    expect(found.ids == truth, "AxonVectorStore found other nodes")
    expect(set(peer.query(asked).ids or []) == set(truth), "SimpleVectorStore found other nodes")
    chosen = [int(id) for id in (await store.aquery(narrow)).ids or []]
    passing = [
        place
        for place in range(len(entries.texts))
        if place % 100 == 7 and place % 4 / 4 >= _LEAST_IMPORTANCE
    ]
    expect(len(chosen) == min(K, len(passing)) and set(chosen) <= set(passing), "the filter was not kept")
