"""Any sequence of operations on a memory, in process and on a file, against a dict of what was acknowledged."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from axon import MemoryConfig, MemorySystem, Tier
from axon.core.clock import ManualClock
from axon.embedders.hashing import HashingEmbedder
from axon.testing.memory_machine import MemoryMachine


@pytest.mark.parametrize("kind", ["in_memory", "local"])
def test_any_sequence_of_operations_keeps_what_was_acknowledged(kind: str, tmp_path: Path) -> None:
    durable = (Tier.SESSION, Tier.PERSISTENT) if kind == "local" else ()
    embedder = HashingEmbedder(dims=64)

    def make_memory(clock: ManualClock) -> MemorySystem:
        config = MemoryConfig.local(tmp_path / "memory.db") if durable else MemoryConfig.in_memory()
        return MemorySystem(config, embedder=embedder, clock=clock)

    class Machine(MemoryMachine):
        def __init__(self) -> None:
            super().__init__(make_memory, durable)

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=max(1, settings().max_examples // 2),
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.filter_too_much,
            ],
        ),
    )
