"""The store suite on a memory whose clock a test can set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon.testing import LangGraphStoreSuite, StoreFactory
from axon_integrations.langgraph import AxonStore


class ClockedStoreSuite(LangGraphStoreSuite):
    """Subclasses state a configuration; each store gets a memory of its own, closed after the test."""

    lifetime = 1.0
    tier: ClassVar[str | None] = None

    def config(self, path: Path) -> MemoryConfig:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def clock(self) -> ManualClock:
        self._clock = ManualClock()
        return self._clock

    async def elapse(self, lifetimes: float) -> None:
        self._clock.advance(lifetimes * self.lifetime * 60.0)

    async def sweep(self, store: Any) -> None:
        await store.asweep_ttl()

    @pytest.fixture
    def make_store(self, tmp_path: Path, clock: ManualClock) -> Iterator[StoreFactory]:
        memories: list[MemorySystem] = []

        def make(**keywords: Any) -> AxonStore:
            config = self.config(tmp_path / f"{len(memories)}.db")
            memories.append(MemorySystem(config, clock=clock))
            return AxonStore(memories[-1], tier=self.tier, **keywords)

        yield make
        for memory in memories:
            run_blocking(memory.aclose())
