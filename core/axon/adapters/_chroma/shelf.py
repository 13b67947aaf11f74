"""One collection of Chroma: found when it is needed, made when it is first written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from axon.adapters._chroma.connection import Connection
from axon.adapters._chroma.errors import quietly
from axon.adapters._chroma.no_embedding import NoEmbedding
from axon.adapters._filters.chroma import Where
from axon.adapters._shared.translation import NoCollectionError
from axon.core.adapter_options import ChromaOptions
from axon.core.errors import CorruptStoreError

if TYPE_CHECKING:
    from chromadb import Collection

T = TypeVar("T")

Kind = Literal["vectors", "texts"]


class Row(NamedTuple):
    """One record of Chroma.

    Attributes
    ----------
    id : of the entry.
    metadata : everything else of the entry; see ``records``.
    vector : float32, shape (dims,), or None where it was not read.
    """

    id: str
    metadata: dict[str, Any]
    vector: NDArray[np.float32] | None


_IDS_PER_CALL = 5000
"""SQLite takes 32,766 variables per statement."""

FORMAT = 1


class Shelf:
    """One collection, whoever makes or deletes it.

    Parameters
    ----------
    connection : to Chroma.
    options : of the adapter.
    namespace : whose entries it holds.
    kind : entries with vectors, or those without, which Chroma would refuse beside the others.

    Attributes
    ----------
    name : of the collection.
    known : what was found or made last; another process may have deleted it since.
    """

    def __init__(self, connection: Connection, options: ChromaOptions, namespace: str, kind: Kind) -> None:
        self.name = collection_name(connection.prefix, namespace, kind)
        self._connection = connection
        self._options = options
        self._metadata = {
            "axon_format": FORMAT,
            "axon_collection": connection.prefix,
            "axon_namespace": namespace,
            "axon_kind": kind,
        }
        self.known: Collection | None = None

    def find(self) -> Collection | None:
        """Ask Chroma for the collection; None where there is none."""
        found = quietly(self._get_collection)
        if found is not None and (found.metadata or {}).get("axon_format") != FORMAT:
            raise CorruptStoreError(
                f"the collection {self.name!r} was not made by this version of Axon; choose another collection_name"
            )
        self.known = found
        return found

    def make(self) -> Collection:
        """Return the collection, made where it is missing."""
        options = self._options
        configuration: Any = {
            "hnsw": {
                # On directions this is the cosine, and unlike "cosine" it gives back what it was given, to the bit.
                "space": "ip",
                "ef_search": options.ef_search,
                "ef_construction": options.ef_construction,
                "max_neighbors": options.max_neighbors,
            }
        }
        self._connection.call(
            lambda: self._connection.client.get_or_create_collection(
                self.name, metadata=self._metadata, configuration=configuration, embedding_function=None
            )
        )
        made = self._get_collection()
        # Where the first read comes after up to a thousand writes, the next write puts all of them into the index
        # again, at a millisecond each. Read while it is empty, there is nothing to repeat.
        self._connection.call(lambda: made.get(limit=1, include=[]))
        self.known = made
        return made

    def _get_collection(self) -> Collection:
        # Not named when it is made, because Chroma would write the name down for its other clients.
        refusal: Any = NoEmbedding()
        client = self._connection.client
        return self._connection.call(lambda: client.get_collection(self.name, embedding_function=refusal))

    def drop(self) -> None:
        """Delete the collection."""
        self.known = None
        quietly(lambda: self._connection.call(lambda: self._connection.client.delete_collection(self.name)))

    def read(self, use: Callable[[Collection], T]) -> T | None:
        """Use the collection; None where there is none, also when another process deleted it meanwhile."""
        known = self.known
        if known is not None:
            try:
                return self._connection.call(lambda: use(known))
            except NoCollectionError:
                self.known = None
        found = self.find()
        return None if found is None else quietly(lambda: self._connection.call(lambda: use(found)))

    def write(self, use: Callable[[Collection], T]) -> T:
        """Use the collection, making it where it is missing, once more if it goes away meanwhile."""
        try:
            known = self.known or self.make()
            return self._connection.call(lambda: use(known))
        except NoCollectionError:
            made = self.make()
            return self._connection.call(lambda: use(made))

    def upsert(self, ids: list[str], vectors: NDArray[np.float32], metadatas: list[dict[str, Any]]) -> None:
        """Write records whole; metadata that is None is removed."""
        # The annotations of Chroma leave out None, which its own check lets through and its engine removes.
        sent: Any = metadatas
        self.write(lambda collection: collection.upsert(ids=ids, embeddings=vectors, metadatas=sent))

    def update(self, ids: list[str], metadatas: list[dict[str, Any]]) -> None:
        """Merge metadata into records that are there."""
        sent: Any = metadatas
        self.read(lambda collection: collection.update(ids=ids, metadatas=sent))

    def count(self) -> int:
        """Count all records."""
        return self.read(lambda collection: collection.count()) or 0

    def ids(self, where: Where | None, limit: int | None = None) -> list[str]:
        """Ids of the records that satisfy a clause."""
        return self._get(where=where, limit=limit, include=[]).ids

    def present(self, ids: Sequence[str]) -> set[str]:
        """Tell which of these ids are there."""
        return {id for some in _portions(ids) for id in self._get(ids=some, include=[]).ids}

    def delete(self, ids: Sequence[str]) -> None:
        """Delete records; those that are gone are passed over."""
        for some in _portions(ids):
            self.read(partial(_delete, some))

    def rows(self, where: Where | None, limit: int | None = None) -> list[Row]:
        """Read records that satisfy a clause, in no promised order."""
        return self._get(where=where, limit=limit, include=["metadatas", "embeddings"]).rows()

    def rows_of(self, ids: Sequence[str]) -> list[Row]:
        """Read records by id, in no promised order."""
        include = ["metadatas", "embeddings"]
        return [row for some in _portions(ids) for row in self._get(ids=some, include=include).rows()]

    def metadatas(self, where: Where | None) -> list[Row]:
        """Read records that satisfy a clause, without their vectors."""
        return self._get(where=where, include=["metadatas"]).rows()

    def metadatas_of(self, ids: Sequence[str]) -> list[Row]:
        """Read records by id, without their vectors."""
        return [row for some in _portions(ids) for row in self._get(ids=some, include=["metadatas"]).rows()]

    def vectors(self, where: Where | None) -> tuple[list[str], NDArray[np.float32]]:
        """Ids and vectors, shape (n, dims), of the records that satisfy a clause."""
        found = self._get(where=where, include=["embeddings"])
        if not found.ids:
            return [], np.empty((0, 0), np.float32)
        return found.ids, np.asarray(found.matrix, np.float32)

    def nearest(
        self, queries: list[NDArray[np.float32]], k: int, where: Where | None
    ) -> list[list[tuple[Row, float]]]:
        """Find the ``k`` nearest records of each query with 1 minus their cosines, as the index finds them."""
        query: Any = {"query_embeddings": queries, "n_results": k, "where": where}
        include: Any = ["metadatas", "embeddings", "distances"]
        found: Any = self.read(lambda collection: collection.query(**query, include=include))
        if found is None:
            return [[] for _ in queries]
        answers = []
        columns = zip(found["ids"], found["metadatas"], found["embeddings"], found["distances"], strict=True)
        for ids, metadatas, matrix, distances in columns:
            rows = _Found(ids, metadatas, matrix).rows()
            answers.append(list(zip(rows, map(float, distances), strict=True)))
        return answers

    def _get(self, **query: Any) -> _Found:
        found: Any = self.read(lambda collection: collection.get(**query))
        if found is None:
            return _Found([], [], [])
        return _Found(list(found["ids"]), found.get("metadatas"), found.get("embeddings"))


class _Found(NamedTuple):
    """What Chroma answered, by column; a column that was not asked for is None."""

    ids: list[str]
    metadatas: Any
    matrix: Any

    def rows(self) -> list[Row]:
        """Give the same by record."""
        count = len(self.ids)
        metadatas = [None] * count if self.metadatas is None else self.metadatas
        vectors = [None] * count if self.matrix is None else np.asarray(self.matrix, np.float32)
        return [
            Row(id, dict(metadata or {}), vector)
            for id, metadata, vector in zip(self.ids, metadatas, vectors, strict=True)
        ]


def _delete(ids: list[str], collection: Collection) -> None:
    collection.delete(ids=ids)


def collection_name(prefix: str, namespace: str, kind: Kind) -> str:
    """Name the collection of a namespace by a digest, since Chroma allows few letters; the metadata has the name."""
    return f"{prefix}-{blake2b(namespace.encode(), digest_size=16).hexdigest()}-{kind}"


def _portions(ids: Sequence[str]) -> Iterator[list[str]]:
    # Chroma refuses repeated ids, and reads an empty list as everything.
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _IDS_PER_CALL):
        yield unique[start : start + _IDS_PER_CALL]
