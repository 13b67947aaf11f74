"""The sqlite adapter beside sqlite3 alone, with the same pragmas and rows of the same size."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from axon import MemorySystem
from benchmarks.corpus import Corpus, K, corpus
from benchmarks.plan import Plan, expect, filled, on_backend, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

_TABLE = (
    "CREATE TABLE rows(seq INTEGER PRIMARY KEY, space INTEGER, id TEXT, record BLOB, vector BLOB, "
    "UNIQUE(space, id))"
)
_INSERT = "INSERT INTO rows(space, id, record, vector) VALUES (1, ?, ?, ?)"


def _on_file(path: Path) -> MemorySystem:
    return on_backend("sqlite", path=str(path))


def _bare(path: Path, *, checkpoints: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    pragmas = ["journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"]
    for pragma in pragmas if checkpoints else [*pragmas, "wal_autocheckpoint=0"]:
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(_TABLE)
    return connection


def _bare_rows(entries: Corpus) -> list[tuple[str, bytes, bytes]]:
    """Rows as large as ours: a record is its text and about 100 bytes."""
    return [
        (f"{place:032x}", text.encode() + bytes(100), vector.tobytes())
        for place, (text, vector) in enumerate(zip(entries.texts, entries.vectors, strict=True))
    ]


async def store(plan: Plan) -> list[Row]:
    """Median wall time of one store, committed when it returns (``synchronous=NORMAL``)."""
    entries, count = corpus(plan.small), plan.small
    rows = _bare_rows(entries)
    ours: list[float] = []
    theirs: list[float] = []
    for round_number in range(plan.rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            async with _on_file(Path(folder, "ours.db")) as memory:
                await memory.store("the first one makes the namespace", embedding=entries.vectors[0])
                pairs = zip(entries.texts, entries.vectors, strict=True)
                mine = [
                    await _timed(lambda text=text, v=v: memory.store(text, embedding=v)) for text, v in pairs
                ]
                expect(await memory.count() == count + 1, "the durable store lost entries")
            connection = _bare(Path(folder, "bare.db"), checkpoints=False)
            bare = []
            for row in rows:
                started = time.perf_counter()
                connection.execute(_INSERT, row)
                bare.append(time.perf_counter() - started)
            connection.close()
        if round_number:
            ours.append(statistics.median(mine))
            theirs.append(statistics.median(bare))
    return [
        Row("sqlite: store, p50 wall", statistics.median(ours), "bare WAL insert", statistics.median(theirs),
            Target("<=", 2.0))
    ]  # fmt: skip


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await call()
    return time.perf_counter() - started


async def bulk(plan: Plan) -> list[Row]:
    """CPU of ``bulk_store`` beside ``executemany`` in one transaction; checkpoints included on both sides."""
    entries, count = corpus(plan.medium), plan.medium
    rows = _bare_rows(entries)
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(10**6))

        async def open_ours() -> MemorySystem:
            memory = _on_file(Path(folder, f"ours-{next(numbers)}.db"))
            await memory.count()
            return memory

        async def ours(memory: MemorySystem) -> None:
            await memory.bulk_store(entries.texts, embeddings=entries.vectors)
            await memory.aclose()

        async def open_bare() -> sqlite3.Connection:
            return _bare(Path(folder, f"bare-{next(numbers)}.db"), checkpoints=True)

        async def bare(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN")
            connection.executemany(_INSERT, rows)
            connection.execute("COMMIT")
            connection.close()

        medians = await interleave(
            [Contestant("ours", ours, count, open_ours), Contestant("bare", bare, count, open_bare)],
            plan.rounds,
        )
    return [Row("sqlite: bulk_store", medians["ours"], "executemany", medians["bare"], Target("<=", 1.5))]


async def recall(plan: Plan) -> list[Row]:
    """Recall beside the memory adapter, which scans the same arena without looking at a file."""
    entries = corpus(plan.medium)
    with tempfile.TemporaryDirectory() as folder:
        async with _on_file(Path(folder, "ours.db")) as durable:
            volatile = one_tier()
            ids = {True: await filled(durable, entries), False: await filled(volatile, entries)}
            for query in entries.queries:
                found = [[each.entry.id for each in await memory.recall(query, k=K, mode="vector")]
                         for memory in (durable, volatile)]  # fmt: skip
                same = [ids[True].index(a) == ids[False].index(b) for a, b in zip(*found, strict=True)]
                expect(all(same), "the adapters disagree")
            calls = plan.calls(plan.medium * 5e-8)

            def asking(memory: MemorySystem) -> Callable[[], Awaitable[None]]:
                async def ask() -> None:
                    for call in range(calls):
                        await memory.recall(entries.queries[call % 64], k=K, mode="vector")

                return ask

            medians = await interleave(
                [Contestant("sqlite", asking(durable), calls), Contestant("memory", asking(volatile), calls)],
                plan.rounds,
            )
    name = f"sqlite: recall, {plan.medium:,} entries"
    return [Row(name, medians["sqlite"], "the memory adapter", medians["memory"], Target("<=", 1.1))]


async def reopen(plan: Plan) -> list[Row]:
    """CPU from a closed file to the first answer, beside reading the same rows into one matrix."""
    entries = corpus(plan.large)
    with tempfile.TemporaryDirectory() as folder:
        path, bare_path = Path(folder, "ours.db"), Path(folder, "bare.db")
        async with _on_file(path) as memory:
            await memory.bulk_store(entries.texts, embeddings=entries.vectors)
        connection = _bare(bare_path, checkpoints=True)
        connection.execute("BEGIN")
        connection.executemany(_INSERT, _bare_rows(entries))
        connection.execute("COMMIT")
        connection.close()

        async def ours() -> None:
            async with _on_file(path) as memory:
                results = await memory.recall(entries.queries[0], k=K, mode="vector")
                expect(len(results) == min(K, plan.large), "the reopened file gave too few results")

        async def bare() -> None:
            connection = sqlite3.connect(bare_path)
            rows = connection.execute("SELECT id, record, vector FROM rows ORDER BY seq").fetchall()
            matrix = np.frombuffer(b"".join(vector for _, _, vector in rows), "<f4").reshape(len(rows), -1)
            expect(matrix.shape[0] == plan.large, "the bare file lost rows")
            connection.close()

        medians = await interleave(
            [Contestant("ours", ours), Contestant("bare", bare)], max(1, plan.rounds // 2)
        )
    name = f"sqlite: reopen {plan.large:,} entries until the first recall"
    note = f"{max(1, plan.rounds // 2)} rounds"
    return [Row(name, medians["ours"], "SELECT + frombuffer", medians["bare"], Target("<=", 2.0), note=note)]
