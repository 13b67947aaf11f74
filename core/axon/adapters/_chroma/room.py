"""One namespace in Chroma: a shelf for entries with vectors, and one for those without. Blocking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from axon.adapters._chroma.clauses import alive, as_where
from axon.adapters._chroma.connection import Connection
from axon.adapters._chroma.finding import search
from axon.adapters._chroma.records import NO_VECTOR, entry_of, is_expired, metadata_of, vanished
from axon.adapters._chroma.shelf import Shelf
from axon.adapters._filters.chroma import Where
from axon.adapters._shared.directions import direction_of
from axon.adapters._shared.room import Room, Step, counts_of, in_order, put_together
from axon.adapters._shared.walks import Key, Walks, key_of
from axon.core.adapter_options import ChromaOptions
from axon.core.errors import EmbeddingMismatchError
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, Touch
from axon.core.ports import OrderBy

FINGERPRINT = "axon_embedder"


class ChromaRoom(Room):
    """The entries of one namespace.

    An entry lies on one shelf. When a new version belongs on the other one, it is written there before the old one
    goes, so a reader may see the old version a moment longer, and never none.

    Parameters
    ----------
    connection : to Chroma.
    options : of the adapter.
    namespace : its name.
    walks : shared by all namespaces.
    """

    def __init__(self, connection: Connection, options: ChromaOptions, namespace: str, walks: Walks) -> None:
        self._walks = walks
        self._exact = options.exact
        self.vectors = Shelf(connection, options, namespace, "vectors")
        self.texts = Shelf(connection, options, namespace, "texts")
        self.shelves = (self.vectors, self.texts)
        self._max_batch = connection.max_batch
        self._dims: tuple[object, int] | None = None

    def dims(self, given: Iterable[int | None]) -> int | None:
        """Numbers per vector, or None while no entry has a vector.

        Parameters
        ----------
        given : the numbers that vectors at hand have. Where they agree with what is known, Chroma is not asked; else
            it is, since another process may have filled the namespace anew.
        """
        known, noted = self.vectors.known, self._dims
        if known is not None and noted is not None and noted[0] == known.id:
            if all(number in (None, noted[1]) for number in given):
                return noted[1]
        collection = self.vectors.find()
        rows = [] if collection is None else self.vectors.rows(None, limit=1)
        if collection is None or not rows or rows[0].vector is None:
            return None
        self._dims = collection.id, int(rows[0].vector.shape[0])
        return self._dims[1]

    def put_each(self, batches: Sequence[Sequence[MemoryEntry]]) -> list[EmbeddingMismatchError | None]:
        """Write several batches at once; one whose vectors do not fit is left out and answered with its error."""
        dims = self.dims(entry.dims for batch in batches for entry in batch)
        answers, _, with_vector, without = put_together(batches, dims)
        for shelf, entries in ((self.vectors, with_vector), (self.texts, without)):
            for start in range(0, len(entries), self._max_batch):
                self._upsert(shelf, entries[start : start + self._max_batch])
        for shelf, moved in ((self.vectors, without), (self.texts, with_vector)):
            if moved:
                shelf.delete(list(shelf.present([entry.id for entry in moved])))
        return answers

    def _upsert(self, shelf: Shelf, entries: Sequence[MemoryEntry]) -> None:
        ids = [entry.id for entry in entries]
        old = {row.id: row.metadata for row in shelf.metadatas_of(ids)}
        vectors, metadatas = [], []
        for entry in entries:
            given = entry.stored_vector
            direction, original = (NO_VECTOR, None) if given is None else direction_of(given)
            metadata = metadata_of(entry.record, original)
            vectors.append(direction)
            metadatas.append(metadata | vanished(old.get(entry.id, {}), metadata))
        shelf.upsert(ids, np.stack(vectors), metadatas)

    def delete_each(self, batches: Sequence[Sequence[str]]) -> list[int]:
        """Delete several batches at once; returns how many of each were there."""
        wanted = [id for batch in batches for id in batch]
        there: set[str] = set()
        for shelf in self.shelves:
            present = shelf.present(wanted)
            shelf.delete(list(present))
            there |= present
        return counts_of(there, batches)

    def touch_each(self, batches: Sequence[Sequence[Touch]]) -> list[None]:
        """Add access statistics."""
        touches = [touch for batch in batches for touch in batch]
        ids = [touch.id for touch in touches]
        for shelf in self.shelves:
            counted = {row.id: entry_of(row, with_vector=False).record for row in shelf.metadatas_of(ids)}
            for touch in touches:
                if touch.id in counted:
                    counted[touch.id] = counted[touch.id].accessed(touch)
            records = list(counted.values())
            for start in range(0, len(records), self._max_batch):
                some = records[start : start + self._max_batch]
                shelf.update(
                    [record.id for record in some],
                    [{"access_count": each.access_count, "accessed_at": each.accessed_us} for each in some],
                )
        return [None] * len(batches)

    def bind_each(self, fingerprints: Sequence[str | None]) -> list[str | None]:
        """Record the first fingerprint unless one is recorded; returns the recorded one for each."""
        collection = self.vectors.find()
        known = None if collection is None else (collection.metadata or {}).get(FINGERPRINT)
        wanted = next((each for each in fingerprints if each is not None), None)
        if known is None and wanted is not None:
            self.vectors.write(
                lambda found: found.modify(metadata={**(found.metadata or {}), FINGERPRINT: wanted})
            )
            known = wanted
        return [known] * len(fingerprints)

    def clear_each(self, times: Sequence[None]) -> list[None]:
        """Delete everything."""
        for shelf in self.shelves:
            shelf.drop()
        return list(times)

    def get(self, ids: Sequence[str], now_us: int) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""
        rows = self.vectors.rows_of(ids)
        found = {row.id: entry_of(row, with_vector=True) for row in rows if not is_expired(row, now_us)}
        missing = [id for id in ids if id not in found]
        if missing:
            rows = self.texts.metadatas_of(missing)
            found |= {row.id: entry_of(row, with_vector=False) for row in rows if not is_expired(row, now_us)}
        return in_order(found, ids)

    def search(self, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches in order; their text is passed over."""
        return search(self, requests, now_us, self._exact)

    def page(self, native: Any, now_us: int, step: Step) -> Page:
        """Return one page of a walk."""
        ids, following = self._walks.page(lambda: self._keys(native, now_us, step.order_by), step)
        return Page([entry for entry in self.get(ids, now_us) if entry is not None], following)

    def _keys(self, where: Where | bool, now_us: int, order_by: OrderBy) -> list[Key]:
        keys: dict[str, Any] = {}
        for shelf in self.shelves:
            for row in shelf.metadatas(as_where(where)):
                if not is_expired(row, now_us):
                    keys.setdefault(row.id, key_of(row.metadata, order_by))
        return [(key, id) for id, key in keys.items()]

    def select(self, where: Where | bool, k: int, now_us: int) -> list[MemoryEntry]:
        """Any ``k`` unexpired entries that satisfy a clause."""
        entries: dict[str, MemoryEntry] = {}
        for shelf in self.shelves:
            rows = shelf.rows(as_where(where), limit=k)
            if len(rows) == k and any(is_expired(row, now_us) for row in rows):
                rows = shelf.rows(as_where(alive(where, now_us)), limit=k)
            for row in rows:
                if not is_expired(row, now_us):
                    entries.setdefault(row.id, entry_of(row, with_vector=shelf is self.vectors))
        return list(entries.values())[:k]

    def count(self, where: Where | bool, now_us: int) -> int:
        """Count the unexpired entries that satisfy a clause."""
        if where is True:
            ended: Where = {"expires_at": {"$lte": now_us}}
            return sum(shelf.count() - len(shelf.ids(ended)) for shelf in self.shelves)
        return sum(len(shelf.ids(as_where(alive(where, now_us)))) for shelf in self.shelves)

    def expired(self, limit: int, now_us: int) -> list[str]:
        """Ids of up to ``limit`` expired entries."""
        ended: Where = {"expires_at": {"$lte": now_us}}
        found = [id for shelf in self.shelves for id in shelf.ids(ended, limit)]
        return list(dict.fromkeys(found))[:limit]
