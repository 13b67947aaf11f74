"""The calls of one event loop: those of the same turn become one batch, and writes keep their order."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self, TypeAlias
from weakref import WeakKeyDictionary

from axon.core.errors import AdapterError, AxonError
from axon_integrations.langgraph.requests import Request

Run: TypeAlias = Callable[[Sequence[Request]], Awaitable[list[Any]]]


class _Lane:
    """What goes on in one event loop."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Request, asyncio.Future[Any]]] = []
        self.tasks: set[asyncio.Task[list[Any]]] = set()
        self.last_write: asyncio.Future[None] | None = None
        self.unwritten: dict[str, asyncio.Future[None]] = {}
        self.held: Counter[str] = Counter()


class Calls:
    """Collects calls per event loop and runs them as batches.

    Parameters
    ----------
    run : answers calls in order.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lane] = WeakKeyDictionary()

    def _lane(self) -> _Lane:
        with self._lock:
            return self._lanes.setdefault(asyncio.get_running_loop(), _Lane())

    async def submit(self, request: Request) -> Any:
        """Answer a call together with all others of this turn; whoever stops waiting leaves them alone."""
        loop, lane = asyncio.get_running_loop(), self._lane()
        if not lane.waiting:
            loop.call_soon(self._start, lane)
        future: asyncio.Future[Any] = loop.create_future()
        lane.waiting.append((request, future))
        return await future

    def _start(self, lane: _Lane) -> None:
        collected, lane.waiting = lane.waiting, []
        # Who has stopped waiting by now has not been served yet and need not be.
        wanted = [(request, future) for request, future in collected if not future.done()]
        if not wanted:
            return
        requests, futures = [request for request, _ in wanted], [future for _, future in wanted]
        task = asyncio.get_running_loop().create_task(self._answer(requests))
        lane.tasks.add(task)
        task.add_done_callback(lambda done: _deliver(done, futures, lane))

    async def _answer(self, requests: Sequence[Request]) -> list[Any]:
        """Answer calls together; where one of them spoils the batch, each by itself."""
        try:
            return await self._run(requests)
        except AxonError as error:
            if len(requests) == 1 or isinstance(error, AdapterError):
                raise
        answers: list[Any] = []
        for request in requests:
            try:
                answers += await self._run([request])
            except AxonError as error:
                answers.append(error)
        return answers

    def unwritten(self, ids: Iterable[str]) -> set[asyncio.Future[None]]:
        """Return what to wait for until all writes of some ids are done that this loop has begun."""
        unwritten = self._lane().unwritten
        return {unwritten[id] for id in ids if id in unwritten}

    @contextmanager
    def holding(self, ids: Sequence[str]) -> Iterator[None]:
        """Note that a task of this loop keeps others from changing ``ids``, for as long as the block lasts."""
        held = self._lane().held
        held.update(ids)
        try:
            yield
        finally:
            held.subtract(ids)
            for id in ids:
                if not held[id]:
                    del held[id]

    def would_wait_for_itself(self, ids: Iterable[str]) -> bool:
        """Tell whether a blocking call that changes ``ids`` would hold up the loop whose tasks it waits for."""
        try:
            lane = self._lane()
        except RuntimeError:  # this thread runs no loop
            return False
        return any(lane.held[id] > 0 or id in lane.unwritten for id in ids)

    def writing(self, ids: Sequence[str]) -> WriteTurn:
        """Take the next place in the order of this loop's writes; leave it in any case."""
        return WriteTurn(self._lane(), ids)


class WriteTurn:
    """A place in the order of writes, taken when it is made and given up at the end of a ``with`` block."""

    def __init__(self, lane: _Lane, ids: Sequence[str]) -> None:
        self._lane = lane
        self._ids = ids
        self._before = lane.last_write
        self._mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        lane.last_write = self._mine
        lane.unwritten.update(dict.fromkeys(ids, self._mine))

    async def come(self) -> None:
        """Wait until all earlier writes are done."""
        if self._before is not None:
            await asyncio.shield(self._before)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A write that failed early must not let later ones overtake those before it.
        if self._before is None or self._before.done():
            self._end()
        else:
            self._before.add_done_callback(lambda _: self._end())

    def _end(self) -> None:
        self._mine.set_result(None)
        self._before = None
        for id in self._ids:
            if self._lane.unwritten.get(id) is self._mine:
                del self._lane.unwritten[id]
        if self._lane.last_write is self._mine:
            self._lane.last_write = None


def _deliver(task: asyncio.Task[list[Any]], futures: Sequence[asyncio.Future[Any]], lane: _Lane) -> None:
    lane.tasks.discard(task)
    if task.cancelled():
        for future in futures:
            future.cancel()
        return
    failure = task.exception()
    answers = [failure] * len(futures) if failure is not None else task.result()
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
