"""The process that ``test_open_close.py`` measures: it opens and closes an adapter many times, and tells what it held.

Run as ``python open_close.py ADAPTER_TYPE OPTIONS``, the options in JSON. In a process of its own, since what other
tests leave behind for the garbage collector would be counted too.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from axon.core.clock import SystemClock
from axon.core.policies import PersistentPolicy
from axon.core.registry import build_adapter
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import ids_of, search

NS = "n"
WARM_UP = 50
"""Cycles in which clients fill their caches and Chroma its log of writes."""

CYCLES = 200
PER_COLLECTION = 10
"""Cycles between collections of garbage: clients are webs of references that hold much, and seldom set one off."""

ENTRY = make_entry("a", text="again", embedding=[1, 0])
QUERY = np.array([1, 0], np.float32)


def held() -> dict[str, int]:
    """Count as the system does, so that threads and memory of native code are in it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
        "bytes": pages * os.sysconf("SC_PAGE_SIZE"),
    }


async def cycle(policy: PersistentPolicy) -> None:
    adapter = build_adapter(policy, SystemClock())
    await adapter.open()
    await adapter.put_many(NS, [ENTRY])
    assert_same((await adapter.get_many(NS, ["a"]))[0], ENTRY)
    assert ids_of(await search(adapter, NS, QUERY)) == ["a"]
    await adapter.aclose()


async def repeat(policy: PersistentPolicy, times: int) -> None:
    for n in range(times):
        await cycle(policy)
        if n % PER_COLLECTION == 0:
            gc.collect()


async def measure(policy: PersistentPolicy) -> dict[str, int]:
    # One thread, since the loop's own pool adds another whenever the last one is not yet idle again.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    await repeat(policy, WARM_UP)
    before = held()
    await repeat(policy, CYCLES)
    return {name: after - before[name] for name, after in held().items()} | {"cycles": CYCLES}


if __name__ == "__main__":
    named = PersistentPolicy(adapter_type=sys.argv[1], adapter_config=json.loads(sys.argv[2]))
    print(json.dumps(asyncio.run(measure(named))))
