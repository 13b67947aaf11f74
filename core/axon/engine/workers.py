"""Threads for work that would hold up an event loop: numpy releases the interpreter while it computes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ResultT = TypeVar("ResultT")

_executor: ThreadPoolExecutor | None = None


def executor() -> ThreadPoolExecutor:
    """Return the shared pool, made at the first use."""
    global _executor
    if _executor is None:
        _executor = ThreadPoolExecutor(
            max_workers=max(2, min(4, os.cpu_count() or 2)), thread_name_prefix="axon-engine"
        )
    return _executor


async def in_worker(function: Callable[[], ResultT]) -> ResultT:
    """Run ``function`` in the pool; a cancelled caller leaves it running to its end."""
    return await asyncio.get_running_loop().run_in_executor(executor(), function)


def _forget_after_fork() -> None:
    global _executor
    _executor = None


os.register_at_fork(after_in_child=_forget_after_fork)
