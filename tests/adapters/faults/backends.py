"""The servers that are made to fail, and the ways in which they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from axon.core.clock import SystemClock
from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, RateLimited
from axon.core.policies import PersistentPolicy
from axon.core.ports import StorageAdapter
from axon.core.registry import build_adapter
from tests.servers import chroma_server, pinecone_server, qdrant_server, redis_server
from tests.servers.process import ServerProcess
from tests.servers.proxy import Proxy

TIMEOUT = 1
"""Seconds per attempt, and for the attempts of one call together."""

BOUND = 20 * TIMEOUT
"""Seconds in which every call has failed or not, whatever waits before it; generous, for machines that are busy."""

ALL = 1 << 30


def adapter_of(policy: PersistentPolicy) -> StorageAdapter:
    return build_adapter(policy, SystemClock())


class Place(NamedTuple):
    """A running server and how it is reached.

    Attributes
    ----------
    server : keeps what it holds in a folder, through a kill.
    proxy : on the way to it.
    policy : of a tier that lies there, behind the proxy or not.
    """

    server: ServerProcess
    proxy: Proxy
    policy: PersistentPolicy

    def make_adapter(self) -> StorageAdapter:
        return adapter_of(self.policy)


class Backend(NamedTuple):
    """One kind of server.

    Attributes
    ----------
    name : for the name of a test.
    adapter_type : as policies spell it.
    start : starts a server.
    port : of the traffic that can be led through a proxy.
    options : for a server reached by a port, and a name that is the test's own.
    speaks_http : its requests can be refused by a status of HTTP.
    """

    name: str
    adapter_type: str
    start: Callable[[], Any]
    port: Callable[[Any], int]
    options: Callable[[int, str], dict[str, Any]]
    speaks_http: bool

    def policy(self, port: int) -> PersistentPolicy:
        """Make the policy of a tier of the test's own."""
        options = self.options(port, f"test-{uuid4().hex}")
        return PersistentPolicy(adapter_type=self.adapter_type, adapter_config=options)


def _redis() -> ServerProcess:
    return redis_server.started(redis_server.RedisServer(redis_server.plain_binary(), "--appendonly", "yes"))


BACKENDS = (
    Backend(
        "redis-plain",
        "redis",
        _redis,
        lambda server: server.port,
        lambda port, name: {
            "url": f"redis://127.0.0.1:{port}",
            "namespace": name,
            "socket_timeout": TIMEOUT,
            "socket_connect_timeout": TIMEOUT,
        },
        False,
    ),
    Backend(
        "chroma-server",
        "chroma",
        chroma_server.new_server,
        lambda server: server.port,
        lambda port, name: {
            "host": "127.0.0.1",
            "port": port,
            "collection_name": name,
            "timeout": TIMEOUT,
        },
        True,
    ),
    Backend(
        "qdrant-rest",
        "qdrant",
        qdrant_server.new_server,
        lambda server: server.port,
        lambda port, name: {
            "url": f"http://127.0.0.1:{port}",
            "collection_name": name,
            "timeout": TIMEOUT,
        },
        True,
    ),
    Backend(
        "qdrant-grpc",
        "qdrant",
        qdrant_server.new_server,
        lambda server: server.grpc_port,
        lambda port, name: {
            "url": "http://127.0.0.1:1",
            "prefer_grpc": True,
            "grpc_port": port,
            "collection_name": name,
            "timeout": TIMEOUT,
        },
        False,
    ),
    Backend(
        "pinecone-contract",
        "pinecone",
        lambda: pinecone_server.new_server(dims=384),
        lambda server: server.port,
        lambda port, name: {
            "host": f"http://127.0.0.1:{port}",
            "api_key": pinecone_server.KEY,
            "namespace": name,
            "timeout": TIMEOUT,
            "settle_seconds": TIMEOUT,
            "max_unseen": 0,
            "fetch_lag": 0,
        },
        True,
    ),
)


class Fault(NamedTuple):
    """One way to fail.

    Attributes
    ----------
    name : for the name of a test.
    begin, end : of the fault.
    errors : what calls may fail with.
    by_proxy : it happens on the way to the server.
    """

    name: str
    begin: Callable[[Place], None]
    end: Callable[[Place], None]
    errors: tuple[type[AdapterError], ...]
    by_proxy: bool = False


SERVER_FAULTS = (
    Fault(
        "killed",
        lambda place: place.server.kill(),
        lambda place: place.server.start_again(),
        (AdapterUnavailable,),
    ),
    Fault(
        "paused",
        lambda place: place.server.pause(),
        lambda place: place.server.resume(),
        (AdapterTimeout, AdapterUnavailable),
    ),
)

WIRE_FAULTS = (
    Fault(
        "answers-cut",
        lambda place: place.proxy.cut_next_answers(ALL),
        lambda place: place.proxy.cut_next_answers(0),
        (AdapterUnavailable,),
        by_proxy=True,
    ),
    Fault(
        "requests-cut",
        lambda place: place.proxy.cut_next_requests(ALL),
        lambda place: place.proxy.cut_next_requests(0),
        (AdapterUnavailable,),
        by_proxy=True,
    ),
)

HTTP_FAULTS = (
    Fault(
        "rate-limited",
        lambda place: place.proxy.refuse(429, {"Retry-After": "1"}),
        lambda place: place.proxy.stop_refusing(),
        (RateLimited,),
        by_proxy=True,
    ),
    Fault(
        "not-ready",
        lambda place: place.proxy.refuse(503),
        lambda place: place.proxy.stop_refusing(),
        (AdapterUnavailable,),
        by_proxy=True,
    ),
)


def cases(*names: str) -> Any:
    """Give a test every backend with every fault it can meet, or with those named, as ``backend`` and ``fault``."""
    found = [
        pytest.param(backend, fault, id=f"{backend.name}-{fault.name}")
        for backend in BACKENDS
        for fault in (*SERVER_FAULTS, *WIRE_FAULTS, *(HTTP_FAULTS if backend.speaks_http else ()))
        if not names or fault.name in names
    ]
    return pytest.mark.parametrize(("backend", "fault"), found)
