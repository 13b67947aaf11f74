"""The text channel: what hybrid recall costs beside vector recall, and that storing pays nothing for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from itertools import cycle, islice

from axon import MemorySystem
from axon.adapters.memory import MemoryAdapter
from axon.core.adapter_options import MemoryOptions
from axon.core.policies import RecallMode
from benchmarks.corpus import K, corpus
from benchmarks.plan import Plan, filled, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave


async def hybrid(plan: Plan) -> list[Row]:
    """Six words, embedded by the built-in embedder: both channels beside the vector channel alone."""
    rows = []
    for size in (plan.medium, plan.large):
        entries, memory = corpus(size), one_tier()
        await filled(memory, entries)
        calls = plan.calls(size * 1.6e-7)

        def asking(
            mode: RecallMode,
            memory: MemorySystem = memory,
            questions: Sequence[str] = entries.questions,
            calls: int = calls,
        ) -> Callable[[], Awaitable[None]]:
            async def ask() -> None:
                for words in islice(cycle(questions), calls):
                    await memory.recall(words, k=K, mode=mode)

            return ask

        medians = await interleave(
            [Contestant("hybrid", asking("hybrid"), calls), Contestant("vector", asking("vector"), calls)],
            plan.rounds,
        )
        rows.append(
            Row(f"hybrid recall, {size:,} entries", medians["hybrid"], "vector recall", medians["vector"])
        )
    return rows


async def text_index(plan: Plan) -> list[Row]:
    """Stores with and without a text index; then what the index takes to catch up, beside SQLite's FTS5."""
    entries, count = corpus(plan.medium), plan.medium

    def making(text_index: bool) -> Callable[[], Awaitable[MemorySystem]]:
        async def make() -> MemorySystem:
            memory = one_tier(MemoryAdapter(MemoryOptions(text_index=text_index)))
            await memory.count()
            return memory

        return make

    async def storing(memory: MemorySystem) -> None:
        for text, vector in zip(entries.texts, entries.vectors, strict=True):
            await memory.store(text, embedding=vector)

    async def full() -> MemorySystem:
        memory = one_tier()
        await memory.bulk_store(entries.texts, embeddings=entries.vectors)
        return memory

    async def catching_up(memory: MemorySystem) -> None:
        await memory.recall(entries.questions[0], k=K, mode="text")

    async def fts5() -> None:
        connection = sqlite3.connect(":memory:")
        connection.execute("CREATE VIRTUAL TABLE texts USING fts5(body, content='', tokenize='porter')")
        rows = enumerate(entries.texts)
        connection.executemany("INSERT INTO texts(rowid, body) VALUES (?, ?)", rows)
        connection.close()

    medians = await interleave(
        [
            Contestant("with", storing, count, making(True)),
            Contestant("without", storing, count, making(False)),
            Contestant("catching up", catching_up, count, full),
            Contestant("fts5", fts5, count),
        ],
        plan.rounds,
    )
    return [
        Row("store, text index on", medians["with"], "text index off", medians["without"], Target("<=", 1.1)),
        Row(
            "text index: catch-up per entry", medians["catching up"], "FTS5, one transaction", medians["fts5"]
        ),
    ]
