"""A namespace held in an arena of this process, in step with the server by the numbers of its changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from axon.adapters._redis.operations import Access, Changed, Row, Version
from axon.adapters._redis.packing import unpack_page
from axon.core.errors import AdapterError
from axon.core.models import MemoryEntry, Touch
from axon.engine.arena import Arena

_MOST_PENDING = 1_000


class Position(NamedTuple):
    """How far a replica has come.

    Attributes
    ----------
    arena : what the position is of.
    epoch : of the namespace.
    seen : all writes up to this number are applied.
    marks : all deletions and touches up to this number are applied.
    """

    arena: Arena
    epoch: bytes
    seen: int
    marks: int


class PageOfChanges(NamedTuple):
    """What happened on the server behind a position.

    Attributes
    ----------
    epoch, seq, floor : the state of the namespace, see ``Space.meta``.
    ids, seen : entries written, and the number up to which these are all.
    more : others follow.
    gone, touched : ids deleted, and ids accessed.
    """

    epoch: bytes
    seq: int
    floor: int
    ids: list[bytes]
    seen: int
    more: bool
    gone: list[bytes]
    touched: list[bytes]


class Written(NamedTuple):
    """What was read of the entries that were written, in the order of their ids."""

    ids: Sequence[bytes]
    rows: Sequence[Row]


class Touched(NamedTuple):
    """The access statistics of the entries that were touched, in the order of their ids."""

    ids: Sequence[bytes]
    accesses: Sequence[Access | None]


class Replica:
    """One namespace in this process.

    A change of our own is applied at once if nothing else happened before it. Otherwise it waits until the gap is
    filled from the server: while pages are read, nothing else is applied, since a page holds the past.

    Parameters
    ----------
    make_arena : makes an empty arena.
    retire : told of an arena that has been replaced.
    """

    def __init__(self, make_arena: Callable[[], Arena], retire: Callable[[Arena], None]) -> None:
        self.corrupt: dict[str, AdapterError] = {}
        self._make_arena = make_arena
        self._retire = retire
        self._lock = threading.Lock()
        self._position: Position | None = None
        self._reading = 0
        self._pending: dict[int, tuple[bytes, int, Callable[[Arena], object]]] = {}

    @property
    def arena(self) -> Arena | None:
        """The entries as of now; None before the first load."""
        return None if self._position is None else self._position.arena

    def current(self, version: Version) -> Arena | None:
        """Return the arena if everything up to ``version`` is applied to it, else None."""
        at = self._position
        if at is None or at.epoch != version.epoch or min(at.seen, at.marks) < version.seq:
            return None
        return at.arena

    def note(self, changed: Changed, apply: Callable[[Arena], object]) -> None:
        """Apply a change of our own that the server acknowledged, or keep it until its turn comes."""
        with self._lock:
            if changed.last < changed.first or (self._position is None and not self._reading):
                return
            if len(self._pending) < _MOST_PENDING:
                self._pending[changed.first] = changed.epoch, changed.last, apply
            if not self._reading:
                self._apply_pending()

    def _apply_pending(self) -> None:
        at = self._position
        while at is not None and (following := self._pending.pop(at.seen + 1, None)) is not None:
            epoch, last, apply = following
            if epoch != at.epoch or at.marks != at.seen:
                break
            apply(at.arena)
            at = self._position = at._replace(seen=last, marks=last)
        if at is not None:
            self._pending = {first: each for first, each in self._pending.items() if first > at.seen}

    def start_reading(self, version: Version) -> Position:
        """Begin to read pages, from where we stand or, in another epoch, from nothing."""
        with self._lock:
            self._reading += 1
            at = self._position
            if at is not None and at.epoch == version.epoch:
                return at
            return self.anew(version)

    def anew(self, version: Version) -> Position:
        """Return the position of an empty arena, to which nothing before ``version`` needs to be undone."""
        return Position(self._make_arena(), version.epoch, 0, version.seq)

    def stop_reading(self) -> None:
        """End what :meth:`start_reading` began."""
        with self._lock:
            self._reading -= 1
            if not self._reading:
                self._apply_pending()

    def apply(self, at: Position, page: PageOfChanges, written: Written, touched: Touched) -> Position | None:
        """Apply a page that was read behind ``at``.

        Returns
        -------
        The new position, or None where another reader has moved on meanwhile and the page is worth nothing.
        """
        entries, faults = unpack_page([id.decode() for id in written.ids], written.rows)
        with self._lock:
            mine = self._position is not None and self._position.arena is at.arena
            if mine and self._position != at:
                return None
            self._change(at.arena, page, entries, touched)
            self._note_faults(written.ids, faults)
            reached = Position(at.arena, page.epoch, page.seen, page.seq)
            if mine or (not page.more and not self._is_ahead_of(reached)):
                if self._position is not None and not mine:
                    self._retire(self._position.arena)
                self._position = reached
            return reached

    def _is_ahead_of(self, other: Position) -> bool:
        at = self._position
        return at is not None and at.epoch == other.epoch and at.seen >= other.seen

    @staticmethod
    def _change(arena: Arena, page: PageOfChanges, entries: Sequence[MemoryEntry], touched: Touched) -> None:
        if page.gone:
            arena.delete([id.decode() for id in page.gone])
        if entries:
            arena.put(entries)
        for id, access in zip(touched.ids, touched.accesses, strict=True):
            entry = arena.get(id.decode(), 0)
            if entry is not None and access is not None:
                count, at_us = access
                arena.touch([Touch(entry.id, at_us, count - entry.access_count)])

    def _note_faults(self, read: Iterable[bytes], faults: dict[str, AdapterError]) -> None:
        if self.corrupt:
            for id in read:
                self.corrupt.pop(id.decode(), None)
        self.corrupt.update(faults)
