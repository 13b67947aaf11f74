"""Reaching Chroma: in memory, in a folder, or on a server."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

import chromadb
import httpx
from chromadb.config import Settings

from axon.adapters._chroma.errors import TRANSIENT, mapped_errors
from axon.adapters._chroma.folder_lock import lock_folder, unlock_folder
from axon.core.adapter_options import ChromaOptions
from axon.core.errors import AdapterError, AdapterUnavailable, ConfigError
from axon.core.retry import RetryPolicy

if TYPE_CHECKING:
    from chromadb.api.client import Client

T = TypeVar("T")


class Connection:
    """A client that was connected, and what the adapter has to know of it. Blocking: call it from a worker.

    Attributes
    ----------
    client : Chroma's.
    place : for messages.
    prefix : begins the names of this adapter's collections.
    max_batch : most records per write.
    """

    def __init__(self, options: ChromaOptions) -> None:
        self._options = options
        self._locked: str | None = None
        self.place = _place(options)
        # All in-memory clients of a process share one engine, so each adapter keeps to names of its own.
        self.prefix = (
            options.collection_prefix if self.is_durable else f"{options.collection_prefix}-{uuid4().hex}"
        )
        self._retry = RetryPolicy(
            attempts=options.attempts, first_delay=0.05, max_delay=1.0, deadline=options.timeout
        )
        self.client: Client = self._connect()
        self.max_batch = min(self.call(self.client.get_max_batch_size), 5000)

    @property
    def is_durable(self) -> bool:
        """Whether the data outlives this process."""
        return self._options.path is not None or self._options.host is not None

    def call(self, work: Callable[[], T]) -> T:
        """Call Chroma, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up.
        NotFoundError
            Chroma's own, where a collection is not there.
        """
        started, failures = time.monotonic(), 0
        while True:
            try:
                with mapped_errors(self.place):
                    return work()
            except TRANSIENT as error:
                failures += 1
                pause = self._retry.pause(failures, random.random(), getattr(error, "retry_after", None))
                spent = time.monotonic() - started
                if failures >= self._retry.attempts or spent + pause > self._retry.deadline:
                    raise
            time.sleep(pause)

    def close(self) -> None:
        """Let go of the client; data in memory goes with it."""
        if not self.is_durable:
            for collection in self.client.list_collections():
                if collection.name.startswith(self.prefix):
                    self.client.delete_collection(collection.name)
        self.client.close()
        if self._options.host is not None:
            for session in _sessions_of(self.client):
                session.close()
        if self._locked is not None:
            unlock_folder(self._locked)
            self._locked = None

    def _connect(self) -> Any:
        options = self._options
        settings = Settings(anonymized_telemetry=False)
        if options.host is not None:
            return self._connect_to_server(settings)
        try:
            with mapped_errors(self.place):
                if options.path is None:
                    return chromadb.EphemeralClient(settings=settings)
                self._locked = lock_folder(options.path)
                return chromadb.PersistentClient(path=options.path, settings=settings)
        except BaseException as error:
            if self._locked is not None:
                unlock_folder(self._locked)
            if isinstance(error.__cause__, ValueError):
                raise ConfigError(
                    f"{error}; another client of this process has it open with other settings: "
                    "give that one Settings(anonymized_telemetry=False), or close it"
                ) from error
            raise

    def _connect_to_server(self, settings: Settings) -> Any:
        options = self._options
        headers = {name: value.get_secret_value() for name, value in options.headers.items()}
        # Chroma's client waits for ever while it is made, so a call with a limit goes first.
        self.call(lambda: _heartbeat(options, headers))
        try:
            with mapped_errors(self.place):
                client = chromadb.HttpClient(
                    host=options.host or "",
                    port=options.port,
                    ssl=options.ssl,
                    headers=headers,
                    settings=settings,
                    tenant=options.tenant,
                    database=options.database,
                )
        except AdapterError as error:
            raise AdapterUnavailable(f"{error}; check tenant, database and headers") from error
        for session in _sessions_of(client):
            session.timeout = httpx.Timeout(options.timeout)
        return client


def _sessions_of(client: Any) -> list[httpx.Client]:
    """Reach into Chroma's HTTP client, which offers neither a time limit nor a way to close its connections.

    It has two: one of its own, and one of the client that looks up tenant and database.
    """
    return [owner._server._session for owner in (client, client._admin_client)]


def _place(options: ChromaOptions) -> str:
    if options.host is not None:
        return f"{'https' if options.ssl else 'http'}://{options.host}:{options.port}"
    return "memory" if options.path is None else repr(options.path)


def _heartbeat(options: ChromaOptions, headers: dict[str, str]) -> None:
    url = f"{_place(options)}/api/v2/heartbeat"
    response = httpx.get(url, headers=headers, timeout=options.timeout)
    if response.status_code in (429, 502, 503, 504):
        raise AdapterUnavailable(
            f"Chroma at {_place(options)} answers {response.status_code}; try again later"
        )
    if response.status_code >= 400:
        raise ConfigError(
            f"{_place(options)} answers {response.status_code} to Chroma's heartbeat; check host and port"
        )
