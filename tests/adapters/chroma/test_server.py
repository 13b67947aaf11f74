"""Chroma on a server: faults, time limits, errors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from chromadb import errors as vendor

from axon.adapters._chroma.errors import translated
from axon.adapters.chroma import ChromaAdapter
from axon.core.adapter_options import ChromaOptions
from axon.core.clock import to_datetime
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    EmbeddingMismatchError,
    RateLimited,
)
from axon.core.filter.ast import EVERYTHING
from axon.core.models import MemoryEntry
from tests.servers.chroma_server import ChromaServer, new_server
from tests.servers.process import free_port

NS = "n"


def entry(id: str) -> MemoryEntry:
    return MemoryEntry("text", id=id, created_at=to_datetime(1_700_000_000_000_000))


def adapter_on(port: int, **options: Any) -> ChromaAdapter:
    return ChromaAdapter(ChromaOptions(host="127.0.0.1", port=port, **options))


@pytest.fixture
def server() -> Iterator[ChromaServer]:
    server = new_server()
    yield server
    server.close()


async def test_a_server_that_is_down_is_unavailable() -> None:
    with pytest.raises(AdapterUnavailable, match="check that the server runs"):
        await adapter_on(free_port(), attempts=2).open()


async def test_a_server_that_never_answers_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with pytest.raises(AdapterTimeout, match="timeout option"):
            await adapter_on(silent.getsockname()[1], timeout=0.2, attempts=1).open()


async def test_a_paused_server_times_out_and_is_used_again_afterwards(server: ChromaServer) -> None:
    adapter = adapter_on(server.port, timeout=5)
    await adapter.open()
    await adapter.put_many(NS, [entry("before")])
    impatient = adapter_on(server.port, timeout=0.5, attempts=1)
    await impatient.open()
    server.pause()
    with pytest.raises(AdapterTimeout):
        await impatient.put_many(NS, [entry("during")])
    with pytest.raises(AdapterTimeout):
        await impatient.get_many(NS, ["before"])
    server.resume()
    await impatient.put_many(NS, [entry("after")])
    assert [each and each.id for each in await adapter.get_many(NS, ["before", "after"])] == [
        "before",
        "after",
    ]
    await adapter.aclose()
    await impatient.aclose()


async def test_what_was_acknowledged_survives_a_kill_in_mid_write(server: ChromaServer) -> None:
    adapter = adapter_on(server.port, timeout=2, attempts=1)
    await adapter.open()
    acknowledged: list[str] = []

    async def write() -> None:
        for n in range(10_000):
            await adapter.put_many(NS, [entry(f"{n}")])
            acknowledged.append(f"{n}")
            if n == 20:
                killing.set()

    killing = asyncio.Event()
    writing = asyncio.ensure_future(write())
    await killing.wait()
    server.kill()
    with pytest.raises((AdapterUnavailable, AdapterTimeout)):
        await writing
    assert len(acknowledged) >= 21
    await asyncio.to_thread(server.start_again)
    found = await adapter.get_many(NS, acknowledged)
    assert [each and each.id for each in found] == acknowledged
    await adapter.put_many(NS, [entry("later")])
    assert await adapter.count(NS, EVERYTHING) >= len(acknowledged) + 1
    await adapter.aclose()


async def test_credentials_do_not_show(server: ChromaServer) -> None:
    options = ChromaOptions(host="127.0.0.1", port=server.port, headers={"X-Token": "s3cret"})
    adapter = ChromaAdapter(options)
    await adapter.open()
    assert "s3cret" not in repr(options) + repr(await adapter.stats())
    await adapter.aclose()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (vendor.InvalidDimensionException("x"), EmbeddingMismatchError),
        (
            vendor.InvalidArgumentError("expecting embedding with dimension of 2, got 3"),
            EmbeddingMismatchError,
        ),
        (vendor.InvalidArgumentError("where"), AdapterError),
        (vendor.RateLimitError("x"), RateLimited),
        (vendor.ChromaAuthError("x"), AdapterUnavailable),
        (vendor.InternalError("x"), AdapterError),
        (httpx.ReadTimeout("x"), AdapterTimeout),
        (httpx.ConnectError("x"), AdapterUnavailable),
        (httpx.RemoteProtocolError("x"), AdapterUnavailable),
        (PermissionError("x"), AdapterUnavailable),
        (Exception("<html>502 Bad Gateway</html>"), AdapterError),
    ],
)
def test_errors_are_translated_by_a_table(error: Exception, kind: type[Exception]) -> None:
    assert type(translated(error, "here").error) is kind
