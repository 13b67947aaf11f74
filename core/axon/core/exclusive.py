"""One at a time: a lock by name that holds over all event loops and threads that use a memory."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from axon.core.compartments import compartment

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem


def exclusive(memory: MemorySystem, key: str) -> AbstractAsyncContextManager[None]:
    """Keep others who name the same key out of an ``async with`` block, within this process.

    Parameters
    ----------
    memory : whose namespace the key belongs to; its siblings share their keys.
    key : what is worked on, such as a conversation. A block may not name the key of a block around it.
    """
    # A place of its own, where no entry's id can be: a block stores entries, which claim their ids.
    return memory._runtime.claims.hold(compartment(memory.namespace, "turns"), (key,))
