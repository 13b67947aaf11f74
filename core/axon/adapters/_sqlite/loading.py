"""Loading a namespace once for all who wait for it, and letting them go on in the order in which they came."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from axon.engine.arena import Arena
from axon.engine.workers import in_worker


class _Queue:
    __slots__ = ("length", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0


class Loads:
    """The namespaces that are being loaded, by event loop.

    A namespace stays listed until the last who waits for it has gone on: who comes later queues behind them, although
    the arena is there by then. Otherwise a later write could overtake an earlier one of the same id.
    """

    def __init__(self) -> None:
        self._queues: dict[tuple[str, asyncio.AbstractEventLoop], _Queue] = {}

    def has_queue(self, namespace: str) -> bool:
        """Whether anyone waits for ``namespace`` on the running loop."""
        return bool(self._queues) and (namespace, asyncio.get_running_loop()) in self._queues

    async def join(self, namespace: str, load: Callable[[], Arena]) -> Arena:
        """Wait in line, then run ``load`` in a worker thread; it is quick where the namespace is there already."""
        key = namespace, asyncio.get_running_loop()
        queue = self._queues.setdefault(key, _Queue())
        queue.length += 1
        try:
            # The lock is fair: it is never taken past someone who waits for it.
            async with queue.lock:
                return await in_worker(load)
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[key]
