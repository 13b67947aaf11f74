"""Reaching an index through Pinecone's asynchronous client, on an event loop of the adapter's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pinecone import AsyncPinecone, RetryConfig

from axon.adapters._pinecone.errors import translated
from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.patience import Patience
from axon.adapters._shared.translation import NoCollectionError, Translated
from axon.core.adapter_options import PineconeOptions
from axon.core.errors import AdapterUnavailable, ConfigError

T = TypeVar("T")

_NO_RETRIES = RetryConfig(max_retries=0)


class Connection:
    """An index that was connected. Its methods block: call them from a worker.

    Parameters
    ----------
    options : of the adapter.
    api_key : of the project.

    Attributes
    ----------
    host : of the index.
    dims : numbers per vector of the index.
    metric : by which the index ranks, as far as Pinecone tells.
    circuit : of the index.
    patience : how calls are made.

    Raises
    ------
    AdapterError
        Or a child, if the index cannot be reached.
    ConfigError
        If it is not there, or is no index of dense vectors.
    """

    def __init__(self, options: PineconeOptions, api_key: str) -> None:
        self._options = options
        self.host = options.host or options.index_name or ""
        self.circuit = Circuit()
        self.patience = Patience(options.attempts, options.timeout, self._translated, self.circuit)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="axon-pinecone-loop", daemon=True)
        self._thread.start()
        self._room = asyncio.Semaphore(options.connections)
        self._client = AsyncPinecone(
            api_key=api_key,
            timeout=options.timeout,
            connection_pool_maxsize=options.connections,
            # Trying again is done here; two layers of it would multiply.
            retry_config=_NO_RETRIES,
        )
        self._index: Any = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _translated(self, error: Exception) -> Translated:
        return translated(error, self.host)

    def _open(self) -> None:
        try:
            self._index = self.patience.call(lambda: self._wait(self._find_index()))
            found = self.call(lambda index: index.describe_index_stats())
        except NoCollectionError as error:
            raise ConfigError(
                f"Pinecone has no index {self.host!r}; create it, or mend index_name or host"
            ) from error
        if found.dimension is None:
            raise ConfigError(
                f"the index at {self.host} holds no dense vectors; use one made with a dimension and a metric"
            )
        self.host = str(self._index.host)
        self.dims, self.metric = int(found.dimension), found.metric

    async def _find_index(self) -> Any:
        async with asyncio.timeout(self._options.timeout):
            index = await self._client.index(self._options.index_name or "", host=self._options.host or "")
        # An index client takes no retry policy of its own; it reads this one when it first connects.
        index._http._config = replace(index._http._config, retry_config=_NO_RETRIES)
        return index

    def call(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Call the index, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up; ``NoCollectionError`` where a namespace is not
            there.
        """
        return self.patience.call(lambda: self._wait(self._attempt(work)))

    def call_all(self, works: Sequence[Callable[[Any], Awaitable[T]]]) -> list[T]:
        """Call the index several times at once; what failed is tried again, what succeeded is not."""
        found: dict[int, T] = {}
        if works:
            self.patience.call(lambda: self._wait(self._missing(works, found)))
        return [found[place] for place in range(len(works))]

    async def _missing(self, works: Sequence[Callable[[Any], Awaitable[T]]], found: dict[int, T]) -> None:
        missing = [place for place in range(len(works)) if place not in found]
        answers = await asyncio.gather(
            *(self._attempt(works[place]) for place in missing), return_exceptions=True
        )
        failed: BaseException | None = None
        for place, answer in zip(missing, answers, strict=True):
            if isinstance(answer, BaseException):
                failed = failed or answer
            else:
                found[place] = answer
        if failed is not None:
            raise failed

    async def _attempt(self, work: Callable[[Any], Awaitable[T]]) -> T:
        # The client's own limit is for each wait within a call: a server that sends a byte now and then passes it.
        async with asyncio.timeout(self._options.timeout), self._room:
            return await work(self._index)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop.is_closed():
            work.close()
            raise AdapterUnavailable("the Pinecone adapter was closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """End the connections, the loop and its thread."""
        if self._loop.is_closed():
            return
        self._wait(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _disconnect(self) -> None:
        if self._index is not None:
            await self._index.close()
        await self._client.close()
