"""What a blocking backend has to offer, so that one async face serves for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.lanes import Lanes
from axon.core.errors import EmbeddingMismatchError
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, TextStatistics, Touch
from axon.core.ports import AdapterStats, OrderBy


class Step(NamedTuple):
    """Which page of a walk is asked for; see ``StorageAdapter.scan``."""

    order_by: OrderBy
    descending: bool
    cursor: str | None
    limit: int


class Room(ABC):
    """One namespace.

    Its methods block. Those named ``each`` write: they are given what several callers asked for, and run in one
    thread. ``native`` is a compiled filter, or True for none.
    """

    @abstractmethod
    def put_each(self, batches: Sequence[Sequence[MemoryEntry]]) -> Sequence[Exception | None]:
        """Write batches; one that does not fit is left out and answered with its error."""

    @abstractmethod
    def delete_each(self, batches: Sequence[Sequence[str]]) -> Sequence[int]:
        """Delete batches; returns how many of each were there."""

    @abstractmethod
    def touch_each(self, batches: Sequence[Sequence[Touch]]) -> Sequence[None]:
        """Add access statistics."""

    @abstractmethod
    def bind_each(self, fingerprints: Sequence[str | None]) -> Sequence[str | None]:
        """Record the first fingerprint unless one is recorded; returns the recorded one for each."""

    @abstractmethod
    def clear_each(self, times: Sequence[None]) -> Sequence[None]:
        """Delete everything."""

    @abstractmethod
    def get(self, ids: Sequence[str], now_us: int) -> list[MemoryEntry | None]:
        """Read unexpired entries in the order of ``ids``."""

    @abstractmethod
    def search(self, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches in order; their text is passed over where words are not ranked."""

    def text_statistics(self, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it; None where words are not ranked."""
        return None

    @abstractmethod
    def page(self, native: Any, now_us: int, step: Step) -> Page:
        """Return one page of a walk."""

    @abstractmethod
    def count(self, native: Any, now_us: int) -> int:
        """Count unexpired entries."""

    @abstractmethod
    def expired(self, limit: int, now_us: int) -> list[str]:
        """Ids of up to ``limit`` expired entries."""


class Session(ABC):
    """An open adapter.

    Attributes
    ----------
    lanes : the threads that call its rooms.
    circuit : of the server, or None for an engine in this process.
    """

    lanes: Lanes[Room]
    circuit: Circuit | None

    @abstractmethod
    def room(self, namespace: str) -> Room:
        """Return a namespace, always the same object; nothing is made in the backend yet."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Count the entries of every namespace; blocks."""

    @abstractmethod
    def stats(self) -> AdapterStats:
        """Describe the present state; blocks."""

    @abstractmethod
    def close(self) -> None:
        """Finish what was asked for and let go of the backend; blocks."""


def misfit(
    batch: Sequence[MemoryEntry], dims: int | None
) -> tuple[EmbeddingMismatchError | None, int | None]:
    """Check a batch against the dimensions known so far; returns the error, and the dimensions known after it."""
    first = dims
    for entry in batch:
        if entry.dims is None or entry.dims == dims:
            continue
        if dims is not None:
            message = (
                f"the vector of entry {entry.id!r} has {entry.dims} dimensions, this namespace holds {dims}; "
                "use the embedder the namespace was filled with, or another namespace"
            )
            return EmbeddingMismatchError(message), first
        dims = entry.dims
    return None, dims


class Batches(NamedTuple):
    """What several callers want written, put together.

    Attributes
    ----------
    answers : for each batch, the error for which it is left out, or None.
    dims : numbers per vector after them; None while there is no vector.
    with_vector, without : the entries to write, the last of each id.
    """

    answers: list[EmbeddingMismatchError | None]
    dims: int | None
    with_vector: list[MemoryEntry]
    without: list[MemoryEntry]


def put_together(batches: Sequence[Sequence[MemoryEntry]], dims: int | None) -> Batches:
    """Check batches one after the other against the dimensions known so far, and join those that fit."""
    answers: list[EmbeddingMismatchError | None] = []
    newest: dict[str, MemoryEntry] = {}
    for batch in batches:
        error, agreed = misfit(batch, dims)
        answers.append(error)
        if error is None:
            dims = agreed
            newest.update((entry.id, entry) for entry in batch)
    with_vector = [entry for entry in newest.values() if entry.dims is not None]
    return Batches(answers, dims, with_vector, [entry for entry in newest.values() if entry.dims is None])


def check_query(request: SearchRequest, dims: int | None) -> None:
    """Refuse a query vector that does not fit.

    Raises
    ------
    EmbeddingMismatchError
    """
    if request.vector is not None and dims is not None and request.vector.shape[0] != dims:
        raise EmbeddingMismatchError(
            f"the query vector has {request.vector.shape[0]} dimensions, this namespace holds {dims}; "
            "use the embedder the namespace was filled with"
        )


def counts_of(there: set[str], batches: Sequence[Sequence[str]]) -> list[int]:
    """Tell how many ids of each batch were there, an id counting once."""
    left, counts = set(there), []
    for batch in batches:
        gone = left.intersection(batch)
        left -= gone
        counts.append(len(gone))
    return counts


def in_order(found: dict[str, MemoryEntry], ids: Sequence[str]) -> list[MemoryEntry | None]:
    """Hand out entries in the order asked for, one that is asked for twice as two objects."""
    handed_out: set[str] = set()
    answer: list[MemoryEntry | None] = []
    for id in ids:
        entry = found.get(id)
        answer.append(entry.detached() if entry is not None and id in handed_out else entry)
        handed_out.add(id)
    return answer
