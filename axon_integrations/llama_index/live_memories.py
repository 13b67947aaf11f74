"""Memories of this process by name, so that a serialised agent finds the one it worked with."""

from __future__ import annotations

from weakref import WeakKeyDictionary, WeakValueDictionary

from axon.core.errors import ConfigError
from axon.core.ids import new_id
from axon.core.memory_system import MemorySystem
from axon.core.origin import origin_of

_named: WeakValueDictionary[str, MemorySystem] = WeakValueDictionary()
_names: WeakKeyDictionary[MemorySystem, str] = WeakKeyDictionary()
_kept: dict[str, MemorySystem] = {}


def register_memory(name: str, memory: MemorySystem) -> None:
    """Give a memory a name under which serialised contexts of any process find it, and keep it.

    Parameters
    ----------
    name : the same wherever contexts are written and read; a second memory of the same name takes its place.
    memory : used from now on; it is never closed here.

    Raises
    ------
    ConfigError
        If the name is empty or ``memory`` is no memory.
    """
    if not name or not isinstance(memory, MemorySystem):
        raise ConfigError("register_memory takes a name and a MemorySystem")
    _kept[name] = memory
    _named[name] = memory
    _names[origin_of(memory)] = name


def name_of(memory: MemorySystem) -> str:
    """Return the name of a memory, giving it one that holds in this process only where it has none.

    Scopes of one memory share its name, since they may be gone when the name is read.
    """
    origin = origin_of(memory)
    name = _names.setdefault(origin, f"process-{new_id()}")
    _named.setdefault(name, origin)
    return name


def memory_named(name: str) -> MemorySystem:
    """Return the memory of that name.

    Raises
    ------
    ConfigError
        If there is none in this process.
    """
    memory = _named.get(name)
    if memory is None:
        raise ConfigError(
            f"no memory of this process is named {name!r}; before a context of another process is read, call "
            "axon_integrations.llama_index.register_memory(name, memory) with the same name in both"
        )
    return memory
