"""Reaching an index through Pinecone's asynchronous client, on an event loop of the adapter's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from pinecone import AsyncPinecone, RetryConfig

from axon.adapters._pinecone.errors import VENDOR_ERRORS, NoNamespaceError, Passing, translated
from axon.adapters._shared.circuit import Circuit
from axon.core.adapter_options import PineconeOptions
from axon.core.errors import AdapterTimeout, AdapterUnavailable, ConfigError, RateLimited
from axon.core.retry import RetryPolicy, retry

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

    Raises
    ------
    AdapterError
        Or a child, if the index cannot be reached.
    ConfigError
        If it is not there, or is no index of dense vectors.
    """

    def __init__(self, options: PineconeOptions, api_key: str) -> None:
        self._options = options
        self._circuit = Circuit()
        self._retry = RetryPolicy(
            attempts=options.attempts, first_delay=0.1, max_delay=2.0, deadline=options.timeout
        )
        self.host = options.host or options.index_name or ""
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

    def _open(self) -> None:
        try:
            self._index = self._wait(self._patiently(self._find_index))
            found = self.call(lambda index: index.describe_index_stats())
        except NoNamespaceError as error:
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
        index = await self._client.index(self._options.index_name or "", host=self._options.host or "")
        # An index client takes no retry policy of its own; it reads this one when it first connects.
        index._http._config = replace(index._http._config, retry_config=_NO_RETRIES)
        return index

    def call(self, work: Callable[[Any], Awaitable[T]]) -> T:
        """Call the index, again after errors that may pass; every call repeats harmlessly.

        Raises
        ------
        AdapterError
            Or a child, once the attempts or the time are used up.
        NoNamespaceError
            Where a namespace is not there.
        """
        return self._wait(self._patiently(lambda: work(self._index)))

    def call_all(self, works: Sequence[Callable[[Any], Awaitable[T]]]) -> list[T]:
        """Call the index several times at once; the first failure is raised, and the others are given up."""
        return self._wait(self._all(works)) if works else []

    async def _all(self, works: Sequence[Callable[[Any], Awaitable[T]]]) -> list[T]:
        tasks = [asyncio.ensure_future(self._patiently(partial(work, self._index))) for work in works]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()

    async def _patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._options.timeout):
                return await retry(lambda: self._attempt(work), on=(Passing,), policy=self._retry)
        except Passing as passing:
            raise passing.error from passing.__cause__
        except TimeoutError as error:
            if isinstance(error, AdapterTimeout):
                raise
            self._circuit.failed("no answer in time")
            raise AdapterTimeout(
                f"Pinecone at {self.host}: no answer within {self._options.timeout} s; raise the timeout option, "
                "or look at Pinecone's status page"
            ) from error

    async def _attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        self._circuit.check()
        try:
            async with self._room:
                answer = await work()
        except VENDOR_ERRORS as error:
            ours = translated(error, self.host)
            if isinstance(ours, Passing) and not isinstance(ours.error, RateLimited):
                self._circuit.failed(str(ours))
            raise ours from error
        self._circuit.succeeded()
        return answer

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
