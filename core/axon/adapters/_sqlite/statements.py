"""What is written to the file: each change as data, each with the SQL that carries it out."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence

import msgspec

from axon.core.codec import encode_record
from axon.core.models import EntryRecord, MemoryEntry

_IS_LITTLE_ENDIAN = sys.byteorder == "little"


class Put(msgspec.Struct, frozen=True):
    """Write entries whole."""

    namespace: str
    entries: Sequence[MemoryEntry]

    @property
    def weight(self) -> int:
        """Rows written."""
        return len(self.entries)


class Delete(msgspec.Struct, frozen=True):
    """Delete entries by id."""

    namespace: str
    ids: Sequence[str]

    @property
    def weight(self) -> int:
        """Rows written."""
        return len(self.ids)


class Clear(msgspec.Struct, frozen=True):
    """Delete a whole namespace."""

    namespace: str
    weight: int = 1_000_000


class Count(msgspec.Struct, frozen=True):
    """Write access statistics."""

    namespace: str
    records: Sequence[EntryRecord]

    @property
    def weight(self) -> int:
        """Rows written."""
        return len(self.records)


class Bind(msgspec.Struct, frozen=True):
    """Record the embedder of a namespace, unless one is recorded."""

    namespace: str
    fingerprint: str
    weight: int = 1


Change = Put | Delete | Clear | Count | Bind


class Statements:
    """The SQL of one collection.

    Parameters
    ----------
    collection : letters, digits and ``_`` only, so that it may stand in SQL.
    """

    def __init__(self, collection: str) -> None:
        c = collection
        self.find_namespace = f"SELECT key FROM {c}_namespaces WHERE name = ?"
        self.make_namespace = f"INSERT INTO {c}_namespaces(name) VALUES (?)"
        self.put = f"INSERT OR REPLACE INTO {c}_entries VALUES (?, ?, ?, ?, ?)"
        self.delete = f"DELETE FROM {c}_entries WHERE namespace = ? AND id = ?"
        self.clear = f"DELETE FROM {c}_entries WHERE namespace = ?"
        self.unbind = f"UPDATE {c}_namespaces SET embedder = NULL WHERE key = ?"
        self.note_deleted = f"INSERT INTO {c}_deleted VALUES (?, ?, ?)"
        self.bind = f"UPDATE {c}_namespaces SET embedder = ? WHERE key = ? AND embedder IS NULL"
        self.count_access = (
            f"INSERT OR REPLACE INTO {c}_access(seq, count, at_us) "
            f"SELECT seq, ?, ? FROM {c}_entries WHERE namespace = ? AND id = ?"
        )
        # Through the numbers, so that only they are sorted: the plain form sorts whole rows, vectors included.
        self.load = (
            f"SELECT seq, id, record, vector FROM {c}_entries "
            f"WHERE seq IN (SELECT seq FROM {c}_entries WHERE namespace = ?) ORDER BY seq"
        )
        self.access = f"SELECT seq, count, at_us FROM {c}_access"
        self.namespaces = (
            f"SELECT name FROM {c}_namespaces WHERE key IN (SELECT DISTINCT namespace FROM {c}_entries)"
        )
        self.embedder = f"SELECT embedder FROM {c}_namespaces WHERE name = ?"
        self.embedder_of = f"SELECT embedder FROM {c}_namespaces WHERE key = ?"
        self.total = f"SELECT count(*) FROM {c}_entries"
        self.newest = (
            f"SELECT max((SELECT coalesce(max(seq), 0) FROM {c}_entries), "
            f"(SELECT coalesce(max(seq), 0) FROM {c}_deleted))"
        )
        self.added_since = (
            f"SELECT n.name, e.seq, e.id, e.record, e.vector FROM {c}_entries e "
            f"JOIN {c}_namespaces n ON n.key = e.namespace WHERE e.seq > ? ORDER BY e.seq"
        )
        self.deleted_since = (
            f"SELECT n.name, d.id FROM {c}_deleted d "
            f"JOIN {c}_namespaces n ON n.key = d.namespace WHERE d.seq > ? ORDER BY d.seq"
        )


class Outcome(msgspec.Struct, frozen=True):
    """What writing a change came to.

    Attributes
    ----------
    newest : the last number used.
    fingerprint : after a ``Bind``, the one that is recorded now; None after anything else.
    """

    newest: int
    fingerprint: str | None = None


def carry_out(
    connection: sqlite3.Connection, sql: Statements, key: int, change: Change, newest: int
) -> Outcome:
    """Write one change inside the open transaction.

    Parameters
    ----------
    key : the namespace's.
    newest : the last number used so far.
    """
    if isinstance(change, Put):
        rows = [
            (seq, key, entry.record.id, encode_record(entry.record), _blob(entry))
            for seq, entry in enumerate(change.entries, newest + 1)
        ]
        if len(rows) == 1:
            connection.execute(sql.put, rows[0])
        else:
            connection.executemany(sql.put, rows)
        return Outcome(newest + len(rows))
    if isinstance(change, Delete):
        connection.executemany(sql.delete, [(key, id) for id in change.ids])
        connection.executemany(
            sql.note_deleted, [(seq, key, id) for seq, id in enumerate(change.ids, newest + 1)]
        )
        return Outcome(newest + len(change.ids))
    if isinstance(change, Clear):
        connection.execute(sql.clear, (key,))
        connection.execute(sql.unbind, (key,))
        connection.execute(sql.note_deleted, (newest + 1, key, None))
        return Outcome(newest + 1)
    if isinstance(change, Bind):
        connection.execute(sql.bind, (change.fingerprint, key))
        return Outcome(newest, connection.execute(sql.embedder_of, (key,)).fetchone()[0])
    counts = [(each.access_count, each.accessed_us, key, each.id) for each in change.records]
    connection.executemany(sql.count_access, counts)
    return Outcome(newest)


def _blob(entry: MemoryEntry) -> bytes | None:
    vector = entry.stored_vector
    if vector is None:
        return None
    return vector.tobytes() if _IS_LITTLE_ENDIAN else vector.astype("<f4").tobytes()
