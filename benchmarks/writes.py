"""Store, get and delete beside the same steps by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from axon import MemorySystem
from benchmarks.corpus import corpus
from benchmarks.floors import HandWritten, no_operation
from benchmarks.plan import Plan, expect, filled, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave


async def store_one_by_one(plan: Plan) -> list[Row]:
    """``await store(...)`` in a loop, vectors given as arrays."""
    entries, count = corpus(plan.medium), plan.medium

    async def ours(memory: MemorySystem) -> None:
        store = memory.store
        for text, vector in zip(entries.texts, entries.vectors, strict=True):
            await store(text, embedding=vector)

    async def by_hand(store: HandWritten) -> None:
        keep = store.store
        for text, vector in zip(entries.texts, entries.vectors, strict=True):
            await keep(text, vector)

    async def checked(memory: MemorySystem) -> None:
        await ours(memory)
        expect(await memory.count() == count, "store lost entries")

    await checked(one_tier())
    medians = await interleave(
        [
            Contestant("ours", ours, count, _fresh(one_tier)),
            Contestant("by hand", by_hand, count, _fresh(HandWritten)),
            Contestant("lean", by_hand, count, _fresh(partial(HandWritten, lean=True))),
            Contestant("three tiers", ours, count, _fresh(MemorySystem)),
        ],
        plan.rounds,
    )
    return [
        Row("store", medians["ours"], "the steps by hand", medians["by hand"], Target("<=", 1.5)),
        Row("store", medians["ours"], "the steps, fastest spelling", medians["lean"]),
        Row("store, three tiers", medians["three tiers"], "the steps by hand", medians["by hand"]),
    ]


async def store_gathered(plan: Plan) -> list[Row]:
    """A thousand stores through ``asyncio.gather``; floor: as many no-ops through gather, and the steps by hand."""
    count = plan.gathered
    entries = corpus(plan.small)
    texts, vectors = entries.texts[:count], entries.vectors[:count]

    async def ours(memory: MemorySystem) -> None:
        pairs = zip(texts, vectors, strict=True)
        await asyncio.gather(*(memory.store(text, embedding=vector) for text, vector in pairs))

    async def by_hand(store: HandWritten) -> None:
        await asyncio.gather(*(no_operation() for _ in range(count)))
        for text, vector in zip(texts, vectors, strict=True):
            await store.store(text, vector)

    memory = one_tier()
    await ours(memory)
    expect(await memory.count() == count, "gathered stores lost entries")
    medians = await interleave(
        [
            Contestant("ours", ours, count, _fresh(one_tier)),
            Contestant("by hand", by_hand, count, _fresh(HandWritten)),
        ],
        3 * plan.rounds,
    )
    return [
        Row(
            "store, gathered",
            medians["ours"],
            "gathered no-ops + by hand",
            medians["by hand"],
            Target("<=", 1.5),
        )
    ]


async def bulk_store(plan: Plan) -> list[Row]:
    """``bulk_store`` of texts with a matrix of vectors, beside the loop of single stores."""
    entries, count = corpus(plan.medium), plan.medium

    async def bulk(memory: MemorySystem) -> None:
        await memory.bulk_store(entries.texts, embeddings=entries.vectors)

    async def one_by_one(memory: MemorySystem) -> None:
        for text, vector in zip(entries.texts, entries.vectors, strict=True):
            await memory.store(text, embedding=vector)

    memory = one_tier()
    await bulk(memory)
    expect(await memory.count() == count, "bulk_store lost entries")
    medians = await interleave(
        [
            Contestant("bulk", bulk, count, _fresh(one_tier)),
            Contestant("single", one_by_one, count, _fresh(one_tier)),
        ],
        plan.rounds,
    )
    return [Row("bulk_store", medians["bulk"], "our store", medians["single"], Target(">=", 2.0))]


async def get_and_delete(plan: Plan) -> list[Row]:
    """Read by id and delete by id, every entry once."""
    entries, count = corpus(plan.medium), plan.medium
    store, layered, by_hand, lean = one_tier(), MemorySystem(), HandWritten(), HandWritten(lean=True)
    ids = await filled(store, entries)
    layered_ids = await filled(layered, entries)
    by_hand.fill(ids, entries.items(), entries.vectors)
    lean.fill(ids, entries.items(), entries.vectors)
    found = await store.get(ids[-1])
    expect(found is not None and found.text == entries.texts[-1], "get found another entry")

    def reading(get: Callable[[str], Awaitable[object]], known: list[str]) -> Callable[[], Awaitable[None]]:
        async def read() -> None:
            for id in known:
                await get(id)

        return read

    async def full() -> tuple[MemorySystem, list[str]]:
        memory = one_tier()
        return memory, await memory.bulk_store(entries.texts, embeddings=entries.vectors)

    async def delete_all(subject: tuple[MemorySystem, list[str]]) -> None:
        memory, known = subject
        for id in known:
            await memory.delete(id)

    subject = await full()
    await delete_all(subject)
    expect(await subject[0].count() == 0, "delete left entries behind")
    medians = await interleave(
        [
            Contestant("get", reading(store.get, ids), count),
            Contestant("by hand", reading(by_hand.get, ids), count),
            Contestant("lean", reading(lean.get, ids), count),
            Contestant("delete", delete_all, count, full),
            Contestant("three tiers", reading(layered.get, layered_ids), count),
        ],
        plan.rounds,
    )
    return [
        Row("get", medians["get"], "await + lookup + copy", medians["by hand"], Target("<=", 2.0)),
        Row("get", medians["get"], "the same, without the vector", medians["lean"]),
        Row("get, three tiers", medians["three tiers"], "await + lookup + copy", medians["by hand"]),
        Row("delete", medians["delete"], "our get", medians["get"], Target("<=", 3.0)),
    ]


def _fresh(make: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def prepare() -> object:
        made = make()
        if isinstance(made, MemorySystem):
            await made.count()  # opens the backends
        return made

    return prepare
