"""Chroma on a server: faults, time limits, errors."""

from __future__ import annotations

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
from axon.core.models import MemoryEntry
from tests.servers.chroma_server import ChromaServer, new_server

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
