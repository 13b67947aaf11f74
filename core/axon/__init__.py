"""Axon: tiered memory for LLM applications.

``MemorySystem`` is the async memory, ``SyncMemorySystem`` the same for blocking code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axon.core.config import MemoryConfig
from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, RecallResult, Tier

if TYPE_CHECKING:
    from axon.sync import SyncMemorySystem

__version__ = "0.1.0"

__all__ = [
    "Filter",
    "MemoryConfig",
    "MemoryEntry",
    "MemorySystem",
    "RecallResult",
    "SyncMemorySystem",
    "Tier",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name == "SyncMemorySystem":
        from axon.sync import SyncMemorySystem

        return SyncMemorySystem
    raise AttributeError(f"module 'axon' has no attribute {name!r}")
