"""A memory that fails once, at a chosen operation of its adapter."""

from __future__ import annotations

from typing import Literal

from axon.adapters.memory import MemoryAdapter
from axon.core.clock import SystemClock
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.policies import PersistentPolicy, RankingPolicy
from axon.testing import Fault, FaultPlan, FaultyAdapter


def failing_memory(operation: str, *, when: Literal["before", "after"] = "before") -> MemorySystem:
    adapter = FaultyAdapter(MemoryAdapter(clock=SystemClock()), FaultPlan(Fault(1, operation, when)))
    # By vectors alone, so that one recall is one search.
    config = MemoryConfig(persistent=PersistentPolicy(), ranking=RankingPolicy(mode="vector"))
    return MemorySystem(config, adapters={Tier.PERSISTENT: adapter})
