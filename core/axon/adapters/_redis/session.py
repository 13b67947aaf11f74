"""The connections of one event loop, and the lanes over them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.sentinel import SentinelConnectionPool

from axon.adapters._redis.errors import VENDOR_ERRORS, is_transient, mapped
from axon.adapters._redis.keys import Space
from axon.adapters._redis.lane import Lane
from axon.adapters._redis.operations import Command, Operation
from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.translation import Interrupted
from axon.core.errors import AdapterTimeout, AdapterUnavailable
from axon.core.retry import RetryPolicy, retry

Client: TypeAlias = "Redis | RedisCluster"

Guard: TypeAlias = AsyncGenerator[None, None]

_guards: dict[asyncio.AbstractEventLoop, set[Guard]] = {}

_LANES = 4
"""Pipelines in flight per loop. Namespaces are spread over them, so that a large write holds up a quarter at most."""


class Session:
    """What one event loop holds.

    Parameters
    ----------
    client : belongs to this loop.
    circuit : shared with the sessions of other loops.
    policy : how patiently repeatable operations are tried again.
    server : for messages.
    max_connections : most pipelines in flight, >= 1; the pools of clusters and sentinels do not wait by themselves.
    """

    def __init__(
        self, client: Client, circuit: Circuit, policy: RetryPolicy, server: str, max_connections: int
    ) -> None:
        self.flights: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._client = client
        self._circuit = circuit
        self._policy = policy
        self._server = server
        self._closed = False
        self._max_connections = max_connections
        self._room = asyncio.Semaphore(max_connections)
        self._lanes = [Lane(self.send, policy, server) for _ in range(_LANES)]

    def submit(self, operation: Operation) -> asyncio.Future[Any]:
        """Queue an operation behind those of its namespace."""
        return self._lanes[hash(operation.space.namespace) % _LANES].submit(operation)

    async def send(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands as one pipeline; a reply may be an error.

        Raises
        ------
        AdapterUnavailable
            At once, while the circuit is open, and after closing.
        """
        if self._closed:
            raise AdapterUnavailable(f"{self._server}: closed while it was used; open it again")
        self._circuit.check()
        pipeline = self._client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            async with self._room:
                replies: list[Any] = await pipeline.execute(raise_on_error=False)
        except VENDOR_ERRORS as error:
            if is_transient(error) or isinstance(mapped(error, self._server), AdapterTimeout):
                self._circuit.failed(str(mapped(error, self._server)))
            raise
        self._circuit.succeeded()
        return replies

    async def ask(self, *command: Any) -> Any:
        """Send one command outside the lanes; see :meth:`ask_all`."""
        return (await self.ask_all([command]))[0]

    async def ask_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send commands that change nothing as one pipeline outside the lanes.

        Raises
        ------
        AdapterError
            If one of them fails.
        """
        try:
            return await retry(lambda: self._attempt(commands), on=(Interrupted,), policy=self._policy)
        except Interrupted as interrupted:
            raise mapped(interrupted.cause, self._server) from interrupted.cause
        except VENDOR_ERRORS as error:
            raise mapped(error, self._server) from error

    async def _attempt(self, commands: Sequence[Command]) -> list[Any]:
        try:
            replies = await self.send(commands)
        except VENDOR_ERRORS as error:
            replies = [error]
        for reply in replies:
            if isinstance(reply, Exception):
                if is_transient(reply):
                    raise Interrupted(reply)
                raise reply
        return replies

    async def once(self, space: Space, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work of that name unless it is running for this namespace already; wait for its end either way."""
        key = space.namespace, name
        flight = self.flights.get(key)
        if flight is None:
            flight = asyncio.ensure_future(_as_coroutine(work))
            self.flights[key] = flight
            flight.add_done_callback(lambda _: self.flights.pop(key, None))
        await asyncio.shield(flight)

    async def aclose(self) -> None:
        """Wait for the answers to what was sent, and close the connections."""
        self._closed = True
        for flight in list(self.flights.values()):
            flight.cancel()
        # The client would connect anew for whoever comes later, and nobody would close that.
        for _ in range(self._max_connections):
            await self._room.acquire()
        await close_client(self._client)


async def _as_coroutine(work: Callable[[], Awaitable[None]]) -> None:
    await work()


async def close_client(client: Client) -> None:
    """Close a client of ours, its connections, and those to sentinels."""
    await client.aclose()
    if isinstance(client, Redis):
        pool = client.connection_pool
        await pool.disconnect()
        if isinstance(pool, SentinelConnectionPool):
            for sentinel in pool.sentinel_manager.sentinels:
                await sentinel.aclose()


class Sessions:
    """One session per event loop, because a connection belongs to the loop it was made on.

    A session ends with its loop: it is held open by an asynchronous generator, which a loop that is shut down
    properly (``asyncio.run``, ``asyncio.Runner``) closes first.

    Parameters
    ----------
    make : builds a session for the running loop, without I/O.
    """

    def __init__(self, make: Callable[[], Session]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._sessions: dict[asyncio.AbstractEventLoop, tuple[Session, Guard]] = {}

    def known(self) -> Session | None:
        """Return this loop's session where there is one already."""
        known = self._sessions.get(asyncio.get_running_loop())
        return None if known is None else known[0]

    async def get(self) -> Session:
        """Return this loop's session, made at the first call."""
        known = self.known()
        if known is not None:
            return known
        loop = asyncio.get_running_loop()
        session = self._make()
        guard = self._guard(loop, session)
        with self._lock:
            for old in [old for old in self._sessions if old.is_closed()]:
                del self._sessions[old]
            self._sessions[loop] = session, guard
        _hold(loop, guard)
        await anext(guard)
        return session

    async def _guard(self, loop: asyncio.AbstractEventLoop, session: Session) -> Guard:
        try:
            yield
        finally:
            with self._lock:
                if self._sessions.get(loop, (None,))[0] is session:
                    del self._sessions[loop]
            await session.aclose()

    async def aclose(self) -> None:
        """End every session: now where its loop runs, else when its loop is shut down."""
        with self._lock:
            held = list(self._sessions.items())
            self._sessions.clear()
        here = asyncio.get_running_loop()
        for loop, (_, guard) in held:
            if loop is here:
                await _close(loop, guard)
            elif loop.is_running():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_close(loop, guard), loop))


async def _close(loop: asyncio.AbstractEventLoop, guard: Guard) -> None:
    _guards.get(loop, set()).discard(guard)
    await guard.aclose()


def _hold(loop: asyncio.AbstractEventLoop, guard: Guard) -> None:
    """Keep a guard until its loop ends: a forgotten one would be closed by a task that nobody waits for."""
    for old in [old for old in list(_guards) if old.is_closed()]:
        _guards.pop(old, None)
    _guards.setdefault(loop, set()).add(guard)
