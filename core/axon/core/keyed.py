"""Entries that a framework addresses by key: changed by plans, kept with their own times, walked in order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, TypeAlias

from axon.core.filter.ast import Field, FilterNode
from axon.core.lifecycle.expiry import expiry_of
from axon.core.memory_system import MemorySystem
from axon.core.models import EntryRecord, JsonValue, MemoryEntry, Tier
from axon.core.operations.maintenance import sweep
from axon.core.operations.moves import after_write
from axon.core.telemetry import span
from axon.core.tier import TierStore

_PAGE = 1000
_IN_PROCESS_PAGE = 10_000
"""A page in this process copies nothing, but each one orders all entries anew."""


class Changes(NamedTuple):
    """What is to be written and what is to go.

    Attributes
    ----------
    entries : written whole; of equal ids the last wins.
    gone : ids to delete, whether or not they exist.
    """

    entries: Sequence[MemoryEntry]
    gone: Sequence[str] = ()


Plan: TypeAlias = Callable[[Mapping[str, MemoryEntry]], Awaitable[Changes]]
"""Decides on changes from what is stored now, by id; awaitable only so that a long one can let others run."""


class KeyedEntries:
    """The entries of one namespace that are addressed by key.

    Parameters
    ----------
    memory : bound to the namespace.
    tier : takes what is written. Reads look into the more durable tiers too, because a full tier may let
        entries move there.
    """

    def __init__(self, memory: MemorySystem, tier: Tier) -> None:
        self._memory = memory
        self._runtime = memory._runtime
        names = self._runtime.names
        self.tiers: tuple[Tier, ...] = names[names.index(tier) :]
        self._stores: list[TierStore] = [self._runtime.tiers[name] for name in self.tiers]

    @property
    def has_text(self) -> bool:
        """Whether a tier can search for words."""
        return any(store.has_text for store in self._stores)

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC, by the memory's clock."""
        return self._runtime.clock.now_us()

    def record(
        self,
        id: str,
        text: str,
        metadata: dict[str, JsonValue],
        *,
        now_us: int,
        created_us: int | None = None,
        ttl: float | None = None,
    ) -> EntryRecord:
        """Make the record of an entry.

        Parameters
        ----------
        id, text, metadata : checked; the metadata is handed over.
        now_us : when it is written, microseconds since 1970 UTC.
        created_us : when it was first written; None for now.
        ttl : seconds to live from now; None takes the tier's policy.
        """
        return EntryRecord(
            id=id,
            text=text,
            importance=self._runtime.config.routing.default_importance,
            tags=(),
            metadata=metadata,
            created_us=now_us if created_us is None else created_us,
            updated_us=now_us,
            expires_us=expiry_of(now_us, ttl, self._stores[0].policy.ttl_seconds),
            keyed=True,
        )

    async def get_many(self, ids: Iterable[str]) -> dict[str, MemoryEntry]:
        """Read entries by id, one batch per tier; those absent or expired are left out."""
        await self._memory._enter()
        return await self._read(ids)

    async def _read(self, ids: Iterable[str]) -> dict[str, MemoryEntry]:
        missing, found = list(dict.fromkeys(ids)), dict[str, MemoryEntry]()
        for store in self._stores:
            if not missing:
                break
            entries = await store.get_many(self._memory.namespace, missing)
            found.update((entry.record.id, entry) for entry in entries if entry is not None)
            missing = [id for id in missing if id not in found]
        return found

    async def change(
        self, ids: Iterable[str], plan: Plan, *, wait: bool = True, embedded: bool = False
    ) -> Changes:
        """Read entries, let ``plan`` decide, and write; nobody else in this process changes ``ids`` meanwhile.

        Parameters
        ----------
        ids : what the plan is shown, and what it may change besides ids that are new or its own.
        plan : decides; its answer is returned.
        wait : for those who are changing some of ``ids`` now; False passes these over.
        embedded : this memory's embedder made the vectors of what is written.

        Raises
        ------
        EmbeddingMismatchError
            If another embedder filled this namespace.
        AdapterError
            If a backend failed.
        """
        await self._memory._enter()
        claims, namespace, first = self._runtime.claims, self._memory.namespace, self._stores[0]
        claimed = list(dict.fromkeys(ids))
        with span("change") as watch:
            if wait:
                await claims.take(namespace, claimed)
            else:
                claimed = claims.take_free(namespace, claimed)
            try:
                changes = await plan(await self._read(claimed))
                await self._apply(changes, embedded)
            finally:
                claims.release(namespace, claimed)
            if changes.entries and first.needs_care:
                await after_write(self._memory._scope, first)
            watch.items = len(changes.entries) + len(changes.gone)
        return changes

    async def _apply(self, changes: Changes, embedded: bool) -> None:
        scope, namespace, first = self._memory._scope, self._memory.namespace, self._stores[0]
        if changes.entries:
            if embedded and first.name not in scope.bound:
                await scope.bind(first.name)
            limit = min(_PAGE, first.adapter.capabilities.max_batch)
            for start in range(0, len(changes.entries), limit):
                await self._memory._enter()
                await first.adapter.put_many(namespace, changes.entries[start : start + limit])
            written = [entry.record.id for entry in changes.entries]
            for store in self._stores[1:]:
                await store.adapter.delete_many(namespace, written)
        if changes.gone:
            for store in self._stores:
                await store.adapter.delete_many(namespace, changes.gone)

    async def newest_first(self, node: FilterNode, page: int = _PAGE) -> AsyncGenerator[MemoryEntry]:
        """Walk the entries that match by the time of their last write, latest first; ties by id.

        Parameters
        ----------
        page : entries fetched at a time, >= 1; as many as are wanted, where the caller knows.
        """
        await self._memory._enter()
        streams = [self._newest_of(store, node, page) for store in self._stores]
        if len(streams) == 1:
            async for entry in streams[0]:
                yield entry
            return
        seen: set[str] = set()
        heads = [(stream, await anext(stream, None)) for stream in streams]
        while waiting := [(stream, entry) for stream, entry in heads if entry is not None]:
            stream, entry = min(waiting, key=lambda head: (-head[1].record.updated_us, head[1].record.id))
            heads = [(each, await anext(each, None) if each is stream else head) for each, head in waiting]
            if entry.record.id not in seen:
                seen.add(entry.record.id)
                yield entry

    async def _newest_of(self, store: TierStore, node: FilterNode, limit: int) -> AsyncIterator[MemoryEntry]:
        async for page in store.scan(
            self._memory.namespace, node, order_by="updated_at", descending=True, limit=limit
        ):
            for entry in page:
                yield entry

    async def distinct(self, field: Field, node: FilterNode) -> set[Any]:
        """Collect the values, all hashable, that a metadata key has in the entries that match."""
        await self._memory._enter()
        found: set[Any] = set()
        for store in self._stores:
            limit = _IN_PROCESS_PAGE if store.adapter.capabilities.in_process else _PAGE
            pages = store.scan(self._memory.namespace, node, order_by="id", limit=limit)
            async with aclosing(pages):
                async for page in pages:
                    found.update([entry.record.metadata.get(field.name) for entry in page])
        return found

    async def sweep(self) -> int:
        """Delete what has expired, which no read shows any more; returns how many entries went."""
        await self._memory._enter()
        with span("sweep") as watch:
            watch.items = sum([await sweep(self._memory._scope, store) for store in self._stores])
            return watch.items
