"""Fairness: operations that never have to wait still let other tasks of their event loop run.

A coroutine that finishes without suspending holds the loop. One such call takes microseconds, a thousand
gathered ones take as long as they all need together. So each operation asks first whether this turn of the
loop has been used up, and if so waits for a later one, in order of arrival.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from time import perf_counter_ns

_BUDGET_NS = 4_000_000
"""Time our operations may take out of one turn of the loop; a fifth of the 20 ms that a stall may last."""

_WOKEN_PER_TURN = 128


class TurnBudget(threading.local):
    """How much of the present turn of this thread's event loop is used up."""

    def __init__(self) -> None:
        self._started = 0
        self._counting = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._woken_in_vain: list[asyncio.Future[None]] = []

    def spent(self) -> bool:
        """Tell whether the present turn has been used up."""
        now = perf_counter_ns()
        if self._counting:
            return now - self._started > _BUDGET_NS
        self._begin(now, asyncio.get_running_loop())
        return False

    async def give_way(self) -> None:
        """Wait for a later turn, behind those who already wait."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._leave_other_loop()
            self._begin(perf_counter_ns(), loop)
        future = loop.create_future()
        self._waiting.append(future)
        await future
        # Those woken before it in the same turn may have used that up, too: then it goes on waiting, in front.
        while self.spent():
            future = loop.create_future()
            self._woken_in_vain.append(future)
            await future

    def _leave_other_loop(self) -> None:
        """Let go of those who wait in another loop of this thread: it may be closed, or run again later."""
        for future in (*self._woken_in_vain, *self._waiting):
            if not future.done() and not future.get_loop().is_closed():
                future.set_result(None)
        self._woken_in_vain.clear()
        self._waiting.clear()

    def _begin(self, now: int, loop: asyncio.AbstractEventLoop) -> None:
        self._counting = True
        self._started = now
        self._loop = loop
        loop.call_soon(self._turn, loop)

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        self._counting = False
        self._waiting.extendleft(reversed(self._woken_in_vain))
        self._woken_in_vain.clear()
        for _ in range(min(_WOKEN_PER_TURN, len(self._waiting))):
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
        if self._waiting:
            self._begin(perf_counter_ns(), loop)
