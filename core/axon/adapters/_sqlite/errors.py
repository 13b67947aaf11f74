"""From SQLite's errors to Axon's."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, CorruptStoreError

ERRORS: dict[int, type[AdapterError]] = {
    sqlite3.SQLITE_BUSY: AdapterTimeout,
    sqlite3.SQLITE_LOCKED: AdapterTimeout,
    sqlite3.SQLITE_CANTOPEN: AdapterUnavailable,
    sqlite3.SQLITE_READONLY: AdapterUnavailable,
    sqlite3.SQLITE_PERM: AdapterUnavailable,
    sqlite3.SQLITE_IOERR: AdapterUnavailable,
    sqlite3.SQLITE_FULL: AdapterUnavailable,
    sqlite3.SQLITE_CORRUPT: CorruptStoreError,
    sqlite3.SQLITE_NOTADB: CorruptStoreError,
}
"""By primary result code; anything else is an ``AdapterError``."""

_ADVICE: dict[type[AdapterError], str] = {
    AdapterTimeout: "another process keeps it locked; raise busy_timeout or close the other writer",
    AdapterUnavailable: "check that the folder exists, is writable and has room",
    CorruptStoreError: "it is damaged or no SQLite database; restore a backup or choose another path",
}


def primary_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error, 0 if it has none."""
    return (getattr(error, "sqlite_errorcode", 0) or 0) & 0xFF


@contextmanager
def mapped_errors(path: str) -> Iterator[None]:
    """Turn SQLite's errors inside the block into Axon's, with advice."""
    try:
        yield
    except sqlite3.Error as error:
        kind = ERRORS.get(primary_code(error), AdapterError)
        advice = _ADVICE.get(kind)
        raise kind(f"{path!r}: {error}" + (f"; {advice}" if advice else "")) from error
