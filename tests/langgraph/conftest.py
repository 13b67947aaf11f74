from __future__ import annotations

from collections.abc import Iterator

import pytest

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from axon.core.portal import run_blocking
from axon_integrations.langgraph import AxonStore


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def memory(clock: ManualClock) -> Iterator[MemorySystem]:
    system = MemorySystem(MemoryConfig(persistent=PersistentPolicy()), clock=clock)
    yield system
    run_blocking(system.aclose())


@pytest.fixture
def store(memory: MemorySystem) -> AxonStore:
    return AxonStore(memory)
