"""Recall beside numpy: exact, filtered, concurrent, hybrid."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import cycle, islice
from typing import Any

import numpy as np

from axon import Filter, MemorySystem
from axon.adapters.memory import MemoryAdapter
from axon.core.adapter_options import MemoryOptions
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest
from axon.engine.quantized import MIN_ROWS
from axon.engine.search import search
from axon.engine.workers import in_worker
from benchmarks.corpus import RARE_TAG, Corpus, K, corpus
from benchmarks.floors import nearest, nearest_in_order
from benchmarks.plan import NAMESPACE, Plan, expect, filled, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

_SECONDS_PER_ROW = 1.6e-7
"""What a scan takes about; only chooses how many calls make a round."""


async def recall_small(plan: Plan) -> list[Row]:
    """Exact recall, 1,000 entries."""
    return await _exact(plan, plan.small)


async def recall_medium(plan: Plan) -> list[Row]:
    """Exact recall, 10,000 entries."""
    return await _exact(plan, plan.medium)


async def recall_large(plan: Plan) -> list[Row]:
    """Exact recall, 100,000 entries."""
    return await _exact(plan, plan.large)


async def _exact(plan: Plan, size: int) -> list[Row]:
    entries = corpus(size)
    memory, plain, layered = one_tier(), _unrounded(), MemorySystem()
    for each in (memory, plain):
        await _check_exact(each, entries, await filled(each, entries))
    await filled(layered, entries)
    calls = plan.calls(size * _SECONDS_PER_ROW)

    async def numpy_alone() -> None:
        for query in islice(cycle(entries.queries), calls):
            nearest(entries.vectors, query, K)

    medians = await interleave(
        [
            Contestant("ours", _asking(memory, entries, calls), calls),
            Contestant("plain", _asking(plain, entries, calls), calls),
            Contestant("numpy", numpy_alone, calls),
            Contestant("three tiers", _asking(layered, entries, calls), calls),
        ],
        plan.rounds,
    )
    name = f"recall, {size:,} entries"
    rows = [
        Row(name, medians["ours"], "gemv + argpartition", medians["numpy"], Target("<=", 1.3)),
        Row(f"{name}, three tiers", medians["three tiers"], "gemv + argpartition", medians["numpy"]),
    ]
    if size >= MIN_ROWS:
        rows.append(
            Row(
                f"{name}, quantize off",
                medians["plain"],
                "gemv + argpartition",
                medians["numpy"],
                Target("<=", 1.3),
            )
        )
        rows.append(
            Row(
                name,
                medians["ours"],
                "our recall, quantize off",
                medians["plain"],
                Target("<=", 0.6) if size >= plan.large else None,
            )
        )
    return rows


def _unrounded() -> MemorySystem:
    """Make a memory whose every scan reads the vectors themselves."""
    return one_tier(MemoryAdapter(MemoryOptions(quantize=False)))


def _asking(memory: MemorySystem, entries: Corpus, calls: int, **options: Any) -> Any:
    async def ask() -> None:
        for query in islice(cycle(entries.queries), calls):
            await memory.recall(query, k=K, mode="vector", **options)

    return ask


async def _check_exact(memory: MemorySystem, entries: Corpus, ids: list[str]) -> None:
    for query in entries.queries:
        results = await memory.recall(query, k=K, mode="vector")
        truth = nearest_in_order(entries.vectors, query, K)
        expect([result.entry.id for result in results] == [ids[row] for row in truth], "recall@10 is below 1")


async def recall_filtered_medium(plan: Plan) -> list[Row]:
    """Recall with a filter that one entry in a hundred passes, of 10,000."""
    return await _filtered(plan, plan.medium)


async def recall_filtered_large(plan: Plan) -> list[Row]:
    """Recall with a filter that one entry in a hundred passes, of 100,000."""
    return await _filtered(plan, plan.large)


async def _filtered(plan: Plan, size: int) -> list[Row]:
    entries, memory, plain = corpus(size), one_tier(), _unrounded()
    ids = await filled(memory, entries)
    await filled(plain, entries)
    rare = Filter(tags=[RARE_TAG])
    passing = np.arange(int(RARE_TAG.split("-")[1]), size, 100)
    for query in entries.queries:
        results = await memory.recall(query, k=K, mode="vector", filter=rare)
        truth = passing[nearest_in_order(entries.vectors[passing], query, min(K, passing.shape[0]))]
        expect(
            [result.entry.id for result in results] == [ids[row] for row in truth],
            "a filtered recall is wrong",
        )
    calls = plan.calls(size * _SECONDS_PER_ROW)
    many = plan.calls(size * _SECONDS_PER_ROW / 10)
    medians = await interleave(
        [
            Contestant("filtered", _asking(memory, entries, many, filter=rare), many),
            Contestant("unfiltered", _asking(memory, entries, calls), calls),
            Contestant("plain", _asking(plain, entries, calls), calls),
        ],
        plan.rounds,
    )
    name = f"recall at 1 % selectivity, {size:,} entries"
    rows = [
        Row(
            name,
            medians["filtered"],
            "our recall, no filter, quantize off",
            medians["plain"],
            Target(">=", 10.0),
        )
    ]
    if size >= MIN_ROWS:
        rows.append(Row(name, medians["filtered"], "our recall, no filter", medians["unfiltered"]))
    return rows


async def recall_gathered(plan: Plan) -> list[Row]:
    """A thousand recalls at the same time on 100,000 entries, beside one after the other; and the price for one."""
    entries, adapter = corpus(plan.large), MemoryAdapter()
    memory, plain = one_tier(adapter), _unrounded()
    ids = await filled(memory, entries)
    await filled(plain, entries)
    queries = list(islice(cycle(entries.queries), plan.gathered))
    alone = plan.calls(plan.large * _SECONDS_PER_ROW)
    rounds = max(1, plan.rounds // 2)

    async def together() -> list[list[Any]]:
        return await asyncio.gather(*(memory.recall(query, k=K, mode="vector") for query in queries))

    for query, results in zip(queries, await together(), strict=True):
        truth = nearest_in_order(entries.vectors, query, K)
        expect(
            [result.entry.id for result in results] == [ids[row] for row in truth],
            "a gathered recall is wrong",
        )
    medians = await interleave(
        [
            Contestant("gathered", together, len(queries)),
            Contestant("one by one", _asking(memory, entries, alone), alone),
            Contestant("plain", _asking(plain, entries, alone), alone),
        ],
        rounds,
    )
    name, note = f"recall, gathered, {plan.large:,} entries", f"{rounds} rounds"
    return [
        Row(
            name,
            medians["gathered"],
            "one by one, quantize off",
            medians["plain"],
            Target(">=", 5.0),
            note=note,
        ),
        Row(name, medians["gathered"], "one by one", medians["one by one"], note=note),
        await _alone(plan, entries, adapter),
    ]


async def _alone(plan: Plan, entries: Corpus, adapter: MemoryAdapter) -> Row:
    """Time a search that finds no other to share a pass with, beside one that never looks for any."""
    arena = await adapter._arena(NAMESPACE)
    requests = [SearchRequest(EVERYTHING, K, query) for query in entries.queries[:12]]

    async def batched() -> None:
        for request in requests:
            await adapter.search_many(NAMESPACE, (request,))

    async def unbatched() -> None:
        for request in requests:
            await in_worker(partial(search, arena.view(adapter.clock.now_us()), request))

    contestants = [
        Contestant("batched", batched, len(requests)),
        Contestant("unbatched", unbatched, len(requests)),
    ]
    medians = await interleave(contestants, plan.rounds)
    return Row(
        "the same, a lone search",
        medians["batched"],
        "batching off",
        medians["unbatched"],
        Target("<=", 1.05),
    )
