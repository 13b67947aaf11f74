"""One namespace in Pinecone. Blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from axon.adapters._filters.pinecone import PineconeFilter
from axon.adapters._pinecone.contents import Contents, Question, alive, ended, is_expired
from axon.adapters._pinecone.finding import Finder
from axon.adapters._pinecone.names import ABOUT, record_id
from axon.adapters._pinecone.recent import Recent
from axon.adapters._pinecone.records import KINDS, About, Record, about_record, access_fields, entry_record
from axon.adapters._pinecone.shelf import Shelf
from axon.adapters._shared.room import Room, Step, counts_of, in_order, misfit
from axon.adapters._shared.walks import Key, Walks, key_of
from axon.core.errors import AdapterTimeout, EmbeddingMismatchError, InvalidInputError
from axon.core.models import EntryRecord, Hit, MemoryEntry, Page, SearchRequest, Touch
from axon.core.ports import OrderBy

_EVERYTHING = Question({"kind": {"$in": KINDS}}, lambda entry: True)
_PAUSE_SECONDS, _LONGEST_PAUSE = 0.02, 1.0


class PineconeRoom(Room):
    """The entries of one namespace, and a record of the namespace: the size of its vectors, and who made them.

    Parameters
    ----------
    shelf : the namespace in Pinecone.
    recent : the latest writes to it.
    namespace : its name.
    dims : numbers per vector of the index.
    walks : shared by all namespaces.
    most_waiting : writes that Pinecone does not show yet, beyond which writing waits.
    patience : seconds to wait for that.
    """

    def __init__(
        self,
        shelf: Shelf,
        recent: Recent,
        namespace: str,
        dims: int,
        walks: Walks,
        most_waiting: int,
        patience: float,
    ) -> None:
        self.recent = recent
        self._shelf = shelf
        self._namespace = namespace
        self._dims = dims
        self._walks = walks
        self._most_waiting = most_waiting
        self._patience = patience
        self._contents = Contents(shelf, recent, dims)
        self._finder = Finder(shelf, self._contents, recent, dims)

    def put_each(self, batches: Sequence[Sequence[MemoryEntry]]) -> list[Exception | None]:
        """Write batches; one that does not fit is left out and answered with its error."""
        self._wait_for_room()
        about = self._contents.about()
        answers: list[Exception | None] = []
        newest: dict[str, tuple[Record, MemoryEntry]] = {}
        known = about
        for batch in batches:
            try:
                known, records = self._checked(batch, known)
            except (EmbeddingMismatchError, InvalidInputError) as error:
                answers.append(error)
                continue
            answers.append(None)
            newest |= records
        if newest:
            self._write(newest, about, known)
        return answers

    def _write(self, newest: dict[str, tuple[Record, MemoryEntry]], before: About, about: About) -> None:
        ticket, records = self.recent.ticket(), [record for record, _ in newest.values()]
        if not before.is_stored:
            records.insert(0, about_record(self._namespace, about, self._dims))
        elif before != about:
            # Before the entries, so that whatever is there can be found.
            self._note(before, about)
        position = self._shelf.upsert(records)
        self.recent.note({entry.id: entry for _, entry in newest.values()}, position, ticket)
        if not before.is_stored:
            self.recent.note_about(msgspec.structs.replace(about, is_stored=True), position, ticket)
        self._show()

    def _checked(
        self, batch: Sequence[MemoryEntry], about: About
    ) -> tuple[About, dict[str, tuple[Record, MemoryEntry]]]:
        """Write the records of a batch, and what is known of the namespace after it."""
        error, dims = misfit(batch, about.dims)
        if error is not None:
            raise error
        if dims is not None and dims > self._dims:
            raise EmbeddingMismatchError(
                f"vectors of {dims} dimensions do not fit an index of {self._dims}; use an index of the embedder's "
                "dimensions"
            )
        records: dict[str, tuple[Record, MemoryEntry]] = {}
        zeros = about.zeros
        for entry in batch:
            record = entry_record(entry, self._dims)
            records[record["id"]] = record, entry
            zeros = zeros or (entry.stored_vector is not None and not entry.stored_vector.any())
        return msgspec.structs.replace(about, dims=dims, zeros=zeros), records

    def _note(self, known: About, about: About) -> None:
        """Record what is known of the namespace, leaving alone what another process may have recorded."""
        ticket = self.recent.ticket()
        if known.is_stored:
            before = known.fields()
            changed = {key: value for key, value in about.fields().items() if before.get(key) != value}
            position = (self._shelf.update({ABOUT: changed}) or {}).get(ABOUT)
        else:
            position = self._shelf.upsert([about_record(self._namespace, about, self._dims)])
        self.recent.note_about(msgspec.structs.replace(about, is_stored=True), position, ticket)

    def delete_each(self, batches: Sequence[Sequence[str]]) -> list[int]:
        """Delete batches; returns how many of each were there."""
        self._wait_for_room()
        ids = list(dict.fromkeys(id for batch in batches for id in batch))
        there = set(self._contents.get(ids))
        names = [record_id(id) for id in ids]
        if self._shelf.delete(names) or self._is_there_after_all(lambda: self._shelf.delete(names)):
            self.recent.note(dict.fromkeys(ids), None)
            self._show()
        return counts_of(there, batches)

    def clear_each(self, times: Sequence[None]) -> list[None]:
        """Delete everything."""
        if self._shelf.delete_all() or self._is_there_after_all(self._shelf.delete_all):
            self.recent.note_cleared()
            self._show()
        return list(times)

    def _is_there_after_all(self, delete: Callable[[], bool]) -> bool:
        """Delete again where Pinecone does not know a namespace that this process has just made."""
        return not self.recent.is_idle() and settle([self], self._patience) and delete()

    def touch_each(self, batches: Sequence[Sequence[Touch]]) -> list[None]:
        """Add access statistics."""
        touches = [touch for batch in batches for touch in batch]
        entries = self._contents.get([touch.id for touch in touches])
        for touch in touches:
            entry = entries.get(touch.id)
            if entry is not None:
                entries[touch.id] = MemoryEntry.of(entry.record.accessed(touch), entry.stored_vector)
        # Fields are merged into the record: writing it whole could bring back what another process has replaced.
        named = {record_id(id): entry for id, entry in entries.items()}
        changes = {name: access_fields(entry.record) for name, entry in named.items()}
        for name, position in (self._shelf.update(changes) or {}).items():
            self.recent.note({named[name].id: named[name]}, position)
        self._show()
        return [None] * len(batches)

    def bind_each(self, fingerprints: Sequence[str | None]) -> list[str | None]:
        """Record the first fingerprint unless one is recorded; returns the recorded one for each."""
        about = self._contents.about()
        wanted = next((each for each in fingerprints if each is not None), None)
        if about.embedder is None:
            about = self._contents.about(fresh=True)
        if about.embedder is None and wanted is not None:
            bound = msgspec.structs.replace(about, embedder=wanted)
            self._note(about, bound)
            self._show()
            about = bound
        return [about.embedder] * len(fingerprints)

    def get(self, ids: Sequence[str], now_us: int) -> list[MemoryEntry | None]:
        """Read unexpired entries in the order of ``ids``."""
        self._contents.catch_up()
        found = self._contents.get(ids)
        return in_order({id: entry for id, entry in found.items() if not is_expired(entry, now_us)}, ids)

    def search(self, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches in order; their text is passed over."""
        self._contents.catch_up()
        return self._finder.search(requests, now_us)

    def page(self, native: PineconeFilter, now_us: int, step: Step) -> Page:
        """Return one page of a walk."""
        self._contents.catch_up()
        kept: dict[str, MemoryEntry] = {}

        def read() -> list[Key]:
            keys = []
            for row in self._contents.rows(alive(native, now_us)):
                keys.append(_key(row.record, step.order_by))
                if len(keys) <= step.limit:
                    kept[row.record.id] = row.whole()
            return keys

        ids, following = self._walks.page(read, step)
        # All that fits into one page was read with its key.
        missing = [id for id in ids if id not in kept]
        kept |= (
            {entry.id: entry for entry in self.get(missing, now_us) if entry is not None} if missing else {}
        )
        return Page([kept[id] for id in ids if id in kept], following)

    def count(self, native: PineconeFilter, now_us: int) -> int:
        """Count unexpired entries; Pinecone has no call for it, so their ids are read."""
        self._contents.catch_up()
        return sum(1 for _ in self._contents.ids(alive(native, now_us)))

    def expired(self, limit: int, now_us: int) -> list[str]:
        """Ids of up to ``limit`` expired entries."""
        self._contents.catch_up()
        return [row.record.id for row in islice(self._contents.rows(ended(now_us)), limit)]

    def size(self) -> int:
        """Count the entries, expired ones too."""
        return sum(1 for _ in self._contents.ids(_EVERYTHING))

    def ask_position(self) -> None:
        """Ask up to where Pinecone is complete."""
        self._contents.ask_position()

    def _wait_for_room(self) -> None:
        """Let Pinecone catch up before more is written than this process wants to hold.

        Raises
        ------
        AdapterTimeout
            If it does not in time; nothing was written.
        """
        if self.recent.waiting() >= max(1, self._most_waiting) and not settle([self], self._patience):
            raise AdapterTimeout(
                f"Pinecone does not show {self.recent.waiting()} writes after {self._patience} s, and this process "
                "holds no more; write later, or raise the option max_unseen or settle_seconds"
            )

    def _show(self) -> None:
        """Wait until Pinecone shows what was written, where every write has to be shown.

        Raises
        ------
        AdapterTimeout
            If it does not in time; it was written all the same.
        """
        if self._most_waiting == 0 and not settle([self], self._patience):
            raise AdapterTimeout(
                f"Pinecone stored a write but does not show it after {self._patience} s; it will appear later, or "
                "raise the option settle_seconds"
            )


def settle(rooms: Sequence[PineconeRoom], seconds: float) -> bool:
    """Wait until Pinecone shows every write of this process; False where it does not in time."""
    end, pause = time.monotonic() + seconds, _PAUSE_SECONDS
    waiting = [room for room in rooms if room.recent.waiting()]
    while waiting:
        for room in waiting:
            room.ask_position()
        waiting = [room for room in waiting if room.recent.waiting()]
        if waiting:
            if time.monotonic() + pause > end:
                return False
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    return True


def _key(record: EntryRecord, order_by: OrderBy) -> Key:
    fields = {
        "created_at": record.created_us,
        "updated_at": record.updated_us,
        "accessed_at": record.accessed_us,
        "importance": record.importance,
    }
    return key_of(fields, order_by), record.id
