"""Who may touch an id now: a move and a write of the same entry must not interleave.

A move copies, confirms and deletes in three steps. A write or a deletion of the same id between two of them
would be undone by the next, so whoever changes an id that may exist claims it first. Fresh ids need no claim.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future


class _Claim:
    """One holder of some ids. The signal for those who wait is made when the first of them comes: few ever do."""

    __slots__ = ("signal",)

    def __init__(self) -> None:
        self.signal: Future[None] | None = None


class Claims:
    """Ids in use, per namespace; shared by all event loops and threads of one memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], _Claim] = {}

    def take_free(self, namespace: str, ids: Iterable[str]) -> list[str]:
        """Claim those ids that nobody holds, and return them."""
        claim = _Claim()
        with self._lock:
            free = [id for id in ids if (namespace, id) not in self._held]
            self._held.update(((namespace, id), claim) for id in free)
        return free

    async def take(self, namespace: str, ids: Sequence[str]) -> None:
        """Claim all of ``ids``, waiting first until nobody else holds any of them."""
        while (busy := self.take_all(namespace, ids)) is not None:
            # Shielded: who stops waiting must not cancel the signal that others wait for.
            await asyncio.shield(asyncio.wrap_future(busy))

    def take_all(self, namespace: str, ids: Sequence[str]) -> Future[None] | None:
        """Claim all of ``ids`` and return None, or claim nothing and return what to wait for."""
        held = self._held
        with self._lock:
            for id in ids:
                busy = held.get((namespace, id))
                if busy is not None:
                    busy.signal = busy.signal or Future()
                    return busy.signal
            claim = _Claim()
            for id in ids:
                held[namespace, id] = claim
        return None

    def release(self, namespace: str, ids: Iterable[str]) -> None:
        """Give up ids claimed before, and wake who waits for them."""
        signals = []
        with self._lock:
            for id in ids:
                claim = self._held.pop((namespace, id), None)
                if claim is not None and claim.signal is not None:
                    signals.append(claim.signal)
                    claim.signal = None
        for signal in signals:
            signal.set_result(None)

    def hold(self, namespace: str, ids: Iterable[str]) -> _Hold:
        """Hold all of ``ids`` inside an ``async with`` block, waiting first until nobody else does."""
        return _Hold(self, namespace, tuple(ids))


class _Hold:
    """A claim of several ids at once; all or none, so that two of them cannot wait for one another."""

    __slots__ = ("_claims", "_ids", "_namespace")

    def __init__(self, claims: Claims, namespace: str, ids: Sequence[str]) -> None:
        self._claims = claims
        self._namespace = namespace
        self._ids = ids

    async def __aenter__(self) -> None:
        await self._claims.take(self._namespace, self._ids)

    async def __aexit__(self, *_: object) -> None:
        self._claims.release(self._namespace, self._ids)
