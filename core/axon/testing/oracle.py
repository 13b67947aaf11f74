"""What the storage port means, in the simplest way to say it: a dict of entries, and a loop over all of them.

Every adapter is compared with this model. Cosines are computed in float64; filters by the evaluator that
defines them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from axon.core.clock import Clock
from axon.core.errors import EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.filter.evaluate import matches
from axon.core.models import EntryRecord, MemoryEntry, Touch, Vector
from axon.core.ports import OrderBy

ORDER_KEYS: dict[OrderBy, Callable[[EntryRecord], Any]] = {
    "id": lambda record: record.id,
    "created_at": lambda record: record.created_us,
    "updated_at": lambda record: record.updated_us,
    "accessed_at": lambda record: record.created_us if record.accessed_us is None else record.accessed_us,
    "importance": lambda record: record.importance,
}
"""What each order of a scan sorts by; ties are broken by id."""


def cosine(left: Vector, right: Vector) -> float:
    """Cosine in [-1, 1], computed in float64; 0 where a vector has no direction."""
    a, b = left.astype(np.float64), right.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / lengths if lengths else 0.0


class Oracle:
    """The model of a whole adapter: entries by namespace and id.

    Parameters
    ----------
    clock : decides what has expired.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        # A write replaces the whole dict, so that readers in other threads never see one change.
        self._lock = threading.Lock()
        self._spaces: dict[str, dict[str, MemoryEntry]] = {}
        self._fingerprints: dict[str, str] = {}

    def put(self, namespace: str, entries: Iterable[MemoryEntry]) -> None:
        """Write entries whole, all or none.

        Raises
        ------
        EmbeddingMismatchError
            If a vector has another number of dimensions than the namespace or the other entries.
        """
        copies = {entry.id: _own(entry) for entry in entries}
        with self._lock:
            space = self._spaces.get(namespace, {})
            dims = {entry.dims for entry in (*space.values(), *copies.values()) if entry.dims is not None}
            if len(dims) > 1:
                raise EmbeddingMismatchError(f"vectors of {sorted(dims)} dimensions in one namespace")
            if copies:
                self._spaces[namespace] = {**space, **copies}

    def get(self, namespace: str, id: str) -> MemoryEntry | None:
        """Read one entry; None if absent or expired."""
        return next((entry for entry in self.select(namespace) if entry.id == id), None)

    def delete(self, namespace: str, ids: Iterable[str]) -> int:
        """Delete by id and return how many were there."""
        with self._lock:
            space = dict(self._spaces.get(namespace, {}))
            gone = sum(space.pop(id, None) is not None for id in ids)
            if gone:
                self._spaces[namespace] = space
            return gone

    def select(self, namespace: str, node: FilterNode = EVERYTHING) -> list[MemoryEntry]:
        """Copy the unexpired entries that satisfy ``node``, in order of writing."""
        now_us = self.clock.now_us()
        space = self._spaces.get(namespace, {})
        live = (entry for entry in space.values() if not _expired(entry, now_us))
        return [_own(entry) for entry in live if matches(node, entry)]

    def ordered(
        self,
        namespace: str,
        node: FilterNode = EVERYTHING,
        order_by: OrderBy = "created_at",
        descending: bool = False,
    ) -> list[MemoryEntry]:
        """Copy them in the order of a scan."""
        by_id = sorted(
            self.select(namespace, node), key=lambda entry: entry.id, reverse=descending and order_by == "id"
        )
        key = ORDER_KEYS[order_by]
        return (
            by_id
            if order_by == "id"
            else sorted(by_id, key=lambda entry: key(entry.record), reverse=descending)
        )

    def similarities(self, namespace: str, node: FilterNode, query: Vector) -> dict[str, float]:
        """Cosine of ``query`` with every matching entry that has a vector, by id."""
        found = ((entry.id, entry.embedding) for entry in self.select(namespace, node))
        return {id: cosine(query, vector) for id, vector in found if vector is not None}

    def stored(self, namespace: str) -> list[str]:
        """Ids of all entries, expired or not."""
        return list(self._spaces.get(namespace, {}))

    def expired(self, namespace: str) -> list[str]:
        """Ids of the expired entries that were not deleted."""
        now_us = self.clock.now_us()
        return [id for id, entry in self._spaces.get(namespace, {}).items() if _expired(entry, now_us)]

    def touch(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        space = self._spaces.get(namespace, {})
        for touch in touches:
            entry = space.get(touch.id)
            if entry is not None:
                space[touch.id] = MemoryEntry.of(entry.record.accessed(touch), entry.embedding)

    def clear(self, namespace: str) -> None:
        """Delete everything in one namespace, the fingerprint included."""
        self._spaces.pop(namespace, None)
        self._fingerprints.pop(namespace, None)

    def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        return sorted(name for name, space in self._spaces.items() if space)

    def size(self) -> int:
        """Count the entries of all namespaces, swept or not."""
        return sum(map(len, self._spaces.values()))

    def bind(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record a fingerprint unless there is one or None is given; return the recorded one."""
        if fingerprint is not None:
            self._fingerprints.setdefault(namespace, fingerprint)
        return self._fingerprints.get(namespace)


def _own(entry: MemoryEntry) -> MemoryEntry:
    vector = entry.stored_vector
    return MemoryEntry.of(entry.record, None if vector is None else np.array(vector, np.float32))


def _expired(entry: MemoryEntry, now_us: int) -> bool:
    return entry.record.expires_us is not None and entry.record.expires_us <= now_us
