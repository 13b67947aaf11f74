"""The memory that a face is given, and the part of it that is the face's."""

from __future__ import annotations

from axon.core.errors import ConfigError
from axon.core.memory_system import MemorySystem


def owner_of(memory: MemorySystem, namespace: str | None = None, hint: str = "") -> MemorySystem:
    """Return the memory bound to ``namespace``; None leaves it as it is.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``; the message ends with ``hint``.
    InvalidInputError
        If the namespace is empty.
    """
    if not isinstance(memory, MemorySystem):
        raise ConfigError(f"the first argument must be a MemorySystem, not {type(memory).__name__}{hint}")
    return memory if namespace is None else memory.scope(namespace)
