"""Backends under test: what each is called, and how a test gets a place of its own in a real one.

Whatever spans backends is parametrised by these. A new backend is one function and one line in ``BACKENDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from axon.core.clock import Clock, SystemClock
from axon.core.config import MemoryConfig
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.core.ports import StorageAdapter
from axon.core.registry import build_adapter
from tests.servers import chroma_server, pinecone_server, qdrant_server, redis_server

Place = Callable[[Path], AbstractContextManager[dict[str, Any]]]
"""Starts the server if there is one, and gives an ``adapter_config`` whose data no other test sees."""

TIMEOUT = 60
"""Seconds, for servers that share a busy machine with the tests."""


class Backend(NamedTuple):
    """One way to keep entries.

    Attributes
    ----------
    name : as ``AXON_REQUIRE_BACKENDS`` spells it.
    adapter_type : as policies spell it.
    place : gives the options.
    """

    name: str
    adapter_type: str
    place: Place

    @contextmanager
    def config(self, folder: Path) -> Iterator[MemoryConfig]:
        """Configure a memory whose only tier lies in this backend."""
        with self.place(folder) as options:
            yield MemoryConfig(
                persistent=PersistentPolicy(adapter_type=self.adapter_type, adapter_config=options)
            )

    @contextmanager
    def adapter(self, folder: Path, clock: Clock | None = None) -> Iterator[StorageAdapter]:
        """Make an adapter, not yet opened."""
        with self.place(folder) as options:
            policy = PersistentPolicy(adapter_type=self.adapter_type, adapter_config=options)
            yield build_adapter(policy, clock or SystemClock())

    def __str__(self) -> str:
        return self.name


def _redis(url: Callable[[], str], search_module: str) -> Place:
    @contextmanager
    def place(folder: Path) -> Iterator[dict[str, Any]]:
        yield {"url": url(), "namespace": f"test {uuid4().hex}", "search_module": search_module}

    return place


@contextmanager
def _sqlite(folder: Path) -> Iterator[dict[str, Any]]:
    yield {"path": str(folder / "memory.db")}


@contextmanager
def _chroma_folder(folder: Path) -> Iterator[dict[str, Any]]:
    yield {"path": str(folder / "chroma")}


@contextmanager
def _chroma_server(folder: Path) -> Iterator[dict[str, Any]]:
    server, name = chroma_server.shared_server(), f"test-{uuid4().hex}"
    yield {"host": "127.0.0.1", "port": server.port, "collection_name": name, "timeout": TIMEOUT}
    server.drop(name)


@contextmanager
def _qdrant_memory(folder: Path) -> Iterator[dict[str, Any]]:
    yield {"location": ":memory:"}


@contextmanager
def _qdrant_folder(folder: Path) -> Iterator[dict[str, Any]]:
    yield {"path": str(folder / "qdrant")}


@contextmanager
def _qdrant_edge(folder: Path) -> Iterator[dict[str, Any]]:
    yield {"path": str(folder / "qdrant-edge"), "engine": "edge"}


def _qdrant_server(prefer_grpc: bool) -> Place:
    @contextmanager
    def place(folder: Path) -> Iterator[dict[str, Any]]:
        server, name = qdrant_server.shared_server(), f"test-{uuid4().hex}"
        wire = {"url": server.url, "prefer_grpc": prefer_grpc, "grpc_port": server.grpc_port}
        yield {**wire, "collection_name": name, "timeout": TIMEOUT}
        server.drop(name)

    return place


def _pinecone(server: Callable[[], pinecone_server.PineconeServer], **options: Any) -> Place:
    @contextmanager
    def place(folder: Path) -> Iterator[dict[str, Any]]:
        yield {
            "host": server().host,
            "api_key": pinecone_server.KEY,
            "namespace": uuid4().hex,
            "timeout": TIMEOUT,
            **options,
        }

    return place


@contextmanager
def _in_process(folder: Path) -> Iterator[dict[str, Any]]:
    yield {}


EMBEDDED = (
    Backend("memory", "memory", _in_process),
    Backend("sqlite", "sqlite", _sqlite),
)
"""What needs no client package; their own tests run in ``make test``."""

NETWORK = (
    Backend("redis-plain", "redis", _redis(lambda: redis_server.plain().url, "off")),
    Backend("redis-search", "redis", _redis(lambda: redis_server.with_search().url, "require")),
    Backend("redis-cluster", "redis", _redis(lambda: redis_server.cluster()[0].url, "auto")),
    Backend("chroma-memory", "chroma", _in_process),
    Backend("chroma-embedded", "chroma", _chroma_folder),
    Backend("chroma-server", "chroma", _chroma_server),
    Backend("qdrant-memory", "qdrant", _qdrant_memory),
    Backend("qdrant-local", "qdrant", _qdrant_folder),
    Backend("qdrant-edge", "qdrant", _qdrant_edge),
    Backend("qdrant-rest", "qdrant", _qdrant_server(prefer_grpc=False)),
    Backend("qdrant-grpc", "qdrant", _qdrant_server(prefer_grpc=True)),
    Backend(
        "pinecone-contract", "pinecone", _pinecone(pinecone_server.wide_server, max_unseen=0, fetch_lag=0)
    ),
)
"""What needs a client package, and mostly a server."""

BACKENDS = {backend.name: backend for backend in (*EMBEDDED, *NETWORK)}


@contextmanager
def three_backends(folder: Path) -> Iterator[MemoryConfig]:
    """Configure a memory whose three tiers lie in three different real backends."""
    named = {"ephemeral": "redis-plain", "session": "qdrant-rest", "persistent": "chroma-embedded"}
    kinds = {"ephemeral": EphemeralPolicy, "session": SessionPolicy, "persistent": PersistentPolicy}
    with ExitStack() as stack:
        tiers = {}
        for tier, name in named.items():
            backend = BACKENDS[name]
            options = stack.enter_context(backend.place(folder))
            tiers[tier] = kinds[tier](adapter_type=backend.adapter_type, adapter_config=options)
        yield MemoryConfig(**tiers)


CONFIGURATIONS: dict[str, Callable[[Path], AbstractContextManager[MemoryConfig]]] = {
    **{backend.name: backend.config for backend in NETWORK},
    "three-backends": three_backends,
}
"""What a suite about whole memories runs on: one tier in each networked backend, and three tiers in three."""
