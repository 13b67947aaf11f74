"""What is tried again, how often, when a server is left alone, and what an application learns of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable

import pytest

from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, RateLimited
from axon.core.ports import StorageAdapter
from axon.testing.entries import make_entry
from tests.adapters.faults.backends import BACKENDS, Backend, Fault, Place, adapter_of, cases
from tests.adapters.faults.conftest import server_of
from tests.adapters.faults.writing import NS, recovered
from tests.servers.process import free_port, wait_until
from tests.servers.proxy import Proxy

each_backend = pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.name)


async def kept(adapter: StorageAdapter, *ids: str) -> bool:
    found = await adapter.get_many(NS, ids)
    return [entry and entry.id for entry in found] == list(ids)


@cases("answers-cut", "requests-cut")
async def test_one_cut_is_hidden(adapter: StorageAdapter, place: Place, fault: Fault) -> None:
    cut = place.proxy.cut_next_answers if fault.name == "answers-cut" else place.proxy.cut_next_requests
    await recovered(lambda: adapter.put_many(NS, [make_entry("a", embedding=[1, 0])]))
    cut(1)
    writes = (adapter.put_many(NS, [make_entry(f"{n}", embedding=[1, n])]) for n in range(50))
    await asyncio.gather(*writes)
    cut(1)
    assert await kept(adapter, "a", *(f"{n}" for n in range(50)))


@cases("rate-limited")
async def test_what_the_server_asks_for_is_waited_for_or_handed_on(
    adapter: StorageAdapter, place: Place, fault: Fault
) -> None:
    await recovered(lambda: adapter.put_many(NS, [make_entry("a", embedding=[1, 0])]))
    place.proxy.refuse(429, {"Retry-After": "600"})
    asked = place.proxy.refused
    with pytest.raises(RateLimited) as refused:
        await adapter.get_many(NS, ["a"])
    assert refused.value.retry_after == 600
    assert place.proxy.refused == asked + 1, "waiting would have passed the deadline"
    place.proxy.refuse(429)
    with pytest.raises(RateLimited) as refused:
        await adapter.get_many(NS, ["a"])
    assert refused.value.retry_after is None
    assert place.proxy.refused == asked + 1 + 3
    place.proxy.stop_refusing()
    assert await kept(adapter, "a"), "a server that asks to slow down is not one that is down"


@pytest.mark.parametrize("status", [401, 403])
@cases("not-ready")
async def test_refused_credentials_are_not_tried_again(
    adapter: StorageAdapter, place: Place, fault: Fault, status: int
) -> None:
    place.proxy.refuse(status)
    with pytest.raises(AdapterUnavailable, match="credentials"):
        await adapter.get_many(NS, ["a"])
    assert place.proxy.refused == 1


@cases("killed")
async def test_the_circuit_opens_is_told_of_and_closes_by_itself(
    adapter: StorageAdapter, place: Place, fault: Fault
) -> None:
    await recovered(lambda: adapter.put_many(NS, [make_entry("a", embedding=[1, 0])]))
    assert (await recovered(adapter.stats)).details["circuit"] == "closed"
    fault.begin(place)
    # Every failure counts, those of stats() too, until it tells instead of failing.
    stats = await recovered(adapter.stats)
    assert stats.details["circuit"] == "open"
    assert stats.entries is None
    await asyncio.to_thread(fault.end, place)
    assert await recovered(lambda: kept(adapter, "a"))
    stats = await recovered(adapter.stats)
    assert (stats.details["circuit"], stats.entries) == ("closed", 1)


@each_backend
async def test_nobody_listening_is_unavailable(backend: Backend) -> None:
    adapter = adapter_of(backend.policy(free_port()))
    with pytest.raises(AdapterUnavailable, match=r"check that the server runs|not ready"):
        await adapter.open()


@each_backend
async def test_a_server_that_never_answers_times_out(backend: Backend) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        adapter = adapter_of(backend.policy(silent.getsockname()[1]))
        with pytest.raises(AdapterTimeout, match="raise"):
            await adapter.open()


@each_backend
async def test_calls_overtaken_by_closing_end_with_errors_of_ours_and_leave_no_connection(
    backend: Backend,
) -> None:
    with Proxy(backend.port(server_of(backend))) as proxy:
        for ticks in (1, 3, 5, 8):
            adapter = adapter_of(backend.policy(proxy.port))
            await recovered(adapter.open)
            calls: list[Awaitable[object]] = []
            for n in range(20):
                entries = [make_entry(f"{n}", embedding=[1, n])]
                calls += [adapter.put_many(NS, entries), adapter.get_many(NS, [f"{n}"])]
            overtaken = asyncio.ensure_future(asyncio.gather(*calls, return_exceptions=True))
            for _ in range(ticks):
                await asyncio.sleep(0)
            await adapter.aclose()
            wrong = [each for each in await overtaken if isinstance(each, BaseException)]
            assert [each for each in wrong if not isinstance(each, AdapterError)] == []
            with pytest.raises(AdapterUnavailable, match="open"):
                await adapter.get_many(NS, ["0"])
        await asyncio.to_thread(wait_until, lambda: proxy.open == 0, "a connection stays open", 10)
