"""The one background loop on which every blocking call of Axon runs its coroutine.

A loop of our own, in a daemon thread, works from scripts, worker threads and notebooks alike; the objects it
serves live as long as it does, so connections made in one blocking call are there in the next.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

from axon.core.errors import AdapterTimeout, SyncCallError

T = TypeVar("T")

# A cancelled coroutine may need a moment for its `finally` blocks; one that ignores the cancellation gets
# no more.
_UNWIND_SECONDS = 1.0


class _Call(Generic[T]):
    """One coroutine on its way through the loop. ``start`` and ``cancel`` run on the loop, in this order."""

    __slots__ = ("_coroutine", "_task", "outcome")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.outcome: Future[T] = Future()
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._coroutine)
        self._task.add_done_callback(self._deliver)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _deliver(self, task: asyncio.Task[T]) -> None:
        if task.cancelled():
            self.outcome.set_exception(asyncio.CancelledError())
        elif (error := task.exception()) is not None:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(task.result())


class Portal:
    """A loop in a daemon thread, started by the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine on the loop and wait for it; see :func:`run_blocking`."""
        if self.is_current_thread():
            coroutine.close()
            raise SyncCallError(
                f"this blocking call would wait on its own event loop; there, write `await` before the "
                f"coroutine form ({_name(coroutine)}) instead"
            )
        loop = self._running_loop()
        call = _Call(coroutine)
        try:
            loop.call_soon_threadsafe(call.start)
            return call.outcome.result(timeout)
        except TimeoutError:
            if call.outcome.done():
                return call.outcome.result()
            raise AdapterTimeout(
                f"{_name(coroutine)} did not finish within {timeout} s and was cancelled"
            ) from None
        finally:
            if not call.outcome.done():
                loop.call_soon_threadsafe(call.cancel)
                wait([call.outcome], _UNWIND_SECONDS)

    def is_current_thread(self) -> bool:
        """Tell whether the caller runs on this portal's thread."""
        return threading.current_thread() is self._thread

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_serve, args=(self._loop,), name="axon-portal", daemon=True
                )
                self._thread.start()
            return self._loop


def _name(coroutine: Coroutine[Any, Any, Any]) -> str:
    return getattr(coroutine, "__qualname__", type(coroutine).__name__)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except (KeyboardInterrupt, SystemExit):
            # Raised by a task, whose caller gets it; asyncio also lets it end the loop, which others still
            # need.
            continue


_portal = Portal()
# The parent's loop, in a forked child: kept, because its finaliser would close a selector that the parent
# still uses.
_inherited: list[Portal] = []


def _renew_after_fork() -> None:
    global _portal
    _inherited.append(_portal)
    _portal = Portal()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_after_fork)


def on_portal() -> bool:
    """Tell whether this thread is the one that runs the shared background loop."""
    return _portal.is_current_thread()


def run_blocking(coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
    """Run a coroutine on the shared background loop and wait for its result.

    Works from any thread, also from one that runs an event loop of its own (which stands still meanwhile).
    The coroutine sees the caller's context variables. Ctrl-C and a timeout cancel it.

    Parameters
    ----------
    coroutine : what to run; never started if the call is refused.
    timeout : seconds for the whole call; None waits without limit.

    Returns
    -------
    What the coroutine returned.

    Raises
    ------
    SyncCallError
        If called on the background loop itself, which would wait for ever.
    AdapterTimeout
        If the coroutine did not finish in time (also a ``TimeoutError``).
    BaseException
        Whatever the coroutine raised.
    """
    return _portal.run(coroutine, timeout)
