"""What the contract server of Qdrant keeps and answers, whichever wire it is asked over.

The work is done by Qdrant's embedded engine, one shard per collection in a folder, each with a write-ahead log: what
was acknowledged is there again after the process was killed. Requests and answers are the models of Qdrant's client.
Not covered are routing, sharding, consistency, and indexes of vectors, which the engine builds only when told to.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge
from qdrant_client.http import models as m

from tests.servers.qdrant_translation import (
    NotExpressible,
    config_of,
    filter_of,
    payload_of,
    point_of,
    query_of,
    record_from,
    schema_of,
    scored_from,
)

T = TypeVar("T")


class Refused(Exception):
    """A request that is not carried out.

    Attributes
    ----------
    status : as HTTP has it.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Engine:
    """The collections in a folder.

    Parameters
    ----------
    folder : exists; no other process uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._shards: dict[str, edge.EdgeShard] = {}
        for each in folder.iterdir():
            if _mark(each).exists():
                self._shards[each.name] = edge.EdgeShard.load(str(each / "shard"))
            else:
                # Killed while it was being made or deleted.
                shutil.rmtree(each)

    def names(self) -> list[str]:
        return sorted(self._shards)

    def create(self, name: str, asked: m.CreateCollection) -> bool:
        with self._carried_out():
            if name in self._shards:
                raise Refused(409, f"Wrong input: Collection `{name}` already exists!")
            place = self._folder / name
            place.mkdir()
            self._shards[name] = edge.EdgeShard.create(str(place / "shard"), config_of(asked))
            _mark(place).touch()
        return True

    def drop(self, name: str) -> bool:
        with self._carried_out():
            shard = self._shards.pop(name, None)
            if shard is not None:
                shard.close()
                _mark(self._folder / name).unlink()
                shutil.rmtree(self._folder / name)
        return shard is not None

    def index(self, name: str, field: str, schema: Any) -> None:
        self._update(name, lambda: edge.UpdateOperation.create_field_index(field, schema_of(schema)))

    def upsert(self, name: str, points: Sequence[m.PointStruct]) -> None:
        self._update(name, lambda: edge.UpdateOperation.upsert_points([point_of(each) for each in points]))

    def set_payload(self, name: str, asked: m.SetPayload) -> None:
        points, payload = list(asked.points or []), asked.payload
        self._update(name, lambda: edge.UpdateOperation.set_payload(points, payload))

    def delete(self, name: str, asked: m.PointsSelector) -> None:
        if isinstance(asked, m.PointIdsList):
            points = list(asked.points)
            self._update(name, lambda: edge.UpdateOperation.delete_points(points))
        else:
            assert isinstance(asked, m.FilterSelector)
            condition = asked.filter
            self._update(name, lambda: edge.UpdateOperation.delete_points_by_filter(filter_of(condition)))

    def update(self, name: str, operations: Sequence[Any]) -> None:
        for each in operations:
            if isinstance(each, m.SetPayloadOperation):
                self.set_payload(name, each.set_payload)
            elif isinstance(each, m.UpsertOperation) and isinstance(each.upsert, m.PointsList):
                self.upsert(name, each.upsert.points)
            elif isinstance(each, m.DeleteOperation):
                self.delete(name, each.delete)
            else:
                raise Refused(501, f"{type(each).__name__} is not offered here")

    def retrieve(self, name: str, asked: m.PointRequest) -> list[m.Record]:
        fields, vectors = payload_of(asked.with_payload), asked.with_vector or False
        found = self._read(name, lambda shard: shard.retrieve(list(asked.ids), fields, vectors))
        return [record_from(each) for each in found]

    def count(self, name: str, asked: m.CountRequest) -> int:
        request = self._translated(
            lambda: edge.CountRequest(exact=asked.exact is not False, filter=filter_of(asked.filter))
        )
        return self._read(name, lambda shard: shard.count(request))

    def scroll(self, name: str, asked: m.ScrollRequest) -> tuple[list[m.Record], str | None]:
        request = self._translated(
            lambda: edge.ScrollRequest(
                offset=asked.offset,
                limit=asked.limit,
                filter=filter_of(asked.filter),
                with_payload=payload_of(asked.with_payload),
                with_vector=asked.with_vector or False,
            )
        )
        found, offset = self._read(name, lambda shard: shard.scroll(request))
        return [record_from(each) for each in found], None if offset is None else str(offset)

    def query(self, name: str, asked: Sequence[m.QueryRequest]) -> list[list[m.ScoredPoint]]:
        request = self._translated(lambda: edge.QueryBatchRequest([query_of(each) for each in asked]))
        answers = self._read(name, lambda shard: shard.query_batch(request))
        return [[scored_from(each) for each in answer] for answer in answers]

    def facet(self, name: str, asked: m.FacetRequest) -> list[m.FacetValueHit]:
        request = self._translated(
            lambda: edge.FacetRequest(
                asked.key, limit=asked.limit or 10, exact=bool(asked.exact), filter=filter_of(asked.filter)
            )
        )
        found = self._read(name, lambda shard: shard.facet(request).hits)
        return [m.FacetValueHit(value=each.value, count=each.count) for each in found]

    def _update(self, name: str, operation: Callable[[], edge.UpdateOperation]) -> None:
        made = self._translated(operation)
        with self._carried_out():
            self._shard(name).update(made)

    def _read(self, name: str, work: Callable[[edge.EdgeShard], T]) -> T:
        with self._carried_out():
            return work(self._shard(name))

    def _shard(self, name: str) -> edge.EdgeShard:
        if name not in self._shards:
            raise Refused(404, f"Not found: Collection `{name}` doesn't exist!")
        return self._shards[name]

    def _translated(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except NotExpressible as error:
            raise Refused(501, f"the engine's binding cannot express {error}") from error
        except (TypeError, ValueError) as error:
            raise Refused(400, f"Wrong input: {error}") from error

    @contextmanager
    def _carried_out(self) -> Iterator[None]:
        """Let one request at a time reach the engine, and name its errors as a server does."""
        with self._lock:
            try:
                yield
            except Refused:
                raise
            except Exception as error:
                missing = str(error).startswith("No point with id")
                raise Refused(404 if missing else 400, f"Wrong input: {error}") from error


def _mark(place: Path) -> Path:
    """Name the file that says that a collection was made to the end."""
    return place / "made"
