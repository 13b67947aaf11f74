"""What this process wrote and Pinecone may not show yet.

Pinecone is eventually consistent. Each write gets a position in the log of its namespace, and each answer to a query
tells up to which position it is complete. Until a write is covered, reads of this process add it themselves.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple
from weakref import WeakValueDictionary

from axon.adapters._pinecone.records import About
from axon.core.models import MemoryEntry

TRUST_SECONDS = 10.0
"""How long what was read of a namespace is believed; another process may change it."""

ASK_AFTER_SECONDS = 0.5
"""When no query has told the position for this long, reading asks for it."""


UNKNOWN_SECONDS = 60.0
"""How long a write is added whose position Pinecone does not tell."""


class View(NamedTuple):
    """What to make of an answer.

    Attributes
    ----------
    cleared : nothing that Pinecone shows is there any more.
    entries : by id, in place of what Pinecone shows; None where deleted.
    """

    cleared: bool
    entries: dict[str, MemoryEntry | None]


class _Change(NamedTuple):
    entry: MemoryEntry | None
    number: int
    position: int | None
    since: float


class Recent:
    """The latest writes to one namespace. Safe to use from several threads.

    Parameters
    ----------
    fetch_lag : seconds that writes are added longer than queries need it: fetches tell no position.
    clock : gives monotonic seconds.

    Attributes
    ----------
    floor : position that every answer must have reached, because what was written up to it is not added any more.
    """

    def __init__(self, fetch_lag: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.floor = -1
        self._fetch_lag = fetch_lag
        self._clock = clock
        self._lock = threading.Lock()
        self._number = 0
        self._uncertain = False
        self._changes: dict[str, _Change] = {}
        self._cleared: _Change | None = None
        self._about: tuple[About, _Change | None, float] | None = None
        self._shown = -1
        self._showings: deque[tuple[int, float]] = deque()
        self._asked = clock()

    def ticket(self) -> int:
        """Take the number of the last change, before a write is sent."""
        with self._lock:
            return self._number

    def note(
        self, entries: Mapping[str, MemoryEntry | None], position: int | None, ticket: int | None = None
    ) -> None:
        """Note a write that was acknowledged.

        Parameters
        ----------
        entries : by id; None where deleted.
        position : in the log, or None where Pinecone's client does not tell.
        ticket : taken before it was sent; whatever was noted before then lies before ``position``.
        """
        with self._lock:
            self._bound(position, ticket)
            if position is not None and position <= self.floor:
                return
            for id, entry in entries.items():
                known = self._changes.get(id)
                if known is None or position is None or (known.position or -1) <= position:
                    self._changes[id] = self._change(entry, position)

    def note_about(self, about: About, position: int | None, ticket: int) -> None:
        """Note that the record of the namespace was written; parameters as in :meth:`note`."""
        with self._lock:
            self._bound(position, ticket)
            change = None if position is not None and position <= self.floor else self._change(None, position)
            self._about = about, change, self._clock()

    def note_cleared(self) -> None:
        """Note that everything was deleted."""
        with self._lock:
            self._changes.clear()
            # Pinecone may drop the namespace with its log, and begin anew.
            self._start_over()
            self._cleared = self._change(None, None)
            self._about = About(), self._cleared, self._clock()

    def learn_about(self, about: About) -> None:
        """Note what the record of the namespace holds in Pinecone."""
        with self._lock:
            if self._about is None or self._about[1] is None:
                self._about = about, None, self._clock()

    def about(self, fresh: bool = False) -> About | None:
        """Tell what is known of the namespace; None where it has to be read.

        Parameters
        ----------
        fresh : what was read before does not count; what this process wrote and Pinecone may not show yet does.
        """
        with self._lock:
            self._forget()
            if self._about is None:
                return None
            about, change, since = self._about
            is_old = change is None and (fresh or self._clock() - since > TRUST_SECONDS)
            return None if is_old else about

    def shown(self, position: int | None) -> None:
        """Note up to which position an answer was complete."""
        with self._lock:
            if position is not None:
                self._asked = self._clock()
                if position > self._shown:
                    self._shown = position
                    self._showings.append((position, self._asked))

    def view(self) -> View:
        """Take what has to be added to answers that are asked for from now on."""
        with self._lock:
            self._forget()
            return View(self._cleared is not None, {id: change.entry for id, change in self._changes.items()})

    def is_behind(self, position: int | None) -> bool:
        """Tell whether an answer, complete up to ``position``, lacks what is not added any more."""
        return position is not None and position < self.floor

    def note_gone(self) -> None:
        """Note that Pinecone has no such namespace: nothing in it has to be hidden."""
        with self._lock:
            self._changes = {id: each for id, each in self._changes.items() if each.position is not None}
            self._cleared = None
            self._about = None
            self._uncertain = False
            self._start_over()

    def start_over(self) -> None:
        """Believe any position again: the log of a namespace that was deleted and made anew may begin at 0."""
        with self._lock:
            self._start_over()

    def _start_over(self) -> None:
        self.floor = self._shown = -1
        self._showings.clear()

    def waiting(self) -> int:
        """Count the writes that no answer has covered yet."""
        with self._lock:
            return sum(self._is_waiting(change) for change in self._all())

    def is_uncertain(self) -> bool:
        """Tell whether the position of some write is unknown."""
        return self._uncertain

    def is_idle(self) -> bool:
        """Tell whether nothing has to be added to answers."""
        with self._lock:
            self._forget()
            return not self._all()

    def has_to_ask(self) -> bool:
        """Tell whether writes are waiting and it is time to ask for the position; the caller then asks."""
        with self._lock:
            now = self._clock()
            if now - self._asked < ASK_AFTER_SECONDS:
                return False
            self._asked = now
            return any(self._is_waiting(change) for change in self._all())

    def _is_waiting(self, change: _Change) -> bool:
        return change.position is None or change.position > self._shown

    def _all(self) -> list[_Change]:
        about = None if self._about is None else self._about[1]
        return [*self._changes.values(), *(each for each in (self._cleared, about) if each is not None)]

    def _change(self, entry: MemoryEntry | None, position: int | None) -> _Change:
        self._number += 1
        self._uncertain = self._uncertain or position is None
        if not self._changes:
            self._asked = self._clock()
        return _Change(entry, self._number, position, self._clock())

    def _bound(self, position: int | None, ticket: int | None) -> None:
        """Everything noted before ``ticket`` was taken lies before ``position``."""
        if position is None or ticket is None or not self._uncertain:
            return

        def bounded(change: _Change) -> _Change:
            return (
                change._replace(position=position)
                if change.position is None and change.number <= ticket
                else change
            )

        self._changes = {id: bounded(change) for id, change in self._changes.items()}
        if self._cleared is not None:
            self._cleared = bounded(self._cleared)
        if self._about is not None and self._about[1] is not None:
            self._about = self._about[0], bounded(self._about[1]), self._about[2]
        self._uncertain = any(change.position is None for change in self._all())

    def _forget(self) -> None:
        """Drop what answers have covered for long enough."""
        now, floor = self._clock(), self.floor
        while self._showings and now - self._showings[0][1] >= self._fetch_lag:
            floor = self._showings.popleft()[0]
        if floor == self.floor and not self._uncertain:
            return
        self.floor = floor

        def is_old(change: _Change) -> bool:
            if change.position is None:
                return now - change.since > UNKNOWN_SECONDS
            return change.position <= floor

        self._changes = {id: change for id, change in self._changes.items() if not is_old(change)}
        if self._cleared is not None and is_old(self._cleared):
            self._cleared = None
        if self._about is not None and self._about[1] is not None and is_old(self._about[1]):
            self._about = self._about[0], None, now
        self._uncertain = any(change.position is None for change in self._all())


_guard = threading.Lock()
_known: WeakValueDictionary[tuple[str, str], Recent] = WeakValueDictionary()
_held: list[Recent] = []
"""Of adapters that were closed, until Pinecone shows what they wrote."""


def recent_of(host: str, name: str, fetch_lag: float) -> Recent:
    """Return the latest writes to a namespace, shared by all adapters of this process; the first one's lag counts."""
    with _guard:
        _held[:] = [recent for recent in _held if not recent.is_idle()]
        recent = _known.get((host, name))
        if recent is None:
            recent = _known[host, name] = Recent(fetch_lag)
        return recent


def hold(recents: Iterable[Recent]) -> None:
    """Keep the latest writes of an adapter that is closed, until Pinecone shows them."""
    with _guard:
        _held.extend(recent for recent in recents if not recent.is_idle())
