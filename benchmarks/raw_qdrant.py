"""Qdrant without Axon: the client on its own engine or a server, and the embedded engine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from benchmarks.corpus import DIMS, K

DENSE = "dense"


class RawPoint(NamedTuple):
    """One point as an application has it: floats as an array, which no client takes as it is."""

    id: str
    vector: Any
    payload: dict[str, Any]


class RawQdrant(Protocol):
    """What the benchmarks do without Axon."""

    def make(self, name: str) -> None:
        """Make a collection."""

    def write(self, name: str, points: Sequence[RawPoint]) -> None:
        """Write points in one call."""

    def ask(self, name: str, query: Any) -> list[str]:
        """Find the nearest with payloads and vectors; returns their ids."""

    def read(self, name: str, id: str) -> None:
        """Read one point with its payload and vector."""

    def close(self) -> None:
        """Let go."""


class RawClient:
    """Qdrant's client.

    Parameters
    ----------
    options : of ``QdrantClient``.
    """

    def __init__(self, **options: Any) -> None:
        from qdrant_client import QdrantClient, models

        self._models = models
        self._client = QdrantClient(**options)
        self.close = self._client.close

    def make(self, name: str) -> None:
        """Make a collection."""
        vectors = self._models.VectorParams(size=DIMS, distance=self._models.Distance.DOT)
        self._client.create_collection(name, vectors_config={DENSE: vectors})

    def write(self, name: str, points: Sequence[RawPoint]) -> None:
        """Write points in one call."""
        make = self._models.PointStruct
        written = [make(id=id, vector={DENSE: row.tolist()}, payload=payload) for id, row, payload in points]
        self._client.upsert(name, written, wait=True)

    def ask(self, name: str, query: Any) -> list[str]:
        """Find the nearest with payloads and vectors."""
        found = self._client.query_points(
            name, query=query.tolist(), using=DENSE, limit=K, with_payload=True, with_vectors=True
        )
        return [str(point.id) for point in found.points]

    def read(self, name: str, id: str) -> None:
        """Read one point."""
        self._client.retrieve(name, [id], with_payload=True, with_vectors=True)


class RawEdge:
    """The embedded engine.

    Parameters
    ----------
    folder : that holds the collections.
    """

    def __init__(self, folder: Path) -> None:
        import qdrant_edge

        self._edge = qdrant_edge
        self._folder = folder
        self._shards: dict[str, Any] = {}

    def make(self, name: str) -> None:
        """Make a collection."""
        vectors = self._edge.EdgeVectorParams(size=DIMS, distance=self._edge.Distance.Dot)
        config = self._edge.EdgeConfig(vectors={DENSE: vectors}, wal_enabled=True)
        place = self._folder / name
        place.mkdir(parents=True)
        self._shards[name] = self._edge.EdgeShard.create(str(place), config)

    def write(self, name: str, points: Sequence[RawPoint]) -> None:
        """Write points in one call."""
        make = self._edge.Point
        written = [make(id, {DENSE: row.tolist()}, payload) for id, row, payload in points]
        self._shards[name].update(self._edge.UpdateOperation.upsert_points(written))

    def ask(self, name: str, query: Any) -> list[str]:
        """Find the nearest with payloads and vectors."""
        nearest = self._edge.Query.Nearest(query.tolist(), using=DENSE)
        request = self._edge.QueryRequest(limit=K, query=nearest, with_payload=True, with_vector=True)
        return [str(point.id) for point in self._shards[name].query(request)]

    def read(self, name: str, id: str) -> None:
        """Read one point."""
        self._shards[name].retrieve([id], True, True)

    def close(self) -> None:
        """Let go of the folder."""
        for shard in self._shards.values():
            shard.close()
