"""Reaching Chroma: in memory, in a folder, or on a server."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

import chromadb
from chromadb.config import Settings

from axon.adapters._chroma.errors import translated
from axon.adapters._chroma.server_client import ServerClient
from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.folder_lock import lock_folder, unlock_folder
from axon.adapters._shared.patience import Patience
from axon.adapters._shared.translation import NoCollectionError
from axon.core.adapter_options import ChromaOptions
from axon.core.errors import AdapterUnavailable, ConfigError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

T = TypeVar("T")

_ONE_PROCESS = "Chroma's embedded form serves one; run a Chroma server and name its host"


class Connection:
    """A client that was connected, and what the adapter has to know of it. Blocking: call it from a worker.

    Attributes
    ----------
    client : Chroma's.
    place : for messages.
    prefix : begins the names of this adapter's collections.
    max_batch : most records per write.
    circuit : of the server; None for the embedded engine.
    patience : how calls are made.
    """

    def __init__(self, options: ChromaOptions) -> None:
        self._options = options
        self._locked: str | None = None
        self.place = _place(options)
        # All in-memory clients of a process share one engine, so each adapter keeps to names of its own.
        self.prefix = (
            options.collection_prefix if self.is_durable else f"{options.collection_prefix}-{uuid4().hex}"
        )
        self.circuit = Circuit() if options.host is not None else None
        translate = partial(translated, place=self.place)
        self.patience = Patience(options.attempts, options.timeout, translate, self.circuit)
        self.client: ClientAPI = self._connect_to_server() if options.host is not None else self._embed()
        try:
            self.max_batch = min(self.call(self.client.get_max_batch_size), 5000)
        except BaseException:
            self.close()
            raise

    @property
    def is_durable(self) -> bool:
        """Whether the data outlives this process."""
        return self._options.path is not None or self._options.host is not None

    def call(self, work: Callable[[], T]) -> T:
        """Call Chroma, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up; ``NoCollectionError`` where a collection is not
            there.
        """
        return self.patience.call(work)

    def close(self) -> None:
        """Let go of the client; data in memory goes with it."""
        if not self.is_durable:
            for collection in self.call(self.client.list_collections):
                if collection.name.startswith(self.prefix):
                    self.call(partial(self.client.delete_collection, collection.name))
        self.client.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._locked is not None:
            unlock_folder(self._locked)
            self._locked = None

    def _embed(self) -> ClientAPI:
        options, settings = self._options, Settings(anonymized_telemetry=False)
        if options.path is None:
            return self.call(lambda: chromadb.EphemeralClient(settings=settings))
        path = options.path
        try:
            self._locked = self.call(lambda: lock_folder(path, _ONE_PROCESS))
            return self.call(lambda: chromadb.PersistentClient(path=path, settings=settings))
        except BaseException as error:
            self._unlock()
            if isinstance(error.__cause__, ValueError):
                raise ConfigError(
                    f"{error}; another client of this process has it open with other settings: "
                    "give that one Settings(anonymized_telemetry=False), or close it"
                ) from error
            raise

    def _connect_to_server(self) -> ClientAPI:
        client = ServerClient(self._options, Settings(anonymized_telemetry=False))
        try:
            self.call(client.check_database)
        except NoCollectionError as error:
            client.close()
            raise AdapterUnavailable(f"{error}; check the tenant and database options") from error
        except BaseException:
            client.close()
            raise
        return client


def _place(options: ChromaOptions) -> str:
    if options.host is not None:
        return f"{'https' if options.ssl else 'http'}://{options.host}:{options.port}"
    return "memory" if options.path is None else repr(options.path)
