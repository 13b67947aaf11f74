"""Importance chooses the tier; a move keeps the id; what is ephemeral ends with the process."""

import tempfile
from pathlib import Path

from axon import MemoryConfig, SyncMemorySystem


def show(memory: SyncMemorySystem, title: str) -> None:
    print(title)
    for tier in memory.tiers:
        print(f"  {tier:<10} {', '.join(sorted(entry.text for entry in memory.scan(tier=tier))) or '-'}")


with tempfile.TemporaryDirectory() as folder:
    config = MemoryConfig.local(Path(folder) / "memory.db")
    with SyncMemorySystem(config) as memory:
        noise = memory.store("It is raining.", importance=0.1)
        memory.store("We are discussing the budget.", importance=0.5)
        memory.store("The budget is decided in March.", importance=0.9)
        show(memory, "stored")

        memory.promote(noise, "persistent")
        memory.store("The kettle is on.", importance=0.1)
        show(memory, "after a promotion")

    with SyncMemorySystem(config) as memory:
        show(memory, "reopened")
