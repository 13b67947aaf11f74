"""A memory of each kind that needs nothing but this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from axon import MemoryConfig, MemorySystem
from axon.core.clock import ManualClock
from axon.embedders.hashing import HashingEmbedder


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["in_memory", "local"])
async def memory(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[MemorySystem]:
    """Three tiers, empty: all in process, or two of them in a SQLite file."""
    config = (
        MemoryConfig.in_memory()
        if request.param == "in_memory"
        else MemoryConfig.local(tmp_path / "memory.db")
    )
    async with MemorySystem(config, embedder=HashingEmbedder(), clock=clock) as memory:
        yield memory
