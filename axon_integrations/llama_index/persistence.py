"""``persist`` and reload for tiers that would go with the process."""

from __future__ import annotations

import asyncio
import os
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from llama_index.core.vector_stores.simple import DEFAULT_VECTOR_STORE, NAMESPACE_SEP
from llama_index.core.vector_stores.types import DEFAULT_PERSIST_FNAME

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem


class FileSystem(Protocol):
    """What is needed of an fsspec file system; spelled out because fsspec ships no types."""

    def exists(self, path: str) -> bool:
        """Tell whether there is such a file."""
        ...

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Make a folder and those above it."""
        ...

    def put_file(self, lpath: str, rpath: str) -> None:
        """Copy a local file here."""
        ...

    def get_file(self, rpath: str, lpath: str) -> None:
        """Copy a file of ours to the local disk."""
        ...


def default_path(persist_dir: str) -> str:
    """Where ``StorageContext.persist`` puts its one vector store."""
    return f"{str(persist_dir).rstrip('/')}/{DEFAULT_VECTOR_STORE}{NAMESPACE_SEP}{DEFAULT_PERSIST_FNAME}"


async def save(memory: MemorySystem, tier: str | None, path: str, fs: FileSystem | None) -> None:
    """Export the tiers that are not durable, of ``tier`` or of all; without any, do nothing.

    Raises
    ------
    AdapterUnavailable
        If the file cannot be written.
    """
    stats = await memory.stats()
    fleeting = [name for name, state in stats.tiers.items() if not state.durable and tier in (None, name)]
    if not fleeting:
        return
    if fs is None:
        await asyncio.to_thread(os.makedirs, os.path.dirname(path) or ".", exist_ok=True)
        await memory.export(path, tier=fleeting)
        return
    with TemporaryDirectory() as folder:
        local = os.path.join(folder, "export")
        await memory.export(local, tier=fleeting)
        await asyncio.to_thread(fs.makedirs, os.path.dirname(path), exist_ok=True)
        await asyncio.to_thread(fs.put_file, local, path)


async def load(memory: MemorySystem, path: str, fs: FileSystem | None) -> None:
    """Import what :func:`save` wrote; a missing file means that there was nothing to write.

    Raises
    ------
    InvalidInputError, CorruptEntryError
        If the file is no export, or a line of it is damaged.
    """
    if fs is None:
        if await asyncio.to_thread(os.path.exists, path):
            await memory.import_(path)
    elif await asyncio.to_thread(fs.exists, path):
        with TemporaryDirectory() as folder:
            local = os.path.join(folder, "export")
            await asyncio.to_thread(fs.get_file, path, local)
            await memory.import_(local)
