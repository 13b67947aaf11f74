"""The tables of one collection, and opening a file that has them."""

from __future__ import annotations

import os
import sqlite3

from axon.adapters._sqlite.errors import mapped_errors
from axon.core.adapter_options import SqliteOptions
from axon.core.errors import AdapterUnavailable, CorruptStoreError, SchemaVersionError

APPLICATION_ID = 0x41786F6E
SCHEMA_VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS {c}_namespaces(key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, embedder TEXT);
CREATE TABLE IF NOT EXISTS {c}_entries(
    seq INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, id TEXT NOT NULL,
    record BLOB NOT NULL, vector BLOB, UNIQUE(namespace, id));
CREATE TABLE IF NOT EXISTS {c}_deleted(seq INTEGER PRIMARY KEY, namespace INTEGER NOT NULL, id TEXT);
CREATE TABLE IF NOT EXISTS {c}_access(seq INTEGER PRIMARY KEY, count INTEGER NOT NULL, at_us INTEGER NOT NULL);
"""
"""Every write and every deletion takes the next number, so another process finds what is new behind the last one it
saw. ``{c}_deleted`` lists what went, and has no id where a whole namespace was cleared. Access statistics stand apart,
so that counting a recall does not rewrite the vector."""


def connect(options: SqliteOptions) -> sqlite3.Connection:
    """Open a connection in autocommit mode, for any thread; a busy file fails at once.

    Raises
    ------
    AdapterUnavailable
        If the file cannot be opened.
    CorruptStoreError
        If it is no SQLite database.
    """
    with mapped_errors(options.path):
        connection = sqlite3.connect(options.path, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA synchronous={options.synchronous}")
            connection.execute("PRAGMA secure_delete=ON")
            connection.execute("PRAGMA wal_autocheckpoint=0")
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def prepare_file(options: SqliteOptions) -> None:
    """Make the file and the tables where they are missing, and refuse what this version cannot read.

    Raises
    ------
    AdapterUnavailable, CorruptStoreError
        As :func:`connect`.
    SchemaVersionError
        If a newer version wrote the file.
    """
    folder = os.path.dirname(os.path.abspath(options.path))
    if not os.path.isdir(folder):
        raise AdapterUnavailable(f"the folder {folder!r} does not exist; create it or choose another path")
    if os.path.isdir(options.path):
        raise AdapterUnavailable(f"{options.path!r} is a folder; name a file")
    connection = connect(options)
    try:
        with mapped_errors(options.path):
            connection.execute(f"PRAGMA busy_timeout={round(options.busy_timeout * 1000)}")
            _check_owner(connection, options.path)
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
            for statement in _TABLES.format(c=options.collection).split(";\n"):
                connection.execute(statement)
            connection.execute(
                f"DELETE FROM {options.collection}_access "
                f"WHERE seq NOT IN (SELECT seq FROM {options.collection}_entries)"
            )
            connection.execute("COMMIT")
    finally:
        connection.close()


def _check_owner(connection: sqlite3.Connection, path: str) -> None:
    owner = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if owner not in (0, APPLICATION_ID):
        raise CorruptStoreError(f"{path!r} belongs to another application; choose another path")
    if owner == APPLICATION_ID and version > SCHEMA_VERSION:
        raise SchemaVersionError(
            f"{path!r} has schema version {version}, this Axon reads up to {SCHEMA_VERSION}; upgrade axon-integrations"
        )
