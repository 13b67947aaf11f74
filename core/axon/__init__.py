"""Axon: tiered memory for LLM applications.

``MemorySystem`` is the async memory, ``SyncMemorySystem`` the same for blocking code. Names are imported when they are
first used, so that a program which only mentions Axon does not pay for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from axon.core.config import MemoryConfig
    from axon.core.filter import Filter
    from axon.core.memory_system import MemorySystem
    from axon.core.models import MemoryEntry, RecallResult, Tier
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

_HOMES = {
    "Filter": "axon.core.filter",
    "MemoryConfig": "axon.core.config",
    "MemoryEntry": "axon.core.models",
    "MemorySystem": "axon.core.memory_system",
    "RecallResult": "axon.core.models",
    "SyncMemorySystem": "axon.sync",
    "Tier": "axon.core.models",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'axon' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
