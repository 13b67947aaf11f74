"""The store suite on every tier in this process and on SQLite: L27, L28, L29."""

from __future__ import annotations

from pathlib import Path

from axon.core.config import MemoryConfig
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from tests.langgraph.stores import ClockedStoreSuite


class TestMemory(ClockedStoreSuite):
    def config(self, path: Path) -> MemoryConfig:
        return MemoryConfig(persistent=PersistentPolicy())


class TestSqlite(ClockedStoreSuite):
    def config(self, path: Path) -> MemoryConfig:
        return MemoryConfig(
            persistent=PersistentPolicy(adapter_type="sqlite", adapter_config={"path": str(path)})
        )


class TestSessionTierThatOverflows(ClockedStoreSuite):
    """Items are in two tiers at once, as a tier that is full lets the rest move to the next."""

    tier = "ephemeral"

    def config(self, path: Path) -> MemoryConfig:
        return MemoryConfig(
            ephemeral=EphemeralPolicy(max_entries=3, overflow="move"), session=SessionPolicy()
        )
