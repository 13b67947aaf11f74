"""Qdrant's embedded engine in a folder, with those methods of Qdrant's client that shelves call.

The engine keeps Python's lock while it works, so nothing here takes long: it is never told to optimise, which takes
minutes, and to flush only once in many entries. Without an index every search is exact.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import qdrant_edge as edge
from qdrant_client import models

from axon.adapters._qdrant.edge_forms import config_of, fields_of, filter_of, query_of, schema_of, vectors_of
from axon.adapters._shared.folder_lock import lock_folder, unlock_folder
from axon.adapters._shared.translation import NoCollectionError
from axon.core.errors import ConfigError

FOLDER = "edge"
"""Below the folder of the options; the client's own engine has files of other names there."""

_ONE_PROCESS = "Qdrant's embedded engine serves one; run a Qdrant server and name its url"
FLUSH_AFTER = 20_000
"""Points written before a flush (125 ms at 30,000 points), which keeps the log and the next opening short."""


class Point(NamedTuple):
    """A point that was read or found, in the form of the client's."""

    id: str
    payload: dict[str, Any] | None
    vector: Any
    score: float = 0.0


class EdgeStore:
    """The collections in a folder.

    Parameters
    ----------
    path : the folder, made where it is missing.

    Attributes
    ----------
    unflushed : points written that the next opening has to read from the log.

    Raises
    ------
    AdapterUnavailable
        If another process has it open.
    ConfigError
        If the client's own engine wrote to it.
    """

    def __init__(self, path: str) -> None:
        if (Path(path) / "meta.json").exists():
            raise ConfigError(
                f"{path!r} was written with engine='client'; name another path, or export there and import here"
            )
        self._locked = lock_folder(path, _ONE_PROCESS)
        self._folder = Path(path) / FOLDER
        self._guard = threading.Lock()
        self.unflushed = 0
        self._shards: dict[str, edge.EdgeShard] = {}
        try:
            self._folder.mkdir(exist_ok=True)
            for place in self._folder.iterdir():
                self._load(place)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Write what is only in the log to its place and let go of the folder."""
        for shard in self._shards.values():
            shard.close()
        self._shards.clear()
        unlock_folder(self._locked)

    def _load(self, place: Path) -> None:
        if _mark(place).exists():
            self._shards[place.name] = edge.EdgeShard.load(str(place / "shard"))
        else:
            # The process ended while the collection was made or deleted.
            shutil.rmtree(place)

    def _shard(self, name: str) -> edge.EdgeShard:
        try:
            return self._shards[name]
        except KeyError:
            raise NoCollectionError(name) from None

    def get_collections(self) -> models.CollectionsResponse:
        """List the collections."""
        found = [models.CollectionDescription(name=name) for name in sorted(self._shards)]
        return models.CollectionsResponse(collections=found)

    def create_collection(
        self,
        name: str,
        vectors_config: Mapping[str, models.VectorParams],
        sparse_vectors_config: Mapping[str, models.SparseVectorParams] | None = None,
        **indexes: object,
    ) -> None:
        """Make a collection; parameters of indexes are passed over, since none is built."""
        with self._guard:
            if name not in self._shards:
                place = self._folder / name
                place.mkdir()
                config = config_of(vectors_config, sparse_vectors_config or ())
                self._shards[name] = edge.EdgeShard.create(str(place / "shard"), config)
                _mark(place).touch()

    def delete_collection(self, name: str) -> None:
        """Delete a collection."""
        shard = self._shard(name)
        with self._guard:
            del self._shards[name]
            place = self._folder / name
            _mark(place).unlink()
            shard.close()
            shutil.rmtree(place)

    def create_payload_index(self, name: str, field: str, schema: Any, wait: bool) -> None:
        """Make an index of a payload field."""
        self._shard(name).update(edge.UpdateOperation.create_field_index(field, schema_of(schema)))

    def upsert(self, name: str, points: Sequence[models.PointStruct], wait: bool) -> None:
        """Write points whole."""
        shard = self._shard(name)
        written = [edge.Point(each.id, vectors_of(each.vector), each.payload) for each in points]
        shard.update(edge.UpdateOperation.upsert_points(written))
        self.unflushed += len(points)
        if self.unflushed >= FLUSH_AFTER:
            self.unflushed = 0
            for each in self._shards.values():
                each.flush()

    def batch_update_points(
        self, name: str, operations: Sequence[models.SetPayloadOperation], wait: bool
    ) -> None:
        """Merge fields into payloads."""
        shard = self._shard(name)
        for each in operations:
            asked = each.set_payload
            shard.update(edge.UpdateOperation.set_payload(asked.points, asked.payload))

    def delete(self, name: str, selector: models.PointIdsList | models.FilterSelector, wait: bool) -> None:
        """Delete points by id or filter."""
        shard = self._shard(name)
        if isinstance(selector, models.PointIdsList):
            shard.update(edge.UpdateOperation.delete_points(selector.points))
        else:
            shard.update(edge.UpdateOperation.delete_points_by_filter(filter_of(selector.filter)))

    def retrieve(
        self, name: str, ids: Sequence[str], with_payload: Sequence[str], with_vectors: bool | list[str]
    ) -> list[Point]:
        """Read points by id."""
        found = self._shard(name).retrieve(list(ids), fields_of(with_payload), with_vectors)
        return [Point(str(each.id), each.payload, each.vector) for each in found]

    def count(self, name: str, condition: models.Filter, exact: bool) -> models.CountResult:
        """Count points."""
        request = edge.CountRequest(exact=exact, filter=filter_of(condition))
        return models.CountResult(count=self._shard(name).count(request))

    def scroll(
        self,
        name: str,
        condition: models.Filter,
        limit: int,
        offset: str | None,
        with_payload: Sequence[str],
        with_vectors: bool | list[str],
    ) -> tuple[list[Point], str | None]:
        """Read one page of the points that satisfy a filter."""
        request = edge.ScrollRequest(
            offset=offset,
            limit=limit,
            filter=filter_of(condition),
            with_payload=fields_of(with_payload),
            with_vector=with_vectors,
        )
        found, following = self._shard(name).scroll(request)
        points = [Point(str(each.id), each.payload, each.vector) for each in found]
        return points, None if following is None else str(following)

    def query_batch_points(
        self, name: str, queries: Sequence[models.QueryRequest]
    ) -> list[models.QueryResponse]:
        """Find the nearest points of each query."""
        request = edge.QueryBatchRequest([query_of(each) for each in queries])
        return [Answer([_scored(each) for each in found]) for found in self._shard(name).query_batch(request)]

    def facet(self, name: str, key: str, limit: int, exact: bool) -> models.FacetResponse:
        """Count points by the values of a payload field."""
        hits = self._shard(name).facet(edge.FacetRequest(key, limit=limit, exact=exact)).hits
        return models.FacetResponse(
            hits=[models.FacetValueHit(value=each.value, count=each.count) for each in hits]
        )


class Answer(NamedTuple):
    """What was found for one query."""

    points: list[Point]


def _scored(found: edge.ScoredPoint) -> Point:
    return Point(str(found.id), found.payload, found.vector, found.score)


def _mark(place: Path) -> Path:
    """Name the file that says that a collection was made to the end."""
    return place / "made"
