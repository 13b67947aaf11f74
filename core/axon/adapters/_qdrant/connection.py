"""Reaching Qdrant: the client's own engine in memory or in a folder, the embedded engine, or a server."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TypeVar

import httpx
from qdrant_client import QdrantClient
from qdrant_client.client_base import QdrantBase
from qdrant_client.qdrant_remote import QdrantRemote

from axon.adapters._qdrant.errors import translated
from axon.adapters._qdrant.folders import enter_folder, leave_folder
from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.patience import Patience
from axon.adapters._shared.translation import NoCollectionError
from axon.core.adapter_options import QdrantOptions
from axon.core.errors import AdapterUnavailable

T = TypeVar("T")

_SERVER = "http://localhost:6333"

_GRPC_OPTIONS = {"grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 2_000}
"""By itself a channel waits up to two minutes before it looks whether the server is back."""


class Connection:
    """A client that was connected. Blocking: call it from a worker.

    Attributes
    ----------
    client : Qdrant's.
    is_local : the client's own engine, which has no payload indexes.
    is_exact : a search always looks at every point.
    place : for messages.
    circuit : of the server; None for an engine in this process.
    patience : how calls are made.
    """

    def __init__(self, options: QdrantOptions) -> None:
        self._options = options
        self._folder: str | None = None
        self._turn: AbstractContextManager[object] = nullcontext()
        self.is_exact = options.path is not None or options.location == ":memory:"
        self.is_local = self.is_exact and options.engine == "client"
        self.place = options.path or options.url or options.location or _SERVER
        self.circuit = None if self.is_exact else Circuit()
        translate = partial(translated, place=self.place)
        self.patience = Patience(options.attempts, float(options.timeout), translate, self.circuit)
        self.client = self.patience.call(self._connect)
        try:
            self.call(self.client.get_collections)
        except NoCollectionError as error:
            self.close()
            raise AdapterUnavailable(f"{error}; check the address, there is no Qdrant") from error
        except BaseException:
            self.close()
            raise

    def call(self, work: Callable[[], T]) -> T:
        """Call Qdrant, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up; ``NoCollectionError`` where a collection is not
            there.
        """

        def in_turn() -> T:
            with self._turn:
                return work()

        return self.patience.call(in_turn)

    def close(self) -> None:
        """Let go of the client; data in memory goes with it."""
        if self._folder is None:
            self.client.close()
        else:
            leave_folder(self._folder)
            self._folder = None

    def _connect(self) -> QdrantBase:
        options = self._options
        if options.path is not None:
            self._folder, client, self._turn = enter_folder(options.path, options.engine)
            return client
        if options.location == ":memory:":
            self._turn = threading.Lock()
            return QdrantClient(location=":memory:", force_disable_check_same_thread=True)
        # Not QdrantClient, which copies every request to look for texts that it should embed.
        return QdrantRemote(
            url=self.place,
            api_key=None if options.api_key is None else options.api_key.get_secret_value(),
            timeout=options.timeout,
            prefer_grpc=options.prefer_grpc,
            grpc_port=options.grpc_port,
            grpc_options=dict(_GRPC_OPTIONS),
            # It only warns, by a request of its own before the first that counts.
            check_compatibility=False,
            # For a server on this machine the client would connect anew for every request.
            limits=httpx.Limits(max_keepalive_connections=options.connections + 1),
        )
