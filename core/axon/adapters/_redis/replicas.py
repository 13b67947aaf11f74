"""The namespaces that this process holds in memory."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable

from axon.adapters._redis.catching_up import catch_up
from axon.adapters._redis.keys import Space
from axon.adapters._redis.operations import AskVersion, Changed, Version
from axon.adapters._redis.replica import Replica
from axon.adapters._redis.session import Session
from axon.core.clock import Clock
from axon.engine.arena import Arena

_SWEEP_EVERY_US = 1_000_000
_SWEPT = 1_000


class Replicas:
    """One replica per namespace that was searched here.

    Parameters
    ----------
    clock : decides what has expired.
    make_arena : makes an empty arena.
    retire : told of an arena that is no longer used.
    compact_if_due : told of an arena that lost entries.
    """

    def __init__(
        self,
        clock: Clock,
        make_arena: Callable[[], Arena],
        retire: Callable[[Arena], None],
        compact_if_due: Callable[[Arena], None],
    ) -> None:
        self._clock = clock
        self._make_arena = make_arena
        self._retire = retire
        self._compact_if_due = compact_if_due
        self._lock = threading.Lock()
        self._replicas: dict[str, Replica] = {}
        self._swept_us: dict[str, int] = {}

    async def arena(self, session: Session, space: Space) -> Arena | None:
        """Return the entries of a namespace as of now; None where it does not exist on the server."""
        while True:
            version: Version = await session.submit(AskVersion(space))
            if not version.epoch:
                self.forget(space.namespace)
                return None
            replica = self._replica(space.namespace)
            arena = replica.current(version)
            if arena is None:
                await session.once(space, "catch up", _catching_up(session, space, replica, version))
                arena = replica.current(version)
            if arena is not None:
                self._sweep(space.namespace, arena)
                return arena

    def loaded(self, namespace: str) -> Arena | None:
        """Return the entries as of the last search; None where there was none."""
        replica = self._replicas.get(namespace)
        return None if replica is None else replica.arena

    def note(self, namespace: str, changed: Changed, apply: Callable[[Arena], object]) -> None:
        """Apply a change of our own, where the namespace is held."""
        replica = self._replicas.get(namespace)
        if replica is not None:
            replica.note(changed, apply)
            if replica.arena is not None:
                self._compact_if_due(replica.arena)

    def forget(self, namespace: str) -> None:
        """Free what is held of a namespace."""
        with self._lock:
            replica = self._replicas.pop(namespace, None)
            self._swept_us.pop(namespace, None)
        if replica is not None and replica.arena is not None:
            self._retire(replica.arena)

    def clear(self) -> None:
        """Free everything."""
        for namespace in list(self._replicas):
            self.forget(namespace)

    def arenas(self) -> list[Arena]:
        """All that is held."""
        return [each.arena for each in list(self._replicas.values()) if each.arena is not None]

    def corrupt(self) -> list[str]:
        """Ids of entries that could not be decoded."""
        return [id for each in list(self._replicas.values()) for id in each.corrupt]

    def _replica(self, namespace: str) -> Replica:
        with self._lock:
            replica = self._replicas.get(namespace)
            if replica is None:
                replica = self._replicas[namespace] = Replica(self._make_arena, self._retire)
            return replica

    def _sweep(self, namespace: str, arena: Arena) -> None:
        """Drop what has expired from memory, as the server does by itself."""
        now_us = self._clock.now_us()
        if now_us - self._swept_us.get(namespace, 0) >= _SWEEP_EVERY_US:
            self._swept_us[namespace] = now_us
            over = arena.expired(now_us, _SWEPT)
            if over:
                arena.delete(over)
                self._compact_if_due(arena)


def _catching_up(
    session: Session, space: Space, replica: Replica, version: Version
) -> Callable[[], Awaitable[None]]:
    return lambda: catch_up(session, space, replica, version)
