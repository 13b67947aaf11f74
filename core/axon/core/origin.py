"""Where a memory comes from: scopes come and go with each request, and what they were made from stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem


def origin_of(memory: MemorySystem) -> MemorySystem:
    """Return the memory that ``memory`` was scoped from, or itself; scoping that again gives the same.

    A scope with an embedder of its own is its own origin.
    """
    origin = memory._made_from
    return memory if origin is None or origin._embedder is not memory._embedder else origin
