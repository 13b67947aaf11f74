"""While a server fails, every call ends in time with an error of ours; nothing acknowledged is lost; it recovers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable

import numpy as np

from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest, Touch
from axon.core.ports import StorageAdapter
from axon.testing.entries import make_entry
from tests.adapters.faults.backends import BOUND, Fault, Place, cases
from tests.adapters.faults.writing import NS, WRITERS, Writers, recovered

pytestmark = cases()

OTHER = "another"
QUEUED = 20


def every_call(adapter: StorageAdapter) -> list[Awaitable[object]]:
    return [
        adapter.get_many(OTHER, ["a"]),
        adapter.put_many(OTHER, [make_entry("a", embedding=[1, 0])]),
        adapter.delete_many(OTHER, ["a"]),
        adapter.touch_many(OTHER, [Touch("a", 1)]),
        adapter.search_many(OTHER, [SearchRequest(EVERYTHING, 1, np.array([1, 0], np.float32))]),
        adapter.scan(OTHER, EVERYTHING),
        adapter.count(OTHER, EVERYTHING),
        adapter.expired(OTHER),
        adapter.bind_embedder(OTHER, "model"),
        adapter.clear(OTHER),
        adapter.namespaces(),
    ]


async def test_nothing_acknowledged_is_lost(adapter: StorageAdapter, place: Place, fault: Fault) -> None:
    writers = Writers(adapter)
    await writers.fault_begins(lambda: fault.begin(place))
    assert len(writers.failures) == WRITERS
    for error, seconds in writers.failures:
        assert isinstance(error, fault.errors), repr(error)
        assert seconds < BOUND
    await asyncio.to_thread(fault.end, place)
    await writers.check(adapter)
    fresh = place.make_adapter()
    await recovered(fresh.open)
    await writers.check(fresh)
    await fresh.aclose()


async def test_every_call_fails_in_time_and_works_again_from_any_loop(
    adapter: StorageAdapter, place: Place, fault: Fault
) -> None:
    await recovered(lambda: adapter.put_many(NS, [make_entry("kept", embedding=[1, 0])]))
    fault.begin(place)
    started = time.monotonic()
    calls = [call for _ in range(QUEUED) for call in every_call(adapter)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert time.monotonic() - started < BOUND
    assert [answer for answer in answers if not isinstance(answer, fault.errors)] == []
    await asyncio.to_thread(fault.end, place)

    async def use(id: str) -> None:
        await recovered(lambda: adapter.put_many(NS, [make_entry(id, embedding=[0, 1])]))
        found = await recovered(lambda: adapter.get_many(NS, ["kept", id]))
        assert [entry and entry.id for entry in found] == ["kept", id]
        query = SearchRequest(EVERYTHING, 10, np.array([1, 0], np.float32))
        [hits] = await recovered(lambda: adapter.search_many(NS, [query]))
        assert {"kept", id} <= {hit.entry.id for hit in hits}

    await use("from this loop")
    await asyncio.to_thread(asyncio.run, use("from another loop"))
    assert (await recovered(adapter.stats)).details["circuit"] == "closed"
