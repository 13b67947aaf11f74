"""The in-process adapter: nothing but arenas; gone when the process ends."""

from __future__ import annotations

from collections.abc import Sequence

from axon.core.adapter_options import AdapterOptions, MemoryOptions
from axon.core.clock import Clock, SystemClock
from axon.core.models import MemoryEntry, Touch
from axon.core.ports import AdapterStats, Capabilities
from axon.engine.arena import Arena
from axon.engine.arena_adapter import ArenaAdapter


class MemoryAdapter(ArenaAdapter):
    """Keeps entries in this process.

    Parameters
    ----------
    options : see ``MemoryOptions``.
    clock : decides what has expired.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        settings = options if isinstance(options, MemoryOptions) else MemoryOptions()
        self._text_index = settings.text_index
        self._quantize = settings.quantize
        self._arenas: dict[str, Arena] = {}
        self.capabilities = Capabilities(
            text_search=self._text_index, durable=False, in_process=True, max_batch=2000
        )

    async def open(self) -> None:
        """Do nothing: there is nothing to connect to."""

    async def aclose(self) -> None:
        """Keep the entries: an adapter that is opened again shows them, and its owner frees them."""

    async def _arena(self, namespace: str) -> Arena:
        return self._arena_now(namespace)

    def _arena_now(self, namespace: str) -> Arena:
        arena = self._arenas.get(namespace)
        if arena is None:
            # setdefault: two threads may get here at once, and both must end up with one arena.
            arena = self._arenas.setdefault(
                namespace, Arena(text_index=self._text_index, quantize=self._quantize)
            )
        return arena

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole, replacing those with the same ids."""
        self.put_now(namespace, entries)

    def put_now(self, namespace: str, entries: Sequence[MemoryEntry]) -> bool:
        """Do the same at once."""
        arena = self._arena_now(namespace)
        arena.put(entries)
        self._compact_if_due(arena)
        return True

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there."""
        arena = self._arena_now(namespace)
        count = arena.delete(ids)
        self._compact_if_due(arena)
        return count

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        (await self._arena(namespace)).touch(touches)

    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace."""
        if namespace in self._arenas:
            self._arenas[namespace].clear()

    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        return sorted(name for name, arena in self._arenas.items() if len(arena))

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one."""
        return (await self._arena(namespace)).bind(fingerprint)

    async def stats(self) -> AdapterStats:
        """Describe the present state."""
        arenas = list(self._arenas.values())
        return AdapterStats(
            backend="in process",
            entries=sum(map(len, arenas)),
            bytes=sum(arena.vector_bytes for arena in arenas),
            details={"namespaces": len(arenas), "text_index": self._text_index},
        )
