"""The memory for blocking code: the same object, driven on Axon's background loop."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Self

import numpy as np

from axon.core.clock import Clock
from axon.core.config import MemoryConfig
from axon.core.filter.filter import FilterLike
from axon.core.memory_system import MemorySystem
from axon.core.models import JsonValue, MemoryEntry, RecallResult, Tier
from axon.core.operations.drafts import UNSET, Unset
from axon.core.operations.writing import BulkItem, Progress
from axon.core.policies import RankingPolicy, RecallMode
from axon.core.portal import run_blocking
from axon.core.ports import Embedder, StorageAdapter, Summarizer
from axon.core.reports import (
    CompactionReport,
    ForgetReport,
    MaintenanceReport,
    SystemStats,
    TransferReport,
)

# Entries fetched ahead per step of a scan: a step costs about 0.1 ms besides the entries.
_SCAN_STEP = 256


class SyncMemorySystem:
    """A memory whose methods block until they are done; see :class:`MemorySystem` for what each one does.

    Works in scripts, in threads, in notebooks and inside a running loop of another thread. Errors are those
    of the async method. Ctrl-C cancels a call. A call on Axon's own background loop raises
    ``SyncCallError``: await the method of ``memory`` there.

    Parameters
    ----------
    config, embedder, namespace, summarizer, clock, adapters : see :class:`MemorySystem`.

    Attributes
    ----------
    memory : the async memory behind this one; both may be used at once.

    Examples
    --------
    >>> with SyncMemorySystem(MemoryConfig.local("memory.db")) as memory:
    ...     memory.store("The deploy key is rotated monthly", importance=0.9)
    ...     results = memory.recall("when do we rotate keys?", k=3)
    """

    memory: MemorySystem

    def __init__(
        self,
        config: MemoryConfig | None = None,
        *,
        embedder: Embedder | None = None,
        namespace: str = "default",
        summarizer: Summarizer | None = None,
        clock: Clock | None = None,
        adapters: Mapping[Tier, StorageAdapter] | None = None,
    ) -> None:
        self.memory = MemorySystem(
            config,
            embedder=embedder,
            namespace=namespace,
            summarizer=summarizer,
            clock=clock,
            adapters=adapters,
        )

    @classmethod
    def wrap(cls, memory: MemorySystem) -> Self:
        """Give a blocking face to an async memory, which stays usable itself."""
        wrapped = cls.__new__(cls)
        wrapped.memory = memory
        return wrapped

    @property
    def namespace(self) -> str:
        """The namespace this object is bound to."""
        return self.memory.namespace

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The configured tiers, from the most fleeting to the most durable."""
        return self.memory.tiers

    @property
    def config(self) -> MemoryConfig:
        """The configuration."""
        return self.memory.config

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors."""
        return self.memory.embedder

    def scope(self, namespace: str, *, embedder: Embedder | None = None) -> Self:
        """Give a memory on the same tiers, bound to another namespace; see :meth:`MemorySystem.scope`."""
        return self.wrap(self.memory.scope(namespace, embedder=embedder))

    def store(
        self,
        text: str,
        *,
        importance: float | None = None,
        tags: Iterable[str] = (),
        metadata: Mapping[str, JsonValue] | None = None,
        embedding: Any = None,
        id: str | None = None,
        tier: str | Iterable[str] | None = None,
        ttl: float | None = None,
        session_id: str | None = None,
        embed: bool = True,
    ) -> str:
        """Remember a text and return its id; see :meth:`MemorySystem.store`."""
        return run_blocking(
            self.memory.store(
                text,
                importance=importance,
                tags=tags,
                metadata=metadata,
                embedding=embedding,
                id=id,
                tier=tier,
                ttl=ttl,
                session_id=session_id,
                embed=embed,
            )
        )

    def bulk_store(
        self,
        items: Iterable[BulkItem] | AsyncIterable[BulkItem],
        *,
        importance: float | None = None,
        tags: Iterable[str] = (),
        metadata: Mapping[str, JsonValue] | None = None,
        embeddings: Any = None,
        ids: Iterable[str] | None = None,
        tier: str | Iterable[str] | None = None,
        ttl: float | None = None,
        session_id: str | None = None,
        embed: bool = True,
        batch_size: int = 1000,
        progress: bool | Progress = False,
    ) -> list[str]:
        """Remember many texts and return their ids in order; see :meth:`MemorySystem.bulk_store`.

        A generator in ``items`` runs on the background loop: it must not call blocking methods of Axon.
        """
        return run_blocking(
            self.memory.bulk_store(
                items,
                importance=importance,
                tags=tags,
                metadata=metadata,
                embeddings=embeddings,
                ids=ids,
                tier=tier,
                ttl=ttl,
                session_id=session_id,
                embed=embed,
                batch_size=batch_size,
                progress=progress,
            )
        )

    def recall(
        self,
        query: str | Sequence[float] | np.ndarray[Any, Any],
        *,
        k: int = 10,
        filter: FilterLike = None,
        tier: str | Iterable[str] | None = None,
        mode: RecallMode | None = None,
        min_score: float | None = None,
        explain: bool = False,
        text_weight: float | None = None,
        partial: bool = False,
        embedding: Any = None,
        ranking: RankingPolicy | None = None,
        touch: bool = True,
    ) -> list[RecallResult]:
        """Find what belongs to a query, best first; see :meth:`MemorySystem.recall`."""
        return run_blocking(
            self.memory.recall(
                query,
                k=k,
                filter=filter,
                tier=tier,
                mode=mode,
                min_score=min_score,
                explain=explain,
                text_weight=text_weight,
                partial=partial,
                embedding=embedding,
                ranking=ranking,
                touch=touch,
            )
        )

    def recall_many(
        self, queries: Iterable[str | Sequence[float]], **options: Any
    ) -> list[list[RecallResult]]:
        """Answer several queries in order; see :meth:`MemorySystem.recall_many`."""
        return run_blocking(self.memory.recall_many(queries, **options))

    def get(self, id: str) -> MemoryEntry | None:
        """Read one entry, or None; see :meth:`MemorySystem.get`."""
        return run_blocking(self.memory.get(id))

    def get_many(self, ids: Iterable[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; see :meth:`MemorySystem.get_many`."""
        return run_blocking(self.memory.get_many(ids))

    def update(
        self,
        id: str,
        *,
        text: str | Unset = UNSET,
        importance: float | Unset = UNSET,
        tags: Iterable[str] | Unset = UNSET,
        metadata: Mapping[str, JsonValue] | Unset | None = UNSET,
        ttl: float | Unset | None = UNSET,
    ) -> MemoryEntry:
        """Change parts of an entry and return it; see :meth:`MemorySystem.update`."""
        return run_blocking(
            self.memory.update(id, text=text, importance=importance, tags=tags, metadata=metadata, ttl=ttl)
        )

    def delete(self, id: str) -> bool:
        """Delete one entry and tell whether there was one; see :meth:`MemorySystem.delete`."""
        return run_blocking(self.memory.delete(id))

    def delete_many(self, ids: Iterable[str]) -> int:
        """Delete entries by id and return how many there were; see :meth:`MemorySystem.delete_many`."""
        return run_blocking(self.memory.delete_many(ids))

    def forget(self, *, filter: FilterLike) -> ForgetReport:
        """Delete every entry that matches, in every tier; see :meth:`MemorySystem.forget`."""
        return run_blocking(self.memory.forget(filter=filter))

    def clear(self, *, tier: str | Iterable[str] | None = None) -> None:
        """Delete everything in this namespace, or in some of its tiers; see :meth:`MemorySystem.clear`."""
        run_blocking(self.memory.clear(tier=tier))

    def count(self, *, filter: FilterLike = None, tier: str | Iterable[str] | None = None) -> int:
        """Count the unexpired entries that match; see :meth:`MemorySystem.count`."""
        return run_blocking(self.memory.count(filter=filter, tier=tier))

    def scan(
        self, *, filter: FilterLike = None, tier: str | Iterable[str] | None = None
    ) -> Iterator[MemoryEntry]:
        """Walk the entries that match, some of them fetched ahead; see :meth:`MemorySystem.scan`."""
        entries = self.memory.scan(filter=filter, tier=tier)
        while step := run_blocking(_take(entries, _SCAN_STEP)):
            yield from step

    def promote(self, id: str, tier: str) -> None:
        """Move an entry to a more durable tier; see :meth:`MemorySystem.promote`."""
        run_blocking(self.memory.promote(id, tier))

    def demote(self, id: str, tier: str) -> None:
        """Move an entry to a less durable tier; see :meth:`MemorySystem.demote`."""
        run_blocking(self.memory.demote(id, tier))

    def compact(self, tier: str | Iterable[str] | None = None, *, dry_run: bool = False) -> CompactionReport:
        """Replace entries by summaries; see :meth:`MemorySystem.compact`."""
        return run_blocking(self.memory.compact(tier, dry_run=dry_run))

    def maintain(self) -> MaintenanceReport:
        """Do what the policies ask for; see :meth:`MemorySystem.maintain`."""
        return run_blocking(self.memory.maintain())

    def export(
        self,
        path: str | PathLike[str],
        *,
        filter: FilterLike = None,
        tier: str | Iterable[str] | None = None,
        progress: bool | Progress = False,
    ) -> TransferReport:
        """Write entries to a file of JSON lines; see :meth:`MemorySystem.export`."""
        return run_blocking(self.memory.export(path, filter=filter, tier=tier, progress=progress))

    def import_(self, path: str | PathLike[str], *, progress: bool | Progress = False) -> TransferReport:
        """Read entries from a file that :meth:`export` wrote; see :meth:`MemorySystem.import_`."""
        return run_blocking(self.memory.import_(path, progress=progress))

    def now_us(self, tier: str) -> int:
        """Tell the time by the clock of a tier's backend; see :meth:`MemorySystem.now_us`."""
        return run_blocking(self.memory.now_us(tier))

    def stats(self) -> SystemStats:
        """Describe the present state, per tier; see :meth:`MemorySystem.stats`."""
        return run_blocking(self.memory.stats())

    def close(self) -> None:
        """Finish background work and close the backends; see :meth:`MemorySystem.aclose`."""
        run_blocking(self.memory.aclose())

    def __enter__(self) -> Self:
        run_blocking(self.memory.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SyncMemorySystem(namespace={self.namespace!r}, tiers={[str(tier) for tier in self.tiers]})"


async def _take(entries: AsyncIterator[MemoryEntry], most: int) -> list[MemoryEntry]:
    taken: list[MemoryEntry] = []
    async for entry in entries:
        taken.append(entry)
        if len(taken) == most:
            break
    return taken
