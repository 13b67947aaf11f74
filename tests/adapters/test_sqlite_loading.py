"""Whoever waits for a namespace to be loaded goes on in turn, so that writes keep the order of their calls."""

from __future__ import annotations

import asyncio
import threading

from axon.adapters._sqlite.loading import Loads
from axon.engine.arena import Arena
from axon.engine.workers import in_worker


async def test_a_quick_load_does_not_overtake_a_slow_one() -> None:
    loads, order, release = Loads(), [], threading.Event()

    def slow() -> Arena:
        release.wait()
        return Arena()

    async def join(name: str) -> None:
        await loads.join("ns", slow if name == "first" else Arena)
        order.append(name)

    waiting = [asyncio.create_task(join(name)) for name in ("first", "second", "third")]
    await asyncio.sleep(0)
    # By the time this comes back, a load that had not queued would be done.
    await in_worker(lambda: None)
    assert loads.has_queue("ns")
    assert not loads.has_queue("other")
    release.set()
    await asyncio.gather(*waiting)
    assert order == ["first", "second", "third"]
    assert not loads.has_queue("ns")


async def test_one_who_is_cancelled_leaves_the_queue() -> None:
    loads, release = Loads(), threading.Event()

    def slow() -> Arena:
        release.wait()
        return Arena()

    first = asyncio.create_task(loads.join("ns", slow))
    second = asyncio.create_task(loads.join("ns", Arena))
    third = asyncio.create_task(loads.join("ns", Arena))
    await asyncio.sleep(0)
    second.cancel()
    first.cancel()
    release.set()
    assert isinstance(await third, Arena)
    assert not loads.has_queue("ns")
