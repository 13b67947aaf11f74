"""What concerns the process: blocking calls, the event loop's turns, the import, memory."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import threading
import time
from itertools import cycle, islice

import numpy as np

from axon.sync import SyncMemorySystem
from benchmarks.corpus import K, corpus
from benchmarks.floors import no_operation
from benchmarks.plan import NAMESPACE, Plan, expect, filled, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

ALLOWED_STALL = 0.020
_ALLOWED_OVERHEAD = 2000
TICK = 0.001
_VENDORS = ("langchain_core", "llama_index", "openai", "redis", "chromadb", "qdrant_client", "rich")


async def sync_face(plan: Plan) -> list[Row]:
    """What a blocking call adds to the async one, beside sending a no-op coroutine to a loop in a thread."""
    entries, memory = corpus(plan.small), one_tier()
    ids = await filled(memory, entries)
    blocking = SyncMemorySystem(memory.config, namespace=NAMESPACE)
    kept = blocking.bulk_store(entries.texts, embeddings=entries.vectors)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def get_blocking() -> None:
        for id in kept:
            blocking.get(id)

    async def get_awaited() -> None:
        for id in ids:
            await memory.get(id)

    async def send_nothing() -> None:
        for _ in kept:
            asyncio.run_coroutine_threadsafe(no_operation(), loop).result()

    found = blocking.get(kept[-1])
    expect(found is not None and found.text == entries.texts[-1], "the blocking get found another entry")
    medians = await interleave(
        [
            Contestant("blocking", get_blocking, len(kept)),
            Contestant("no-op", send_nothing, len(kept)),
            Contestant("awaited", get_awaited, len(ids)),
        ],
        plan.rounds,
    )
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    blocking.close()
    added = medians["blocking"] - medians["awaited"]
    return [Row("blocking get, minus the awaited one", added, "run_coroutine_threadsafe", medians["no-op"],
                Target("<=", 3.0))]  # fmt: skip


async def loop_stall(plan: Plan) -> list[Row]:
    """How late a ticker of one millisecond is while 1,000 stores and 1,000 recalls run; wall time."""
    entries = corpus(plan.large)
    rows = []
    for name, words in (("vectors given", False), ("embedding, hybrid", True)):
        memory = one_tier()
        await filled(memory, entries)
        lateness: list[float] = []
        ticker = asyncio.create_task(_tick(lateness))
        queries = islice(cycle(entries.questions if words else entries.queries), plan.gathered)
        given = [None] * plan.gathered if words else entries.vectors
        stores = zip(entries.texts, given, range(plan.gathered))  # noqa: B905 - as many as are gathered
        await asyncio.gather(
            *(memory.store(text, embedding=vector) for text, vector, _ in stores),
            *(memory.recall(query, k=K) for query in queries),
        )
        await asyncio.sleep(TICK)
        ticker.cancel()
        expect(await memory.count() == plan.large + plan.gathered, "stores were lost")
        note = f"max {max(lateness) * 1000:.1f} ms, {len(lateness)} ticks"
        rows.append(
            Row(f"event loop stall p99, {plan.large:,} entries, {name}", float(np.percentile(lateness, 99)),
                "allowed", ALLOWED_STALL, Target("<=", 1.0), note=note)
        )  # fmt: skip
    return rows


async def _tick(lateness: list[float]) -> None:
    while True:
        started = time.perf_counter()
        await asyncio.sleep(TICK)
        lateness.append(time.perf_counter() - started - TICK)


async def import_time(plan: Plan) -> list[Row]:
    """CPU of a new interpreter that imports Axon, beside one that imports pydantic and numpy."""
    loaded = python("from axon import *; import sys; print(*sys.modules)").split()
    vendors = [name for name in _VENDORS if name in loaded]
    expect(not vendors, f"import axon loads {', '.join(vendors)}")

    async def ours() -> None:
        python("import axon")

    async def floor() -> None:
        python("import pydantic, numpy")

    async def names() -> None:
        python("from axon import MemoryConfig, MemorySystem")

    async def one_model() -> None:
        # `import pydantic` by itself loads little of it; the rest comes with the first model.
        python("import numpy, pydantic\nclass One(pydantic.BaseModel):\n    number: int = 1")

    contestants = {"ours": ours, "floor": floor, "names": names, "one model": one_model}
    medians = await interleave(
        [Contestant(name, run, clock=children_cpu) for name, run in contestants.items()], plan.rounds
    )
    return [
        Row("import axon", medians["ours"], "import pydantic, numpy", medians["floor"], Target("<=", 1.5)),
        Row(
            "from axon import MemorySystem",
            medians["names"],
            "the same and one pydantic model",
            medians["one model"],
            Target("<=", 1.5),
        ),
    ]


def python(code: str) -> str:
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout


def children_cpu() -> float:
    """Tell the CPU time of processes that were started and have ended, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


async def memory_per_entry(plan: Plan) -> list[Row]:
    """Growth of a fresh process per entry, less the vector and the text; with and without the text index in use."""
    command = [sys.executable, "-m", "benchmarks.memory_probe", str(plan.large)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: ASYNC221
    grown: dict[str, float] = json.loads(output)
    name = f"memory per entry beside vector and text, {plan.large:,} entries"
    return [
        Row(name, grown["stored"], "allowed", _ALLOWED_OVERHEAD, Target("<=", 1.0), "B"),
        Row(f"{name}, text index filled", grown["indexed"], "allowed", _ALLOWED_OVERHEAD, None, "B"),
    ]
