"""One thread for one model, because models are rarely safe to call from two."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class WorkerThread:
    """A thread that starts with the first call and runs one function at a time, in order.

    Parameters
    ----------
    name : of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._process = os.getpid()

    async def run(self, function: Callable[[], T]) -> T:
        """Run ``function`` in the thread. A cancelled caller leaves one that has begun running to its end."""
        return await asyncio.get_running_loop().run_in_executor(self._thread(), function)

    def close(self) -> None:
        """Let the thread end after what it has been given; a later call starts another."""
        with self._lock:
            if self._executor is not None and self._process == os.getpid():
                self._executor.shutdown(wait=False)
            self._executor = None

    def _thread(self) -> ThreadPoolExecutor:
        with self._lock:
            # A forked child inherits the executor but not its thread.
            if self._executor is None or self._process != os.getpid():
                self._process = os.getpid()
                self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self._name)
            return self._executor
