"""Threads for a client that blocks: one that writes, whatever has gathered at once, and one or more that read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from axon.adapters._chroma.room import Room

T = TypeVar("T")
PayloadT = TypeVar("PayloadT")
AnswerT = TypeVar("AnswerT")


class _Job(NamedTuple):
    room: Room
    method: str
    payload: Any
    weight: int
    future: Future[Any]


class Lanes:
    """Carries out blocking work in an order that callers can rely on.

    Writes to one namespace happen in the order in which they were asked for; neighbours of one kind are joined into
    one call, since Chroma takes a hundred records in the time of two. A read sees every write asked for before it.

    Parameters
    ----------
    readers : threads that read, >= 1; 0 to read in the thread that writes.
    max_batch : most entries to join.
    """

    def __init__(self, readers: int, max_batch: int) -> None:
        self._max_batch = max_batch
        self._lock = threading.Lock()
        self._waiting: list[_Job] = []
        self._draining = False
        self._last: dict[Room, Future[Any]] = {}
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="axon-chroma")
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="axon-chroma-read") if readers else self._writer

    async def write(self, room: Room, method: str, payload: object, weight: int = 1) -> Any:
        """Have ``room.method`` called with this payload, perhaps among others; returns its answer for this one."""
        future: Future[Any] = Future()
        with self._lock:
            self._waiting.append(_Job(room, method, payload, weight, future))
            self._last[room] = future
            if not self._draining:
                self._draining = True
                self._writer.submit(self._drain)
        return await asyncio.wrap_future(future)

    async def read(self, room: Room, work: Callable[[], T]) -> T:
        """Call ``work`` after the writes to ``room`` that were asked for before."""
        with self._lock:
            last = self._last.get(room)
        if last is not None and not last.done():
            # Shielded: the write belongs to another caller, who is told of its outcome.
            await asyncio.wait([asyncio.shield(asyncio.wrap_future(last))])
        return await self.run(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Call ``work`` in a thread that reads."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    def close(self) -> None:
        """Carry out what waits and end the threads; blocks."""
        self._writer.shutdown(wait=True)
        self._readers.shutdown(wait=True)

    def _drain(self) -> None:
        while True:
            with self._lock:
                jobs, self._waiting = self._waiting, []
                if not jobs:
                    self._draining = False
                    self._last = {room: future for room, future in self._last.items() if not future.done()}
                    return
            wanted = [job for job in jobs if job.future.set_running_or_notify_cancel()]
            for room in dict.fromkeys(job.room for job in wanted):
                for group in self._groups([job for job in wanted if job.room is room]):
                    _carry_out(group)

    def _groups(self, jobs: Sequence[_Job]) -> list[list[_Job]]:
        """Join neighbours of one kind, as far as one call may be large."""
        groups: list[list[_Job]] = []
        weight = 0
        for job in jobs:
            if groups and groups[-1][0].method == job.method and weight + job.weight <= self._max_batch:
                groups[-1].append(job)
                weight += job.weight
            else:
                groups.append([job])
                weight = job.weight
        return groups


def _carry_out(group: Sequence[_Job]) -> None:
    try:
        answers = getattr(group[0].room, group[0].method)([job.payload for job in group])
    except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
        for job in group:
            job.future.set_exception(error)
        return
    for job, answer in zip(group, answers, strict=True):
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
        else:
            job.future.set_result(answer)
