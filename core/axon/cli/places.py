"""Where the demo keeps its memory: a database file, or what a configuration file names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from axon.cli.openai_mode import choose_embedder
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier


class Place(msgspec.Struct, frozen=True):
    """A place that two processes can open, one after the other.

    Attributes
    ----------
    file : the database, or the configuration.
    configured : it is a configuration.
    namespace : the demo's own where a server may hold other memories.
    openai : the embedder is OpenAI's.
    """

    file: str
    configured: bool = False
    namespace: str = "default"
    openai: bool = False

    def memory(self) -> MemorySystem:
        """Make the memory; nothing is opened.

        Raises
        ------
        ConfigError
            If the configuration cannot be read or is wrong.
        MissingDependencyError
            If a client package is not installed.
        """
        config = MemoryConfig.from_file(self.file) if self.configured else MemoryConfig.local(Path(self.file))
        return MemorySystem(config, embedder=choose_embedder(self.openai), namespace=self.namespace)

    async def clear(self) -> None:
        """Delete what the demo stored."""
        async with self.memory() as memory:
            await memory.clear()


async def durable_tiers(memory: MemorySystem) -> Sequence[Tier]:
    """Name the tiers that outlive this process."""
    stats = await memory.stats()
    return [Tier(name) for name, tier in stats.tiers.items() if tier.durable]
