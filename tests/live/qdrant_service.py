"""The conformance suite on a real Qdrant server, for `make test-qdrant-live` only: its name keeps it out of other runs.

Needs ``AXON_TEST_QDRANT_URL``, and ``AXON_TEST_QDRANT_API_KEY`` where the server asks for one. With
``AXON_TEST_QDRANT_GRPC_PORT`` the suite runs over gRPC too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite

URL = "AXON_TEST_QDRANT_URL"
API_KEY = "AXON_TEST_QDRANT_API_KEY"
GRPC_PORT = "AXON_TEST_QDRANT_GRPC_PORT"
RUN = f"axon-test-{uuid4().hex}"

# Somebody else's server may be reached over plain HTTP.
pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, Any]]:
    """How to reach the server, cleared of what this run left in it."""
    url, key = os.environ.get(URL), os.environ.get(API_KEY)
    if not url:
        pytest.exit(f"set {URL} to run against a Qdrant server", returncode=2)
    yield {"url": url, "api_key": None if key is None else SecretStr(key), "timeout": 60}
    drop(url, key, RUN)


def drop(url: str, key: str | None, prefix: str) -> None:
    """Delete the collections whose names begin so."""
    from qdrant_client import QdrantClient

    client = QdrantClient(url=url, api_key=key, timeout=60, check_compatibility=False)
    for each in client.get_collections().collections:
        if each.name.startswith(prefix):
            client.delete_collection(each.name)
    client.close()


class QdrantServerSuite(AdapterSuite):
    """What the subclasses share."""

    def transport(self) -> dict[str, Any]:
        raise NotImplementedError

    @pytest.fixture
    def make_adapter(self, server: dict[str, Any], clock: ManualClock) -> Iterator[AdapterFactory]:
        name = f"{RUN}-{uuid4().hex}"
        options = QdrantOptions(**server, **self.transport(), collection_name=name)
        yield lambda: QdrantAdapter(options, clock=clock)
        drop(server["url"], os.environ.get(API_KEY), name)


class TestQdrantServer(QdrantServerSuite):
    backend = "qdrant-server"

    def transport(self) -> dict[str, Any]:
        return {}


if os.environ.get(GRPC_PORT):

    class TestQdrantServerOverGrpc(QdrantServerSuite):
        backend = "qdrant-server-grpc"

        def transport(self) -> dict[str, Any]:
            return {"prefer_grpc": True, "grpc_port": int(os.environ[GRPC_PORT])}
