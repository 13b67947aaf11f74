"""Searches that are pending at the same moment share one pass over the vectors."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Sequence

from axon.core.models import Hit, SearchRequest
from axon.engine.workers import in_worker

Answer = Callable[[Sequence[SearchRequest]], list[list[Hit]]]


class MicroBatcher:
    """Collects the searches of one arena per event loop.

    Whatever has arrived when the loop turns is answered by one job, in a worker thread unless it is short; what
    arrives meanwhile forms the next one. A lone search waits for one turn of the loop and no timer. Cancelling
    one caller leaves the others alone.

    Parameters
    ----------
    answer : answers several requests in order; runs in a worker thread.
    is_short : tells whether that takes so little time that it may run on the event loop instead.
    """

    def __init__(self, answer: Answer, is_short: Callable[[Sequence[SearchRequest]], bool]) -> None:
        self._answer = answer
        self._is_short = is_short
        self._pending: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, list[tuple[SearchRequest, asyncio.Future[list[Hit]]]]
        ] = weakref.WeakKeyDictionary()
        self._running: set[asyncio.Task[None]] = set()

    async def search(self, request: SearchRequest) -> list[Hit]:
        """Answer one request together with whatever else is pending."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Hit]] = loop.create_future()
        pending = self._pending.get(loop)
        if pending is None:
            self._pending[loop] = [(request, future)]
            task = loop.create_task(self._drain(loop))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        else:
            pending.append((request, future))
        return await future

    async def _drain(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while batch := self._pending[loop]:
                self._pending[loop] = []
                await self._answer_batch(
                    [(request, future) for request, future in batch if not future.cancelled()]
                )
        finally:
            for _, future in self._pending.pop(loop, []):
                future.cancel()

    async def _answer_batch(self, batch: Sequence[tuple[SearchRequest, asyncio.Future[list[Hit]]]]) -> None:
        requests = [request for request, _ in batch]
        try:
            short = self._is_short(requests)
            answers = self._answer(requests) if short else await in_worker(lambda: self._answer(requests))
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error) if isinstance(error, Exception) else future.cancel()
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), hits in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(hits)
