"""One client per event loop, because a connection belongs to the loop it was made on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

C = TypeVar("C")


class PerLoop(Generic[C]):
    """Makes a client at the first use on each loop and closes all of them.

    Parameters
    ----------
    make : builds a client without I/O on a loop; called in a worker thread, since reading certificates
        takes long.
    close : closes a client, on its own loop.
    """

    def __init__(self, make: Callable[[], C], close: Callable[[C], Awaitable[None]]) -> None:
        self._make = make
        self._close = close
        self._lock = threading.Lock()
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, C] = WeakKeyDictionary()

    async def get(self) -> C:
        """Return this loop's client."""
        loop = asyncio.get_running_loop()
        with self._lock:
            client = self._clients.get(loop)
        if client is not None:
            return client
        made = await asyncio.to_thread(self._make)
        with self._lock:
            # The connections of a closed loop are gone, and nothing can be awaited there any more.
            for old in [old for old in self._clients if old.is_closed()]:
                del self._clients[old]
            client = self._clients.setdefault(loop, made)
        if client is not made:
            await self._close(made)
        return client

    async def aclose(self) -> None:
        """Close every client, each on its own loop as far as that still runs."""
        with self._lock:
            clients = list(self._clients.items())
            self._clients.clear()
        here = asyncio.get_running_loop()
        for loop, client in clients:
            if loop is here:
                await self._close(client)
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._closing(client), loop))

    async def _closing(self, client: C) -> None:
        await self._close(client)
