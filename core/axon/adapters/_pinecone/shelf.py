"""The records of one Pinecone namespace. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from axon.adapters._filters.pinecone import Where
from axon.adapters._pinecone.connection import Connection
from axon.adapters._pinecone.errors import OlderStateError
from axon.adapters._pinecone.names import ABOUT
from axon.adapters._pinecone.recent import Recent
from axon.adapters._pinecone.records import MOST_BYTES, Record
from axon.adapters._shared.translation import NoCollectionError
from axon.core.errors import AdapterError

MOST_RESULTS = 10_000
"""Pinecone's largest ``top_k``."""

_UPSERT_BYTES, _UPSERT_COUNT = 1_900_000, 1000
_DELETE_COUNT = 1000
_FETCH_COUNT, _FETCH_LETTERS = 100, 4000
"""Fetched ids stand in the address of the request, whose length proxies bound."""

_ANSWER_BYTES = 3_500_000
"""Below the 4 MB that Pinecone allows for one answer."""

_BYTES_PER_NUMBER = 20


class Shelf:
    """One namespace.

    Parameters
    ----------
    connection : to the index.
    name : of the namespace in Pinecone.
    recent : the latest writes to it.
    """

    def __init__(self, connection: Connection, name: str, recent: Recent) -> None:
        self._connection = connection
        self._name = name
        self._recent = recent
        whole = _BYTES_PER_NUMBER * connection.dims + MOST_BYTES
        self.whole_results = max(1, _ANSWER_BYTES // whole)
        self._page_size = max(10, min(1000, _ANSWER_BYTES // (_BYTES_PER_NUMBER * connection.dims + 4000)))

    def upsert(self, records: Sequence[Record]) -> int | None:
        """Write records whole; returns the highest position in the log."""
        calls = [partial(_upsert, namespace=self._name, records=some) for some in _portions(records)]
        positions = self._connection.call_all(calls)
        known = [position for position in positions if position is not None]
        return max(known) if len(known) == len(positions) and known else None

    def update(self, changes: Mapping[str, Mapping[str, Any]]) -> dict[str, int | None] | None:
        """Merge fields into the metadata of records that are there; returns the positions, None without a namespace."""
        calls = [
            partial(_update, namespace=self._name, id=id, fields=dict(fields))
            for id, fields in changes.items()
        ]
        positions = self._read(lambda: self._connection.call_all(calls), None)
        return None if positions is None else dict(zip(changes, positions, strict=True))

    def delete(self, ids: Sequence[str]) -> bool:
        """Delete records; no id deletes nothing. False where the namespace is not there."""
        calls = [
            partial(_delete, namespace=self._name, ids=list(ids[start : start + _DELETE_COUNT]))
            for start in range(0, len(ids), _DELETE_COUNT)
        ]
        try:
            self._connection.call_all(calls)
        except NoCollectionError:
            return False
        return True

    def delete_all(self) -> bool:
        """Delete every record. False where the namespace is not there."""
        try:
            self._connection.call(lambda index: index.delete(delete_all=True, namespace=self._name))
        except NoCollectionError:
            return False
        return True

    def fetch(self, ids: Sequence[str]) -> dict[str, Any]:
        """Read records by id."""
        calls = [partial(_fetch, namespace=self._name, ids=some) for some in _short_addresses(ids)]
        found: dict[str, Any] = {}
        for some in self._read(lambda: self._connection.call_all(calls), []):
            found.update(some)
        return found

    def walk(self, where: Where) -> Iterator[Any]:
        """Walk the records that satisfy a filter, in no promised order."""
        token: str | None = None
        while True:
            page = self._read(partial(self._connection.call, self._page(where, token)), None)
            if page is None:
                return
            yield from page.vectors.values()
            token = None if page.pagination is None else page.pagination.next
            if not token:
                return

    def _page(self, where: Where, token: str | None) -> Callable[[Any], Any]:
        return lambda index: index.fetch_by_metadata(
            filter=where, namespace=self._name, limit=self._page_size, pagination_token=token
        )

    def nearest(self, queries: Sequence[tuple[list[float], int, Where]], whole: bool) -> list[Sequence[Any]]:
        """Answer queries, each a vector, how many and a filter, best first; ``whole`` for values and metadata.

        Raises
        ------
        AdapterError
            If Pinecone goes on answering from a state that lacks what it has already shown.
        """
        calls = [partial(self._query, query=query, whole=whole) for query in queries]
        try:
            answers: list[Sequence[Any]] = self._read(
                lambda: self._connection.call_all(calls), [()] * len(queries)
            )
        except AdapterError as error:
            if isinstance(error.__cause__, OlderStateError):
                # So that the next call is not refused too, should positions have begun anew.
                self._recent.start_over()
            raise
        return answers

    async def _query(self, index: Any, query: tuple[list[float], int, Where], whole: bool) -> Sequence[Any]:
        vector, count, where = query
        answer = await index.query(
            vector=vector,
            top_k=count,
            filter=where,
            namespace=self._name,
            include_values=whole,
            include_metadata=whole,
        )
        position = answer.response_info.lsn_reconciled
        if self._recent.is_behind(position):
            raise OlderStateError(f"position {position}")
        self._recent.shown(position)
        matches: Sequence[Any] = answer.matches
        return matches

    def ask_position(self, vector: list[float]) -> None:
        """Learn up to which position queries are complete."""
        self.nearest([(vector, 1, {"about": {"$eq": ABOUT}})], whole=False)

    def _read(self, work: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return work()
        except NoCollectionError:
            return otherwise


async def _upsert(index: Any, namespace: str, records: Sequence[Record]) -> int | None:
    answer = await index.upsert(vectors=records, namespace=namespace)
    position: int | None = answer.response_info.lsn_committed
    return position


async def _update(index: Any, namespace: str, id: str, fields: dict[str, Any]) -> int | None:
    answer = await index.update(id=id, set_metadata=fields, namespace=namespace)
    position: int | None = answer.response_info.lsn_committed
    return position


async def _delete(index: Any, namespace: str, ids: list[str]) -> None:
    await index.delete(ids=ids, namespace=namespace)


async def _fetch(index: Any, namespace: str, ids: list[str]) -> Mapping[str, Any]:
    answer = await index.fetch(ids=ids, namespace=namespace)
    found: Mapping[str, Any] = answer.vectors
    return found


def _portions(records: Sequence[Record]) -> Iterator[list[Record]]:
    """Divide records among requests that are not too large."""
    some: list[Record] = []
    size = 0
    for record in records:
        bytes_of_it = len(msgspec.json.encode(record))
        if some and (size + bytes_of_it > _UPSERT_BYTES or len(some) == _UPSERT_COUNT):
            yield some
            some, size = [], 0
        some.append(record)
        size += bytes_of_it
    if some:
        yield some


def _short_addresses(ids: Sequence[str]) -> Iterator[list[str]]:
    some: list[str] = []
    letters = 0
    for id in dict.fromkeys(ids):
        if some and (letters + len(id) > _FETCH_LETTERS or len(some) == _FETCH_COUNT):
            yield some
            some, letters = [], 0
        some.append(id)
        letters += len(id)
    if some:
        yield some
