"""Opening and closing many times leaks no descriptor, no thread and no memory."""

from __future__ import annotations

import asyncio
import gc
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from axon.core.clock import SystemClock
from axon.core.policies import PersistentPolicy
from axon.core.registry import build_adapter
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import ids_of, search
from tests.backends.catalogue import Backend

NS = "n"
WARM_UP = 100
"""Cycles in which clients fill their caches and Chroma its log of writes."""

CYCLES = 200
MOST_DESCRIPTORS = 5
MOST_BYTES = 10_000_000

ENTRY = make_entry("a", text="again", embedding=[1, 0])
QUERY = np.array([1, 0], np.float32)


class Held(NamedTuple):
    """What this process holds; the system tells, so threads of native code count too."""

    descriptors: int
    threads: int
    bytes: int

    @classmethod
    def now(cls) -> Held:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        held = (len(os.listdir(f"/proc/self/{what}")) for what in ("fd", "task"))
        return cls(*held, pages * os.sysconf("SC_PAGE_SIZE"))


async def cycle(policy: PersistentPolicy) -> None:
    adapter = build_adapter(policy, SystemClock())
    await adapter.open()
    await adapter.put_many(NS, [ENTRY])
    assert_same((await adapter.get_many(NS, ["a"]))[0], ENTRY)
    assert ids_of(await search(adapter, NS, QUERY)) == ["a"]
    await adapter.aclose()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process holds")
async def test_two_hundred_cycles_leak_nothing(backend: Backend, tmp_path: Path) -> None:
    # One thread, since the loop's own pool adds another whenever the last one is not yet idle again.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    with backend.place(tmp_path) as options:
        policy = PersistentPolicy(adapter_type=backend.adapter_type, adapter_config=options)
        for _ in range(WARM_UP):
            await cycle(policy)
        before = Held.now()
        for _ in range(CYCLES):
            await cycle(policy)
        after = Held.now()
    assert after.descriptors - before.descriptors <= MOST_DESCRIPTORS
    assert after.threads <= before.threads
    assert after.bytes - before.bytes < MOST_BYTES
