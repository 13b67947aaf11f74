"""The process that ``test_sqlite_kill.py`` kills: it writes without end, and names what was acknowledged.

Run as ``python killed_writer.py FILE WAY FIRST``. Entry ``n`` is a function of ``n``, so that a torn one shows.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from itertools import count
from typing import Any

import numpy as np

from axon import MemoryConfig, MemorySystem, Tier
from axon.adapters.sqlite import SqliteAdapter
from axon.core.adapter_options import SqliteOptions
from axon.core.models import MemoryEntry
from axon.testing.entries import make_entry

DIMS = 16
BATCH = 7
NAMESPACE = "killed"


def text_of(n: int) -> str:
    return f"entry {n} " + "ü" * (n * 37 % 900)


def fields_of(n: int) -> dict[str, Any]:
    return {
        "tags": [f"t{n % 5}", "all"],
        "metadata": {"n": n, "check": zlib.crc32(text_of(n).encode()), "nested": [n, {"n": n}]},
        "embedding": np.full(DIMS, n + 1, np.float32),
        "session_id": f"s{n}",
    }


def is_whole(entry: MemoryEntry, n: int) -> bool:
    wanted = make_entry(entry.id, text=text_of(n), **fields_of(n))
    mine, theirs = entry.embedding, wanted.embedding
    same_vector = mine is not None and theirs is not None and np.array_equal(mine, theirs)
    facts = [(each.text, each.tags, each.metadata, each.session_id) for each in (entry, wanted)]
    return same_vector and facts[0] == facts[1]


def acknowledge(kind: str, *numbers: int) -> None:
    for n in numbers:
        sys.stdout.write(f"{kind} {n}\n")
    sys.stdout.flush()


async def write_batches(file: str, first: int) -> None:
    """Write batches, a single entry that changes with each, and delete some of the batch before."""
    adapter = SqliteAdapter(SqliteOptions(path=file))
    await adapter.open()
    for n in count(first, BATCH):
        batch = [make_entry(f"{m}", text=text_of(m), **fields_of(m)) for m in range(n, n + BATCH)]
        await adapter.put_many(NAMESPACE, [*batch, make_entry("latest", text=text_of(n), **fields_of(n))])
        acknowledge("stored", *range(n, n + BATCH))
        acknowledge("latest", n)
        if n > first:
            await adapter.delete_many(NAMESPACE, [f"{n - 1}", f"{n - 2}"])
            acknowledge("deleted", n - 1, n - 2)


async def write_concurrently(file: str, first: int) -> None:
    """Store through the memory, eight at a time, into both durable tiers."""
    async with MemorySystem(MemoryConfig.local(file), namespace=NAMESPACE) as memory:

        async def store(n: int) -> None:
            tier = Tier.SESSION if n % 2 else Tier.PERSISTENT
            await memory.store(text_of(n), id=f"{n}", tier=tier, **fields_of(n))
            acknowledge("stored", n)

        for n in count(first, 8):
            await asyncio.gather(*(store(m) for m in range(n, n + 8)))


if __name__ == "__main__":
    way = {"batches": write_batches, "concurrently": write_concurrently}[sys.argv[2]]
    asyncio.run(way(sys.argv[1], int(sys.argv[3])))
