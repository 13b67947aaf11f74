"""One namespace in memory: records by row, their vectors, and the indexes that are derived from them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.core.clock import to_datetime
from axon.core.errors import EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING, Field, FilterNode, Lte, negate
from axon.core.models import EntryRecord, MemoryEntry, Touch
from axon.engine.filter_mask import Columns
from axon.engine.rows import BLOCK_BITS, BLOCK_ROWS, VectorRows
from axon.engine.text_index import TextIndex

_COMPACT_AT = 1024
"""Dead rows below which an arena is never compacted."""

_EXPIRES_AT = Field("expires_at")


class View(NamedTuple):
    """What a search works on: everything as of one moment, safe to read without a lock.

    Attributes
    ----------
    size : rows at that moment.
    records : by row; an entry deleted since is None.
    vectors : the rows' vectors, or None while no entry has one.
    dead : rows of deleted entries.
    without_vector : rows that a vector search may not return, dead ones included.
    columns, text : derived indexes, with locks of their own.
    alive : a filter that leaves out what has expired.
    vectorless : rows of entries without a vector; may also hold rows added since.
    """

    size: int
    records: Sequence[EntryRecord | None]
    vectors: VectorRows | None
    dead: NDArray[np.intp]
    without_vector: NDArray[np.intp]
    columns: Columns
    text: TextIndex | None
    alive: FilterNode
    vectorless: set[int]

    @property
    def floats(self) -> int:
        """Vector elements that a scan of everything reads."""
        return 0 if self.vectors is None else self.size * self.vectors.dims

    def entries(self, rows: Iterable[int]) -> list[MemoryEntry | None]:
        """Hand out the entries of some rows; None for those deleted since."""
        records, vectors, vectorless = self.records, self.vectors, self.vectorless
        blocks = () if vectors is None else vectors.blocks
        in_block = MemoryEntry.in_block
        found: list[MemoryEntry | None] = []
        for row in rows:
            record = records[row]
            if record is None:
                found.append(None)
            elif vectors is None or row in vectorless:
                found.append(MemoryEntry.of(record))
            else:
                found.append(in_block(record, blocks[row >> BLOCK_BITS], row & (BLOCK_ROWS - 1)))
        return found


class Arena:
    """The entries of one namespace; writes are serialised by a lock, searches work on a :class:`View`.

    Parameters
    ----------
    text_index : keep a full-text index.
    quantize : search rounded vectors first, where the package for it is there; results stay exact.
    """

    def __init__(self, *, text_index: bool = True, quantize: bool = True) -> None:
        self.lock = threading.Lock()
        self.fingerprint: str | None = None
        self._has_text = text_index
        self._quantize = quantize
        self._compacting = False
        self._reset()

    def _reset(self) -> None:
        self._records: list[EntryRecord | None] = []
        self._row_of: dict[str, int] = {}
        self._vectors: VectorRows | None = None
        self._vectorless: set[int] = set()
        self._dead: list[int] = []
        self._columns = Columns(self._records)
        self._text = TextIndex(self._records) if self._has_text else None
        self._earliest_expiry: int | None = None
        self._excluded: tuple[int, int, NDArray[np.intp], NDArray[np.intp]] | None = None
        self._view: View | None = None

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def dims(self) -> int | None:
        """Numbers per vector, or None while no entry has a vector."""
        return None if self._vectors is None else self._vectors.dims

    @property
    def vector_bytes(self) -> int:
        """Bytes held by vectors."""
        return 0 if self._vectors is None else self._vectors.nbytes

    def check_dims(self, entries: Iterable[MemoryEntry]) -> None:
        """Refuse entries whose vectors do not fit the arena or one another.

        Raises
        ------
        EmbeddingMismatchError
            Naming both numbers of dimensions.
        """
        dims = None if self._vectors is None else self._vectors.dims
        for entry in entries:
            found = entry.dims
            if found is None or found == dims:
                continue
            if dims is not None:
                raise EmbeddingMismatchError(
                    f"the vector of entry {entry.id!r} has {found} dimensions, this namespace holds {dims}; "
                    "use the embedder the namespace was filled with, or another namespace"
                )
            dims = found

    def put(self, entries: Sequence[MemoryEntry]) -> None:
        """Write entries; of equal ids the last wins.

        Raises
        ------
        EmbeddingMismatchError
            As :meth:`check_dims`; nothing was written.
        """
        with self.lock:
            if len(entries) == 1:
                self._put_one(entries[0])
                return
            block = _shared_block(entries) if entries else None
            self.check_dims(entries if block is None else entries[:1])
            if block is not None and not self._any_known(entries):
                self._put_block(entries, block)
            else:
                for entry in entries:
                    self._put_one(entry)

    def _any_known(self, entries: Sequence[MemoryEntry]) -> bool:
        ids = {entry.record.id for entry in entries}
        return len(ids) < len(entries) or not ids.isdisjoint(self._row_of)

    def _put_one(self, entry: MemoryEntry) -> None:
        record, vector, squared = entry.record, entry.stored_vector, entry.squared
        rows, row = self._vectors, len(self._records)
        if vector is not None and (rows is None or rows.dims != vector.shape[0]):
            self.check_dims((entry,))
            rows = self._rows_of_dims(vector.shape[0], row)
        old = self._row_of.get(record.id)
        if old is not None:
            self._bury(old)
        self._view = None
        self._records.append(record)
        self._row_of[record.id] = row
        if vector is not None and rows is not None:
            rows.append(vector, float(vector.dot(vector)) if squared is None else squared)
        elif self._vectors is not None:
            self._vectors.append_missing(1)
            self._vectorless.add(row)
        if record.expires_us is not None:
            self._note_expiry(record.expires_us)

    def _put_block(self, entries: Sequence[MemoryEntry], block: NDArray[np.float32]) -> None:
        self._view = None
        row = len(self._records)
        rows = self._rows_of_dims(block.shape[1], row)
        self._records.extend([entry.record for entry in entries])
        self._row_of.update((entry.record.id, place) for place, entry in enumerate(entries, row))
        rows.extend(block)
        for entry in entries:
            if entry.record.expires_us is not None:
                self._note_expiry(entry.record.expires_us)

    def _rows_of_dims(self, dims: int, rows_before: int) -> VectorRows:
        if self._vectors is None:
            self._vectors = VectorRows(dims, quantize=self._quantize)
            self._vectors.append_missing(rows_before)
            self._vectorless.update(range(rows_before))
        return self._vectors

    def _note_expiry(self, expires_us: int) -> None:
        if self._earliest_expiry is None or expires_us < self._earliest_expiry:
            self._earliest_expiry = expires_us

    def _bury(self, row: int) -> None:
        self._view = None
        self._records[row] = None
        self._dead.append(row)

    def delete(self, ids: Iterable[str]) -> int:
        """Delete by id and return how many were there."""
        with self.lock:
            count = 0
            for id in ids:
                row = self._row_of.pop(id, None)
                if row is not None:
                    self._bury(row)
                    count += 1
        return count

    def get(self, id: str, now_us: int) -> MemoryEntry | None:
        """Read one entry; None if absent or expired at ``now_us``."""
        with self.lock:
            row = self._row_of.get(id)
            if row is None:
                return None
            record = self._records[row]
            if record is None or (record.expires_us is not None and record.expires_us <= now_us):
                return None
            if self._vectors is None or row in self._vectorless:
                return MemoryEntry.of(record)
            return MemoryEntry.in_block(record, *self._vectors.locate(row))

    def bind(self, fingerprint: str | None) -> str | None:
        """Record the embedder's fingerprint unless there is one; return the recorded one."""
        with self.lock:
            if self.fingerprint is None:
                self.fingerprint = fingerprint
            return self.fingerprint

    def touch(self, touches: Iterable[Touch]) -> list[EntryRecord]:
        """Add access statistics and return the records that changed."""
        changed = []
        with self.lock:
            for touch in touches:
                row = self._row_of.get(touch.id)
                record = None if row is None else self._records[row]
                if row is not None and record is not None:
                    record = self._records[row] = record.accessed(touch)
                    changed.append(record)
        return changed

    def clear(self) -> None:
        """Delete everything, the fingerprint included."""
        with self.lock:
            self._reset()
            self.fingerprint = None

    def expired(self, now_us: int, limit: int) -> list[str]:
        """Ids of up to ``limit`` entries that expired at or before ``now_us``."""
        with self.lock:
            if self._earliest_expiry is None or self._earliest_expiry > now_us:
                return []
            size, records, dead = len(self._records), self._records, self._dead_rows()[0]
        mask = self._columns.mask(Lte(_EXPIRES_AT, to_datetime(now_us)), size)
        mask[dead] = False
        found = (records[row] for row in np.flatnonzero(mask)[:limit])
        return [record.id for record in found if record is not None]

    def view(self, now_us: int) -> View:
        """Take the state as of now."""
        with self.lock:
            earliest = self._earliest_expiry
            if self._view is not None and (earliest is None or earliest > now_us):
                return self._view
            dead, without_vector = self._dead_rows()
            some_expired = earliest is not None and earliest <= now_us
            view = View(
                len(self._records),
                self._records,
                self._vectors,
                dead,
                without_vector,
                self._columns,
                self._text,
                negate(Lte(_EXPIRES_AT, to_datetime(now_us))) if some_expired else EVERYTHING,
                self._vectorless,
            )
            if not some_expired:
                self._view = view
            return view

    def rows_of(self, ids: Iterable[str]) -> list[int]:
        """Rows of the ids that are present, ascending."""
        with self.lock:
            return sorted({row for row in map(self._row_of.get, ids) if row is not None})

    def _dead_rows(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        sizes = len(self._dead), len(self._vectorless)
        if self._excluded is None or self._excluded[:2] != sizes:
            dead = np.array(self._dead, np.intp)
            without = (
                np.array(sorted(self._vectorless.union(self._dead)), np.intp) if self._vectorless else dead
            )
            self._excluded = (*sizes, dead, without)
        return self._excluded[2], self._excluded[3]

    @property
    def wants_compaction(self) -> bool:
        """Whether more than half of the rows are dead."""
        return (
            len(self._dead) > _COMPACT_AT
            and 2 * len(self._dead) > len(self._records)
            and not self._compacting
        )

    def compact(self) -> None:
        """Drop dead rows. Vectors are copied without the lock; only the exchange holds it."""
        with self.lock:
            if not self.wants_compaction:
                return
            self._compacting = True
            vectors, size = self._vectors, len(self._records)
            kept = np.array([row for row in range(size) if self._records[row] is not None], np.intp)
        try:
            copied = None if vectors is None else vectors.select(kept)
            with self.lock:
                if self._vectors is vectors:
                    self._exchange(copied, kept, size)
        finally:
            self._compacting = False

    def _exchange(self, vectors: VectorRows | None, kept: NDArray[np.intp], size: int) -> None:
        """Put the compacted state in place; rows from ``size`` on were added meanwhile and all move."""
        total = len(self._records)
        rows = np.concatenate([kept, np.arange(size, total)])
        if vectors is not None and self._vectors is not None and total > size:
            vectors.extend(self._vectors.copy_range(size, total))
        records = [self._records[row] for row in rows]
        vectorless = np.isin(rows, np.array(list(self._vectorless), np.intp))
        self._columns = self._columns.select(rows, total, records)
        if self._text is not None:
            self._text = TextIndex(records)
        self._records = records
        self._row_of = {record.id: row for row, record in enumerate(records) if record is not None}
        self._vectorless = set(np.flatnonzero(vectorless).tolist())
        self._dead = [row for row, record in enumerate(records) if record is None]
        self._vectors = vectors
        self._excluded = None
        self._view = None


def _shared_block(entries: Sequence[MemoryEntry]) -> NDArray[np.float32] | None:
    """Return the matrix whose consecutive rows are the vectors of ``entries``, if there is one."""
    block, first = entries[0].place
    if block is None:
        return None
    for place, entry in enumerate(entries, first):
        other, row = entry.place
        if other is not block or row != place:
            return None
    return block[first : first + len(entries)]
