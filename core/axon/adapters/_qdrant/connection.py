"""Reaching Qdrant: the client's own engine in memory or in a folder, or a server."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import httpx
from qdrant_client import QdrantClient
from qdrant_client.client_base import QdrantBase
from qdrant_client.qdrant_remote import QdrantRemote

from axon.adapters._qdrant.errors import TRANSIENT, mapped_errors
from axon.core.adapter_options import QdrantOptions
from axon.core.errors import AdapterUnavailable
from axon.core.retry import RetryPolicy

T = TypeVar("T")

_SERVER = "http://localhost:6333"


class Connection:
    """A client that was connected. Blocking: call it from a worker.

    Attributes
    ----------
    client : Qdrant's.
    is_local : the client's own engine, which has no payload indexes and always searches exactly.
    """

    def __init__(self, options: QdrantOptions) -> None:
        self._options = options
        self._folder: str | None = None
        self._turn: AbstractContextManager[object] = nullcontext()
        self._retry = RetryPolicy(
            attempts=options.attempts, first_delay=0.05, max_delay=1.0, deadline=float(options.timeout)
        )
        self.is_local = options.path is not None or options.location == ":memory:"
        self.place = options.path or options.url or options.location or _SERVER
        with mapped_errors(self.place):
            self.client = self._connect()
        try:
            self.call(self.client.get_collections)
        except BaseException:
            self.close()
            raise

    def call(self, work: Callable[[], T]) -> T:
        """Call Qdrant, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up.
        NoCollectionError
            Where a collection is not there.
        """
        started, failures = time.monotonic(), 0
        while True:
            try:
                with mapped_errors(self.place), self._turn:
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
        if self._folder is None:
            self.client.close()
        else:
            _leave_folder(self._folder)
            self._folder = None

    def _connect(self) -> QdrantBase:
        options = self._options
        if options.path is not None:
            self._folder = os.path.realpath(options.path)
            client, self._turn = _enter_folder(self._folder)
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
            # It only warns, by a request of its own before the first that counts.
            check_compatibility=False,
            # For a server on this machine the client would connect anew for every request.
            limits=httpx.Limits(max_keepalive_connections=options.connections + 1),
        )


_guard = threading.Lock()
_folders: dict[str, tuple[QdrantClient, threading.Lock, int]] = {}
"""A folder opens once, so the adapters of a process share its client, one call at a time."""


def _enter_folder(folder: str) -> tuple[QdrantClient, threading.Lock]:
    with _guard:
        if folder not in _folders:
            try:
                client = QdrantClient(path=folder, force_disable_check_same_thread=True)
            except RuntimeError as error:
                raise AdapterUnavailable(
                    f"{folder!r} is in use by another process, and Qdrant's local form serves one; run a server"
                ) from error
            _folders[folder] = client, threading.Lock(), 0
        client, turn, users = _folders[folder]
        _folders[folder] = client, turn, users + 1
        return client, turn


def _leave_folder(folder: str) -> None:
    with _guard:
        client, turn, users = _folders.pop(folder)
        if users > 1:
            _folders[folder] = client, turn, users - 1
        else:
            client.close()
