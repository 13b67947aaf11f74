"""One namespace in Qdrant: points that carry its name, whether they share a collection or not. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from qdrant_client import models

from axon.adapters._filters.qdrant import NAMESPACE, compile_filter
from axon.adapters._qdrant.finding import Finder, Question
from axon.adapters._qdrant.rarity import statistics_of
from axon.adapters._qdrant.records import RECORD_FIELDS, entry_of, point_id, point_of, record_of
from axon.adapters._qdrant.shelf import Shelf
from axon.adapters._shared.room import Room, Step, check_query, counts_of, in_order, put_together
from axon.adapters._shared.walks import Key, Walks, key_of
from axon.core.adapter_options import QdrantOptions
from axon.core.errors import EmbeddingMismatchError
from axon.core.models import EntryRecord, Hit, MemoryEntry, Page, SearchRequest, TextStatistics, Touch
from axon.core.ports import OrderBy

_ABOUT = ("dims", "embedder", "mixed")
"""What the record of a namespace says: the size of its vectors, who made them, and whether some entries lack one."""

_BURST_SECONDS = 0.1
"""Writes in a burst read the record of the namespace once; another process may clear it in between."""


class QdrantRoom(Room):
    """The entries of one namespace.

    Those with a vector lie in the collection of its size, the others in one without vectors, which also keeps a record
    of the namespace: the size of its vectors, and who made them. A new version that belongs into the other collection
    is written there before the old one goes.

    Parameters
    ----------
    shelf_of : gives the collection for vectors of a size, or for None the one without.
    options : of the adapter.
    namespace : its name.
    walks : shared by all namespaces.
    """

    def __init__(
        self, shelf_of: Callable[[int | None], Shelf], options: QdrantOptions, namespace: str, walks: Walks
    ) -> None:
        self._shelf_of = shelf_of
        self._options = options
        self._namespace = namespace
        self._walks = walks
        self._texts = shelf_of(None)
        self._dims: int | None = None
        self._seen: dict[str, Any] = {}
        self._seen_at = -_BURST_SECONDS
        # No entry has the empty id.
        self._own_point = point_id(namespace, "")
        self._is_mine = models.FieldCondition(key=NAMESPACE, match=models.MatchValue(value=namespace))

    def _about(self) -> dict[str, Any]:
        """Read the record of the namespace."""
        return self._texts_of([])[0]

    def _texts_of(self, ids: Sequence[str]) -> tuple[dict[str, Any], list[models.Record]]:
        """Read the record of the namespace, and entries without a vector, in one call."""
        found = self._texts.retrieve([self._own_point, *self._points(ids)], (*RECORD_FIELDS, *_ABOUT))
        about = next((dict(record.payload or {}) for record in found if record.id == self._own_point), {})
        self._dims = about.get("dims")
        return about, [record for record in found if record.id != self._own_point]

    def _see(self, about: dict[str, Any]) -> None:
        """Remember the record of the namespace; only what writes may, or an older one could come in between."""
        self._dims, self._seen, self._seen_at = about.get("dims"), about, time.monotonic()

    def _note(self, about: dict[str, Any]) -> None:
        payload = {**about, "about": self._namespace}
        self._texts.upsert([models.PointStruct(id=self._own_point, vector={}, payload=payload)])
        self._see(about)

    def _needs_no_look(self, entries: Sequence[MemoryEntry]) -> bool:
        """Tell whether entries can be written unread: no vector is new in size, none is or was lacking."""
        is_burst = time.monotonic() - self._seen_at < _BURST_SECONDS
        dims = self._seen.get("dims")
        if not is_burst or dims is None or self._seen.get("mixed"):
            return False
        return all(entry.dims == dims for entry in entries)

    def _vectors(self) -> Shelf | None:
        """Give the collection of the entries with a vector, if there are any."""
        self._about()
        return None if self._dims is None else self._shelf_of(self._dims)

    def _shelves(self) -> list[Shelf]:
        vectors = self._vectors()
        return [self._texts] if vectors is None else [vectors, self._texts]

    def _points(self, ids: Sequence[str]) -> list[str]:
        return [point_id(self._namespace, id) for id in ids]

    def put_each(self, batches: Sequence[Sequence[MemoryEntry]]) -> list[EmbeddingMismatchError | None]:
        """Write batches; one whose vectors do not fit is left out and answered with its error."""
        asked = [entry for batch in batches for entry in batch]
        texts: list[models.Record] = []
        if not self._needs_no_look(asked):
            about, texts = self._texts_of([entry.id for entry in asked])
            self._see(about)
        about = self._seen
        answers, dims, with_vector, without = put_together(batches, about.get("dims"))
        mixed = bool(without) or bool(about.get("mixed"))
        if dims != about.get("dims") or mixed != bool(about.get("mixed")):
            # Before the entries, so that whatever is there can be found.
            self._note({**about, "dims": dims, "mixed": mixed})
        with_words = self._options.text_index
        for shelf, entries in ((self._shelf_of(dims), with_vector), (self._texts, without)):
            shelf.upsert([point_of(self._namespace, entry, with_words) for entry in entries])
        if dims is not None:
            self._shelf_of(dims).delete(self._points([entry.id for entry in without]))
        if texts:
            moved = set(self._points([entry.id for entry in with_vector]))
            self._texts.delete([str(record.id) for record in texts if record.id in moved])
        return answers

    def delete_each(self, batches: Sequence[Sequence[str]]) -> list[int]:
        """Delete batches; returns how many of each were there."""
        points = self._points([id for batch in batches for id in batch])
        there: set[str] = set()
        for shelf in self._shelves():
            found = shelf.retrieve(points, fields=["id"])
            shelf.delete([str(record.id) for record in found])
            there.update((record.payload or {})["id"] for record in found)
        return counts_of(there, batches)

    def touch_each(self, batches: Sequence[Sequence[Touch]]) -> list[None]:
        """Add access statistics."""
        touches = [touch for batch in batches for touch in batch]
        points = self._points([touch.id for touch in touches])
        for shelf in self._shelves():
            counted = {record.id: record for record in map(_record, shelf.retrieve(points))}
            for touch in touches:
                if touch.id in counted:
                    counted[touch.id] = counted[touch.id].accessed(touch)
            shelf.set_payload(
                {
                    point_id(self._namespace, id): {
                        "access_count": record.access_count,
                        "accessed_at": record.accessed_us,
                    }
                    for id, record in counted.items()
                }
            )
        return [None] * len(batches)

    def bind_each(self, fingerprints: Sequence[str | None]) -> list[str | None]:
        """Record the first fingerprint unless one is recorded; returns the recorded one for each."""
        about = self._about()
        wanted = next((each for each in fingerprints if each is not None), None)
        if about.get("embedder") is None and wanted is not None:
            about["embedder"] = wanted
            self._note(about)
        return [about.get("embedder")] * len(fingerprints)

    def clear_each(self, times: Sequence[None]) -> list[None]:
        """Delete everything."""
        for shelf in self._shelves():
            shelf.clear(models.Filter(must=[self._is_mine]))
        self._texts.delete([self._own_point])
        self._see({})
        return list(times)

    def get(self, ids: Sequence[str], now_us: int) -> list[MemoryEntry | None]:
        """Read unexpired entries in the order of ``ids``."""
        entries = self._with_vector(ids)
        missing = [id for id in ids if id not in entries]
        if missing:
            known = self._dims
            _, texts = self._texts_of(missing)
            if self._dims != known:
                entries |= self._with_vector(missing)
            for record in texts:
                entry = entry_of(record.payload, None)
                entries.setdefault(entry.id, entry)
        return in_order({id: entry for id, entry in entries.items() if not _is_expired(entry, now_us)}, ids)

    def _with_vector(self, ids: Sequence[str]) -> dict[str, MemoryEntry]:
        if self._dims is None:
            return {}
        records = self._shelf_of(self._dims).retrieve(self._points(ids), vectors=True)
        entries = (entry_of(record.payload, record.vector) for record in records)
        return {entry.id: entry for entry in entries}

    def search(self, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches in order."""
        answers: list[list[Hit]] = [[] for _ in requests]
        asked: list[tuple[int, Question]] = []
        ranks_words = self._options.text_index
        for place, request in enumerate(requests):
            native: Any = compile_filter(request.filter).native
            if native is False or (request.vector is None and request.text is not None and not ranks_words):
                continue
            if not ranks_words:
                request = msgspec.structs.replace(request, text=None)
            condition = self._alive(native, now_us)
            if request.vector is None and request.text is None:
                answers[place] = [Hit(entry) for entry in self._select(condition, request.k)]
            else:
                asked.append((place, Question(request, condition)))
        questions = [question for _, question in asked]
        # The size is asked for again where what is known of it explains that nothing fits or nothing is found.
        if questions and not all(question.fits(self._dims) for question in questions):
            self._about()
        known, found = self._dims, self._find(questions)
        if questions and not any(found) and self._about().get("dims") != known:
            found = self._find(questions)
        for (place, _), hits in zip(asked, found, strict=True):
            answers[place] = hits
        return answers

    def _find(self, questions: Sequence[Question]) -> list[list[Hit]]:
        """Search among the vectors of the size known so far, and all words; that size may be another one by now."""
        for question in questions:
            check_query(question.request, self._dims)
        finder = Finder(self._options, self._namespace)
        vectors = None if self._dims is None else self._shelf_of(self._dims)
        return finder.find(questions, vectors, self._texts) if questions else []

    def text_statistics(self, text: str) -> TextStatistics:
        """Describe the namespace as far as scoring ``text`` needs it."""
        about = self._about()
        shelves = [] if self._dims is None else [self._shelf_of(self._dims)]
        if self._dims is None or about.get("mixed"):
            shelves.append(self._texts)
        total = TextStatistics(0, 0, {})
        for shelf in shelves:
            total += statistics_of(shelf, self._namespace, self._is_mine, text)
        return total

    def _select(self, condition: models.Filter, k: int) -> list[MemoryEntry]:
        entries: dict[str, MemoryEntry] = {}
        for shelf in self._shelves():
            for record in shelf.scroll(condition, vectors=True, limit=k):
                entry = entry_of(record.payload, record.vector)
                entries.setdefault(entry.id, entry)
        return list(entries.values())[:k]

    def page(self, native: Any, now_us: int, step: Step) -> Page:
        """Return one page of a walk."""
        ids, following = self._walks.page(
            lambda: self._keys(self._alive(native, now_us), step.order_by), step
        )
        return Page([entry for entry in self.get(ids, now_us) if entry is not None], following)

    def _keys(self, condition: models.Filter, order_by: OrderBy) -> list[Key]:
        fields = ["id", "created_at"] if order_by == "id" else ["id", "created_at", order_by]
        keys: dict[str, Any] = {}
        for shelf in self._shelves():
            for record in shelf.scroll(condition, fields=fields):
                payload = record.payload or {}
                keys.setdefault(str(payload["id"]), key_of(payload, order_by))
        return [(key, id) for id, key in keys.items()]

    def count(self, native: Any, now_us: int) -> int:
        """Count unexpired entries."""
        condition = self._alive(native, now_us)
        return sum(shelf.count(condition) for shelf in self._shelves())

    def expired(self, limit: int, now_us: int) -> list[str]:
        """Ids of up to ``limit`` expired entries."""
        ended = models.FieldCondition(key="expires_at", range=models.Range(lte=now_us))
        condition = models.Filter(must=[self._is_mine, ended])
        found = [
            str((record.payload or {})["id"])
            for shelf in self._shelves()
            for record in shelf.scroll(condition, fields=["id"], limit=limit)
        ]
        return list(dict.fromkeys(found))[:limit]

    def _alive(self, native: Any, now_us: int) -> models.Filter:
        """Conjunction of the namespace, what a caller asks, and that the entry has not expired."""
        lives = models.FieldCondition(key="expires_at", range=models.Range(gt=now_us))
        conditions: list[models.Condition] = [self._is_mine, lives]
        return models.Filter(must=conditions if native is True else [*conditions, native])


def _record(record: models.Record) -> EntryRecord:
    return record_of(record.payload)


def _is_expired(entry: MemoryEntry, now_us: int) -> bool:
    return entry.record.expires_us is not None and entry.record.expires_us <= now_us
