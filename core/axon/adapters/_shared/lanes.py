"""Threads for a client that blocks: one that writes, whatever has gathered at once, and one or more that read."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar

from axon.adapters._shared.patience import Patience
from axon.adapters._shared.translation import own_copy
from axon.core.errors import AdapterTimeout, AdapterUnavailable, RateLimited

T = TypeVar("T")
RoomT = TypeVar("RoomT")
PayloadT = TypeVar("PayloadT")
AnswerT = TypeVar("AnswerT")


class _Job(NamedTuple):
    room: Any
    method: Callable[[Any, Sequence[Any]], Sequence[Any]]
    payload: Any
    weight: int
    asked: float
    future: Future[Any]


_OUTAGE = (AdapterTimeout, AdapterUnavailable, RateLimited)


class Lanes(Generic[RoomT]):
    """Carries out blocking work in an order that callers can rely on.

    Writes to one namespace happen in the order in which they were asked for; neighbours of one kind are joined into
    one call, since a hundred entries together cost a backend little more than one. A read sees every write asked
    for before it. A write that has waited longer than the deadline behind others fails with them where they fail
    because the backend does not answer: in a queue, each would otherwise take a deadline of its own.

    Parameters
    ----------
    name : of the threads.
    readers : threads that read; 0 to read in the thread that writes.
    max_batch : most entries to join.
    patience : by which the work makes its calls.
    """

    def __init__(self, name: str, readers: int, max_batch: int, patience: Patience) -> None:
        self._max_batch = max_batch
        self._patience = patience
        self._closed = False
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        self._draining = False
        self._unfinished: Counter[RoomT] = Counter()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix=f"axon-{name}")
        self._readers = ThreadPoolExecutor(readers, f"axon-{name}-read") if readers else self._writer

    async def write(
        self,
        room: RoomT,
        method: Callable[[RoomT, Sequence[PayloadT]], Sequence[AnswerT | Exception]],
        payload: PayloadT,
        weight: int = 1,
    ) -> AnswerT:
        """Have ``method`` called with this payload, perhaps among others; returns its answer for this one.

        Raises
        ------
        Exception
            What ``method`` raised, or answered for this payload.
        AdapterUnavailable
            After closing.
        """
        future: Future[AnswerT] = Future()
        with self._lock:
            self._check_open()
            self._waiting.append(_Job(room, method, payload, weight, time.monotonic(), future))
            self._unfinished[room] += 1
            if not self._draining:
                self._draining = True
                self._writer.submit(self._drain)
        return await asyncio.wrap_future(future)

    async def read(self, room: RoomT, work: Callable[[], T]) -> T:
        """Call ``work`` after the writes to ``room`` that were asked for before."""
        if self._unfinished[room]:
            await self.write(room, _pass, None, 0)
        return await self.run(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Call ``work`` in a thread that reads."""

        def in_one_operation() -> T:
            with self._patience.operation():
                return work()

        with self._lock:
            self._check_open()
            future = self._readers.submit(in_one_operation)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Carry out what waits and end the threads; blocks."""
        with self._lock:
            self._closed = True
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)

    def _check_open(self) -> None:
        if self._closed:
            raise AdapterUnavailable("the adapter was closed while it was used; open it again")

    def _drain(self) -> None:
        while True:
            with self._lock:
                jobs, self._waiting = self._waiting, []
                if not jobs:
                    self._draining = False
                    return
            wanted = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            for room in dict.fromkeys(job.room for job in jobs):
                for group in self._groups([job for job in wanted if job.room is room]):
                    self._carry_out([job for job in group if not job.future.done()], wanted)
                with self._lock:
                    self._unfinished[room] -= sum(job.room is room for job in jobs)
                    if not self._unfinished[room]:
                        del self._unfinished[room]

    def _carry_out(self, group: Sequence[_Job], queue: Sequence[_Job]) -> None:
        if not group:
            return
        try:
            with self._patience.operation():
                answers = group[0].method(group[0].room, [job.payload for job in group])
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            _fail(group, error)
            if isinstance(error, _OUTAGE):
                due = time.monotonic() - self._patience.deadline
                _fail([job for job in queue if job.asked < due and not job.future.done()], error)
            return
        for job, answer in zip(group, answers, strict=True):
            if isinstance(answer, Exception):
                job.future.set_exception(answer)
            else:
                job.future.set_result(answer)

    def _groups(self, jobs: Sequence[_Job]) -> list[list[_Job]]:
        """Join neighbours of one kind, as far as one call may be large."""
        groups: list[list[_Job]] = []
        weight = 0
        for job in jobs:
            if groups and groups[-1][0].method is job.method and weight + job.weight <= self._max_batch:
                groups[-1].append(job)
                weight += job.weight
            else:
                groups.append([job])
                weight = job.weight
        return groups


def _pass(room: object, payloads: Sequence[None]) -> Sequence[None]:
    return payloads


def _fail(jobs: Sequence[_Job], error: BaseException) -> None:
    for job in jobs:
        job.future.set_exception(own_copy(error))
