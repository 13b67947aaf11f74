"""Run in a process of its own by ``benchmarks.process``: prints the bytes that an entry takes up, as JSON."""

from __future__ import annotations

import asyncio
import gc
import json
import sys

import numpy as np
import psutil

from benchmarks.corpus import DIMS, corpus
from benchmarks.plan import one_tier

_BATCH = 1000


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


async def main(count: int) -> None:
    """Store ``count`` different entries, keeping none of the inputs."""
    random = np.random.default_rng(0)
    words = corpus(_BATCH)
    warm = one_tier()
    await warm.bulk_store(words.texts, embeddings=words.vectors)
    await warm.recall("ba de fi", k=3)
    memory, text_bytes = one_tier(), 0
    await memory.count()
    before = _resident()
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        vectors = random.standard_normal((size, DIMS), dtype=np.float32)
        texts = [f"{text} {start + place}" for place, text in enumerate(words.texts[:size])]
        text_bytes += sum(map(len, texts))
        await memory.bulk_store(texts, embeddings=vectors)
        del vectors, texts
    own = 4 * DIMS + text_bytes / count
    stored = (_resident() - before) / count - own
    await memory.recall("ba de fi", k=3, mode="text")
    print(json.dumps({"stored": stored, "indexed": (_resident() - before) / count - own}))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
