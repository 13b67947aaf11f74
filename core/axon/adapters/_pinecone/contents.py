"""What a namespace holds: what Pinecone shows, and what this process wrote in place of it. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

from axon.adapters._filters.pinecone import PineconeFilter, Where, all_of_clauses
from axon.adapters._pinecone.names import ABOUT, record_id
from axon.adapters._pinecone.recent import Recent
from axon.adapters._pinecone.records import About, about_of, entry_of, placeholder, record_of
from axon.adapters._pinecone.shelf import Shelf
from axon.core.filter.evaluate import matches
from axon.core.models import EntryRecord, MemoryEntry

T = TypeVar("T")


class Question(NamedTuple):
    """Which entries are asked for.

    Attributes
    ----------
    where : for Pinecone; never empty, and never true of the record of a namespace.
    accepts : the same for an entry in this process.
    """

    where: Where
    accepts: Callable[[MemoryEntry], bool]


def alive(native: PineconeFilter, now_us: int) -> Question:
    """Ask for what has not expired and satisfies a filter."""
    lives: Where = {"expires_at": {"$gt": now_us}}
    where = lives if native.where is None else all_of_clauses(lives, native.where)
    return Question(where, lambda entry: not is_expired(entry, now_us) and matches(native.node, entry))


def ended(now_us: int) -> Question:
    """Ask for what has expired."""
    return Question({"expires_at": {"$lte": now_us}}, lambda entry: is_expired(entry, now_us))


def of_kinds(question: Question, kinds: Sequence[str]) -> Where:
    """Ask Pinecone for some kinds of records only."""
    return all_of_clauses({"kind": {"$in": list(kinds)}}, question.where)


def is_expired(entry: MemoryEntry, now_us: int) -> bool:
    """Tell whether an entry has expired."""
    return entry.record.expires_us is not None and entry.record.expires_us <= now_us


class Row(NamedTuple):
    """An entry that a walk came by.

    Attributes
    ----------
    record : the entry without its vector.
    whole : reads all of it.
    """

    record: EntryRecord
    whole: Callable[[], MemoryEntry]


class Contents:
    """The entries of one namespace, as this process has to see them.

    Parameters
    ----------
    shelf : the namespace in Pinecone.
    recent : the latest writes to it.
    dims : numbers per vector of the index.
    """

    def __init__(self, shelf: Shelf, recent: Recent, dims: int) -> None:
        self._shelf = shelf
        self._recent = recent
        self._dims = dims

    def about(self, fresh: bool = False) -> About:
        """Read what is known of the namespace; ``fresh`` where another process may just have changed it."""
        known = self._recent.about(fresh)
        if known is not None:
            return known
        found = self._shelf.fetch([ABOUT]).get(ABOUT)
        about = about_of(None if found is None else found.metadata or {})
        self._recent.learn_about(about)
        return about

    def catch_up(self) -> None:
        """Ask up to where Pinecone is complete, where writes wait for that and nobody has asked lately."""
        if self._recent.has_to_ask():
            self.ask_position()

    def ask_position(self) -> None:
        """Ask up to where Pinecone is complete, after making sure that every write has a position."""
        if self._recent.is_uncertain():
            # Deleting tells no position; whatever is written after it does.
            ticket = self._recent.ticket()
            marked = self._shelf.update({ABOUT: {"mark": ticket}})
            if marked is None:
                self._recent.note_gone()
            else:
                self._recent.note({}, marked[ABOUT], ticket)
        self._shelf.ask_position(placeholder(self._dims))

    def get(self, ids: Sequence[str]) -> dict[str, MemoryEntry]:
        """Read entries by id, expired or not."""
        view = self._recent.view()
        found: dict[str, MemoryEntry] = {}
        missing = []
        for id in dict.fromkeys(ids):
            entry = view.entries.get(id)
            if entry is not None:
                found[id] = entry.detached()
            elif id not in view.entries and not view.cleared:
                missing.append(record_id(id))
        for vector in self._shelf.fetch(missing).values() if missing else ():
            entry = entry_of(vector.metadata, vector.values)
            found[entry.id] = entry
        return found

    def ids(self, question: Question) -> Iterator[str]:
        """Walk ids, in no promised order."""
        return self._walk(question, lambda vector: _id_of(vector), lambda entry: entry.id)

    def rows(self, question: Question) -> Iterator[Row]:
        """Walk entries whose vectors are read on demand, in no promised order."""
        return self._walk(
            question,
            lambda vector: Row(record_of(vector.metadata), lambda: entry_of(vector.metadata, vector.values)),
            lambda entry: Row(entry.record, entry.detached),
        )

    def entries(self, question: Question) -> Iterator[MemoryEntry]:
        """Walk entries, in no promised order."""
        return (row.whole() for row in self.rows(question))

    def _walk(
        self, question: Question, shown: Callable[[Any], T], written: Callable[[MemoryEntry], T]
    ) -> Iterator[T]:
        view = self._recent.view()
        for entry in view.entries.values():
            if entry is not None and question.accepts(entry):
                yield written(entry)
        if view.cleared:
            return
        for vector in self._shelf.walk(question.where):
            if _id_of(vector) not in view.entries:
                yield shown(vector)


def _id_of(vector: Any) -> str:
    return str((vector.metadata or {}).get("id"))
