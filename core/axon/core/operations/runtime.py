"""What all scopes of one memory share: the tiers, the clock, background work, access statistics."""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from axon.core.clock import Clock
from axon.core.config import MemoryConfig
from axon.core.errors import AdapterError, AdapterUnavailable
from axon.core.models import RecallResult, Tier, Touch
from axon.core.operations.claims import Claims
from axon.core.ports import StorageAdapter, Summarizer
from axon.core.tier import TierStore
from axon.core.turns import TurnBudget

_TOUCH_BATCH = 256
"""Recalls whose access statistics are written together."""

logger = logging.getLogger("axon")


class Runtime:
    """The shared part of a memory.

    Parameters
    ----------
    config : tiers and rules.
    clock : the present.
    summarizer : condenses entries.
    adapters : adapters of the caller's own, by tier; they are not closed here.
    """

    def __init__(
        self,
        config: MemoryConfig,
        clock: Clock,
        summarizer: Summarizer,
        adapters: Mapping[Tier, StorageAdapter] | None = None,
    ) -> None:
        own = adapters or {}
        self.config = config
        self.clock = clock
        self.summarizer = summarizer
        self.tiers: dict[Tier, TierStore] = {
            policy.tier: TierStore(policy, clock, own.get(policy.tier)) for policy in config.tiers
        }
        self.names: tuple[Tier, ...] = tuple(self.tiers)
        self.stores: tuple[TierStore, ...] = tuple(self.tiers.values())
        self.turns = TurnBudget()
        self.claims = Claims()
        self.is_open = False
        self.scopes: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closed = False
        self._touched: list[tuple[int, Tier, str, list[str]]] = []
        self._recalls = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def unbind(self, namespace: str) -> None:
        """Let the scopes of a namespace look again at which embedder fills it, because it was cleared."""
        for scope in list(self.scopes):
            if scope.namespace == namespace:
                scope.bound.clear()

    async def open(self) -> None:
        """Open the adapters; called before the first operation."""
        if self._closed:
            raise AdapterUnavailable("this memory was closed; make a new MemorySystem to go on")
        for store in self.stores:
            await store.adapter.open()
        self.is_open = True

    async def aclose(self) -> None:
        """Finish background work, write access statistics and close the adapters made here; twice does nothing."""
        if self._closed:
            return
        loop = asyncio.get_running_loop()
        mine = [task for task in self._tasks if task.get_loop() is loop]
        await asyncio.gather(*mine, return_exceptions=True)
        if self.is_open:
            await self.flush_touches()
        self._closed, self.is_open = True, False
        for store in self.stores:
            if store.owns_adapter:
                await store.adapter.aclose()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in the background of the running loop; errors of adapters are logged, not raised."""
        task = asyncio.get_running_loop().create_task(self._logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _logged(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except AdapterError as error:
            logger.warning("background work failed: %s", error)

    def touch(self, namespace: str, results: Sequence[RecallResult]) -> None:
        """Note that entries were returned; written later, in batches."""
        if not results:
            return
        now_us = self.clock.now_us()
        for tier in {result.tier for result in results}:
            ids = [result.entry.record.id for result in results if result.tier is tier]
            self._touched.append((now_us, tier, namespace, ids))
        self._recalls += 1
        # At multiples only: between them a flush has been started and has not had its turn yet.
        if self._recalls % _TOUCH_BATCH == 0:
            self.start(self.flush_touches())

    async def flush_touches(self) -> None:
        """Write the access statistics noted so far."""
        noted, self._touched = self._touched, []
        by_place: dict[tuple[Tier, str], tuple[list[str], dict[str, int]]] = {}
        for now_us, tier, namespace, ids in noted:
            returned, latest = by_place.setdefault((tier, namespace), ([], {}))
            returned += ids
            latest.update(dict.fromkeys(ids, now_us))
        for (tier, namespace), (returned, latest) in by_place.items():
            touches = [Touch(id, latest[id], count) for id, count in Counter(returned).items()]
            await self.tiers[tier].adapter.touch_many(namespace, touches)
