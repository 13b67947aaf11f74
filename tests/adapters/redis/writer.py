"""A process that stores entries and prints the id of each after it was acknowledged."""

from __future__ import annotations

import asyncio
import sys

from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import RedisOptions
from axon.testing.entries import make_entry


async def write(url: str, prefix: str, count: int) -> None:
    adapter = RedisAdapter(RedisOptions(url=url, namespace=prefix))
    await adapter.open()
    for n in range(count):
        await adapter.put_many("n", [make_entry(f"{n}", text=f"text {n}", embedding=[1, n])])
        print(n, flush=True)
    await adapter.aclose()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2], int(sys.argv[3])))
