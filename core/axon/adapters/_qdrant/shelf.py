"""One collection of Qdrant, made when it is first written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from qdrant_client import models

from axon.adapters._filters.qdrant import NAMESPACE, TOKENS
from axon.adapters._qdrant import words
from axon.adapters._qdrant.connection import Connection
from axon.adapters._qdrant.records import DENSE, RECORD_FIELDS
from axon.adapters._shared.translation import NoCollectionError
from axon.core.adapter_options import QdrantOptions
from axon.core.errors import AdapterError, ConfigError

T = TypeVar("T")

_PER_CALL = 1000
_QUANTIZATION: TypeAdapter[Any] = TypeAdapter(models.QuantizationConfig)

_INDEXES: dict[str, Any] = {
    NAMESPACE: models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True),
    TOKENS: models.PayloadSchemaType.KEYWORD,
    "importance": models.PayloadSchemaType.FLOAT,
    "created_at": models.PayloadSchemaType.INTEGER,
    "updated_at": models.PayloadSchemaType.INTEGER,
    "expires_at": models.PayloadSchemaType.INTEGER,
}
"""Payload indexes. The session is one of the tokens; the user's numbers are compared without an index."""


class Shelf:
    """One collection.

    Parameters
    ----------
    connection : to Qdrant.
    options : of the adapter.
    dims : numbers per vector; None for the collection of entries without one.
    owner : the namespace that has it to itself, or None where it is shared.

    Attributes
    ----------
    name : of the collection.
    is_exact : a search always looks at every point.
    is_shared : other namespaces may lie in it too.
    dense : what to ask for to get vectors, but not those of words; False where there are none.
    """

    def __init__(
        self, connection: Connection, options: QdrantOptions, dims: int | None, owner: str | None
    ) -> None:
        self.name = collection_name(options.collection_prefix, dims, owner)
        self._owner = owner
        self._connection = connection
        self._client = connection.client
        self._options = options
        self._dims = dims
        self._half_made = False
        self.is_exact = connection.is_exact
        self.is_shared = owner is None
        self.dense: list[str] | bool = dims is not None and [DENSE]

    def read(self, use: Callable[[], T]) -> T | None:
        """Call Qdrant; None where the collection is not there."""
        try:
            return self._connection.call(use)
        except NoCollectionError:
            return None

    def write(self, use: Callable[[], T]) -> T:
        """Call Qdrant, after making the collection where it is not there."""
        if self._half_made:
            self._make()
        try:
            return self._connection.call(use)
        except NoCollectionError:
            self._make()
            return self._connection.call(use)

    def _make(self) -> None:
        options = self._options
        try:
            hnsw = None if options.hnsw is None else models.HnswConfigDiff(**options.hnsw)
            quantization = (
                None if options.quantization is None else _QUANTIZATION.validate_python(options.quantization)
            )
        except ValidationError as error:
            raise ConfigError(f"Qdrant takes no such hnsw or quantization option: {error}") from error
        vectors = {}
        if self._dims is not None:
            # The dot product of directions is their cosine, and unlike "Cosine" it gives back what it was given.
            vectors[DENSE] = models.VectorParams(
                size=self._dims, distance=models.Distance.DOT, on_disk=options.on_disk
            )
        # Without its indexes a collection works, only slowly, so a fault before the last of them would go unseen.
        self._half_made = True
        try:
            self._connection.call(
                lambda: self._client.create_collection(
                    self.name,
                    vectors_config=vectors,
                    sparse_vectors_config=words.VECTORS if options.text_index else None,
                    hnsw_config=hnsw,
                    quantization_config=quantization,
                )
            )
        except AdapterError as error:
            if "already exists" not in str(error):
                raise
        if not self._connection.is_local:
            for field, schema in _INDEXES.items():
                self._connection.call(
                    partial(self._client.create_payload_index, self.name, field, schema, wait=True)
                )
        self._half_made = False

    def upsert(self, points: Sequence[models.PointStruct]) -> None:
        """Write points whole."""
        for start in range(0, len(points), _PER_CALL):
            some = list(points[start : start + _PER_CALL])
            self.write(partial(self._client.upsert, self.name, some, wait=True))

    def set_payload(self, changes: dict[str, dict[str, Any]]) -> None:
        """Merge fields into the payload of points, by point id."""
        operations: list[Any] = [
            models.SetPayloadOperation(set_payload=models.SetPayload(payload=fields, points=[id]))
            for id, fields in changes.items()
        ]
        for start in range(0, len(operations), _PER_CALL):
            some = operations[start : start + _PER_CALL]
            self.read(partial(self._client.batch_update_points, self.name, some, wait=True))

    def retrieve(
        self, ids: Sequence[str], fields: Sequence[str] = RECORD_FIELDS, vectors: bool = False
    ) -> list[models.Record]:
        """Read points by point id, in no promised order."""
        found: list[models.Record] = []
        for some in _portions(ids):
            call = partial(
                self._client.retrieve,
                self.name,
                some,
                with_payload=list(fields),
                with_vectors=vectors and self.dense,
            )
            found += self.read(call) or []
        return found

    def delete(self, ids: Sequence[str]) -> None:
        """Delete points by point id; no id deletes nothing."""
        for some in _portions(ids):
            selector = models.PointIdsList(points=list(some))
            self.read(partial(self._client.delete, self.name, selector, wait=True))

    def clear(self, condition: models.Filter) -> None:
        """Delete the points of a namespace; the whole collection where it has no other."""
        if self._owner is None:
            self.delete_where(condition)
        else:
            self.read(lambda: self._client.delete_collection(self.name))

    def delete_where(self, condition: models.Filter) -> None:
        """Delete the points that satisfy a filter, which is never empty."""
        selector = models.FilterSelector(filter=condition)
        self.read(lambda: self._client.delete(self.name, selector, wait=True))

    def count(self, condition: models.Filter) -> int:
        """Count exactly."""
        found = self.read(lambda: self._client.count(self.name, condition, exact=True))
        return 0 if found is None else found.count

    def scroll(
        self,
        condition: models.Filter,
        fields: Sequence[str] = RECORD_FIELDS,
        vectors: bool = False,
        limit: int | None = None,
    ) -> Iterator[models.Record]:
        """Walk the points that satisfy a filter, in no promised order."""
        offset: Any = None
        left = limit
        while left is None or left > 0:
            size = _PER_CALL if left is None else min(left, _PER_CALL)
            answer = self.read(
                partial(
                    self._client.scroll,
                    self.name,
                    condition,
                    limit=size,
                    offset=offset,
                    with_payload=list(fields),
                    with_vectors=vectors and self.dense,
                )
            )
            if answer is None:
                return
            records, offset = answer
            yield from records
            left = None if left is None else left - len(records)
            if offset is None:
                return

    def nearest(self, queries: Sequence[models.QueryRequest]) -> list[list[models.ScoredPoint]]:
        """Find the nearest points of each query."""
        found = self.read(lambda: self._client.query_batch_points(self.name, list(queries)))
        return [[] for _ in queries] if found is None else [answer.points for answer in found]


def collection_name(prefix: str, dims: int | None, owner: str | None) -> str:
    """Name a collection; an owner is named by a digest, since not every letter is allowed."""
    own = "" if owner is None else f"-{blake2b(owner.encode(), digest_size=16).hexdigest()}"
    return prefix + own + ("" if dims is None else f"_{dims}")


def name_pattern(prefix: str) -> re.Pattern[str]:
    """Match the names of all collections with this prefix; the owner's digest and the dimensions are its groups."""
    return re.compile(re.escape(prefix) + r"(-[0-9a-f]{32})?(?:_(\d+))?")


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _PER_CALL):
        yield unique[start : start + _PER_CALL]
