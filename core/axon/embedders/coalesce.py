"""Many callers, few calls: whatever is asked for at the same moment becomes one batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from itertools import islice
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

V = TypeVar("V")

Batch = Callable[[Mapping[bytes, str]], Awaitable[Mapping[bytes, V]]]


class _Slot(Generic[V]):
    """One text on its way, with the number of callers that still want it."""

    __slots__ = ("future", "text", "waiters")

    def __init__(self, text: str, future: asyncio.Future[V]) -> None:
        self.text = text
        self.future = future
        self.waiters = 0


class _Lane(Generic[V]):
    """The queue of one event loop. One batch is in flight at a time; the next one fills meanwhile."""

    def __init__(self, run: Batch[V], max_batch: Callable[[], int]) -> None:
        self._run = run
        self._max_batch = max_batch
        self._queued: dict[bytes, _Slot[V]] = {}
        self._flying: dict[bytes, _Slot[V]] = {}
        self._task: asyncio.Task[Mapping[bytes, V]] | None = None
        self._scheduled = False

    def join(self, key: bytes, text: str) -> _Slot[V]:
        """Ask for a text; an equal one that is queued or in flight is shared."""
        slot = self._flying.get(key) or self._queued.get(key)
        if slot is None:
            loop = asyncio.get_running_loop()
            slot = self._queued[key] = _Slot(text, loop.create_future())
            if self._task is None and not self._scheduled:
                # Not at once: callers that run in the same turn of the loop join the batch. No timer, so a
                # lone call does not wait.
                self._scheduled = True
                loop.call_soon(self._start)
        slot.waiters += 1
        return slot

    def leave(self, slots: Mapping[bytes, _Slot[V]]) -> None:
        """Stop wanting texts; what nobody wants any more is not started, or cancelled."""
        for key, slot in slots.items():
            slot.waiters -= 1
            if slot.waiters == 0 and self._queued.get(key) is slot:
                del self._queued[key]
        if self._task is not None and self._flying and not any(s.waiters for s in self._flying.values()):
            self._task.cancel()
            self._flying = {}

    def _start(self) -> None:
        self._scheduled = False
        if not self._queued:
            return
        batch = dict(islice(self._queued.items(), self._max_batch()))
        for key in batch:
            del self._queued[key]
        self._flying = batch
        work = self._work({key: slot.text for key, slot in batch.items()})
        self._task = asyncio.get_running_loop().create_task(work)
        self._task.add_done_callback(lambda task: self._finish(batch, task))

    async def _work(self, texts: Mapping[bytes, str]) -> Mapping[bytes, V]:
        return await self._run(texts)

    def _finish(self, batch: Mapping[bytes, _Slot[V]], task: asyncio.Task[Mapping[bytes, V]]) -> None:
        error = None if task.cancelled() else task.exception()
        for key, slot in batch.items():
            if task.cancelled() or slot.waiters == 0:
                slot.future.cancel()
            elif error is not None:
                slot.future.set_exception(error)
            else:
                slot.future.set_result(task.result()[key])
        self._flying = {}
        self._task = None
        self._start()


class Coalescer(Generic[V]):
    """Joins concurrent requests into batches, separately for each event loop.

    Equal keys that are pending share one answer. Cancelling one caller leaves the others alone; a batch that
    nobody waits for any more is cancelled.

    Parameters
    ----------
    run : answers a batch; returns one value per key.
    max_batch : most keys per batch, >= 1.
    """

    def __init__(self, run: Batch[V], max_batch: Callable[[], int]) -> None:
        self._run = run
        self._max_batch = max_batch
        self._lock = threading.Lock()
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Lane[V]] = WeakKeyDictionary()

    async def fetch(self, wanted: Mapping[bytes, str]) -> dict[bytes, V]:
        """Get the values of several keys.

        Parameters
        ----------
        wanted : at least one key, each with the text it stands for.

        Raises
        ------
        BaseException
            What ``run`` raised; each caller gets an exception object of its own.
        """
        lane = self._lane()
        slots = {key: lane.join(key, text) for key, text in wanted.items()}
        try:
            await asyncio.wait([slot.future for slot in slots.values()])
        finally:
            lane.leave(slots)
        errors = [error for slot in slots.values() if (error := slot.future.exception()) is not None]
        if errors:
            raise _own_copy(errors[0]) from errors[0]
        return {key: slot.future.result() for key, slot in slots.items()}

    def _lane(self) -> _Lane[V]:
        loop = asyncio.get_running_loop()
        with self._lock:
            lane = self._lanes.get(loop)
            if lane is None:
                # A loop that was closed with work pending is kept alive by that work's futures.
                for old in [old for old in self._lanes if old.is_closed()]:
                    del self._lanes[old]
                lane = self._lanes[loop] = _Lane(self._run, self._max_batch)
            return lane


def _own_copy(error: BaseException) -> BaseException:
    # Callers add the position of their own item to the error, which must not show up in other callers'
    # errors.
    copy = type(error).__new__(type(error), *error.args)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    return copy
