"""The memory: one async face over the tiers. It orchestrates; every decision is a pure function elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping, Sequence
from os import PathLike
from types import TracebackType
from typing import Any, Self

import numpy as np

from axon.core.clock import Clock, SystemClock
from axon.core.config import MemoryConfig
from axon.core.errors import InvalidInputError, UnknownEntryError
from axon.core.filter.ast import EVERYTHING
from axon.core.filter.filter import FilterLike, as_node
from axon.core.lifecycle.compaction import ExtractiveSummarizer
from axon.core.models import JsonValue, MemoryEntry, RecallResult, Tier
from axon.core.operations import transfer
from axon.core.operations.drafts import UNSET, Unset, make_record
from axon.core.operations.maintenance import maintain
from axon.core.operations.moves import compact, move_by_id
from axon.core.operations.progress import progress_report
from axon.core.operations.questions import check_share, choose_mode, choose_text_weight, embed_query
from axon.core.operations.reading import describe, forget, walk
from axon.core.operations.recall import Question, recall
from axon.core.operations.runtime import Runtime
from axon.core.operations.scope import Scope
from axon.core.operations.writing import (
    BulkItem,
    Progress,
    bulk_store,
    check_dims,
    own_vector,
    put,
    update,
)
from axon.core.policies import RankingPolicy, RecallMode
from axon.core.ports import NOT_NOW, Embedder, StorageAdapter, Summarizer
from axon.core.reports import (
    CompactionReport,
    ForgetReport,
    MaintenanceReport,
    SystemStats,
    TransferReport,
)
from axon.core.telemetry import span
from axon.core.tier import TierStore
from axon.core.validation import check_id, check_k, check_namespace, check_tiers, check_vector, measure_vector


class MemorySystem:
    """A tiered memory, bound to one namespace.

    Made without I/O; the first operation opens the backends. One object works from several event loops and
    threads. Use it as an async context manager, or call :meth:`aclose`.

    Parameters
    ----------
    config : tiers and rules; None keeps everything in this process.
    embedder : makes vectors; None takes the configuration's, else the built-in lexical ``HashingEmbedder``.
    namespace : isolation key, any non-empty string. Nothing reaches another namespace.
    summarizer : condenses entries; None extracts without a model.
    clock : the present, for tests.
    adapters : adapters of your own, by tier, instead of those the policies name; they are not closed here.

    Raises
    ------
    ConfigError
        If a policy names an unknown adapter or option.

    Examples
    --------
    >>> async with MemorySystem(MemoryConfig.local("memory.db")) as memory:
    ...     await memory.store("The deploy key is rotated monthly", importance=0.9, tags=["ops"])
    ...     results = await memory.recall("when do we rotate keys?", k=3)
    """

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
        config = config or MemoryConfig.in_memory()
        runtime = Runtime(config, clock or SystemClock(), summarizer or ExtractiveSummarizer(), adapters)
        chosen = embedder if embedder is not None else config.embedder
        self._made_from: MemorySystem | None = None
        self._bind(runtime, check_namespace(namespace), chosen)

    def _bind(self, runtime: Runtime, namespace: str, embedder: Embedder | None) -> None:
        from axon.embedders.hashing import HashingEmbedder
        from axon.embedders.pipeline import as_pipeline

        pipeline = as_pipeline(embedder if embedder is not None else HashingEmbedder())
        self._embedder = embedder
        self._runtime = runtime
        self._scope = Scope(runtime, namespace, pipeline, embedder_chosen=embedder is not None)

    @property
    def namespace(self) -> str:
        """The namespace this object is bound to."""
        return self._scope.namespace

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The configured tiers, from the most fleeting to the most durable."""
        return self._runtime.names

    @property
    def config(self) -> MemoryConfig:
        """The configuration."""
        return self._runtime.config

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors: the pipeline around the configured embedder."""
        return self._scope.pipeline

    def scope(self, namespace: str, *, embedder: Embedder | None = None) -> MemorySystem:
        """Give a memory on the same tiers, bound to another namespace.

        Parameters
        ----------
        namespace : any non-empty string.
        embedder : serves that namespace instead of this memory's.

        Returns
        -------
        A memory that shares everything else; closing it closes nothing.
        """
        sibling = MemorySystem.__new__(MemorySystem)
        sibling._made_from = self._made_from or self
        name = namespace if namespace == self.namespace else check_namespace(namespace)
        sibling._bind(self._runtime, name, embedder if embedder is not None else self._embedder)
        if embedder is None:
            sibling._scope.pipeline = self._scope.pipeline
        return sibling

    async def _enter(self) -> None:
        """Open on first use, and let others run when this turn of the loop is used up."""
        if not self._runtime.is_open:
            await self._runtime.open()
        if self._runtime.turns.spent():
            await self._runtime.turns.give_way()

    def _stores(self, tier: str | Iterable[str] | None) -> Sequence[TierStore]:
        if tier is None:
            return self._runtime.stores
        return [self._runtime.tiers[name] for name in check_tiers(tier, self._runtime.names)]

    async def store(
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
        """Remember a text.

        Parameters
        ----------
        text : not blank.
        importance : in [0, 1]; None takes the routing policy's default. It chooses the tier unless ``tier`` does.
        tags : non-empty strings; repeats are dropped.
        metadata : JSON values under string keys; comes back exactly equal.
        embedding : the vector, as an array, a list, or something to await for one; None embeds the text.
        id : any non-empty string; an entry with this id is replaced, whichever tier holds it. None makes one up.
        tier : one tier, or several to choose from by importance.
        ttl : seconds to live, > 0; None takes the tier's policy.
        session_id : the conversation the entry belongs to.
        embed : False stores the text without a vector, for text recall only.

        Returns
        -------
        The id. When it is returned, the entry is stored as safely as the tier can.

        Raises
        ------
        InvalidInputError, EmptyTextError
            For an argument that cannot be stored; nothing was written.
        EmbeddingError
            If the embedder failed or the vector does not fit; nothing was written.
        AdapterError
            If the backend failed.
        """
        runtime, scope = self._runtime, self._scope
        if not runtime.is_open or runtime.turns.spent():
            await self._enter()
        with span("store") as watch:
            record, place = make_record(runtime, text, importance, tags, metadata, id, tier, ttl, session_id)
            vector, squared, embedded = None, None, False
            if type(embedding) is np.ndarray:
                vector, squared = measure_vector(embedding)
                if scope.embedder_chosen:
                    check_dims(scope, vector.shape[0])
            elif embedding is not None:
                vector = await own_vector(scope, embedding)
            elif embed:
                vector, embedded = (await scope.embed([record.text]))[0], True
            store, entries = runtime.tiers[place], (MemoryEntry.of(record, vector, squared),)
            if embedded or id is not None or store.needs_care:
                await put(scope, place, entries, embedded=embedded, known_ids=id is not None)
            elif not store.adapter.put_now(scope.namespace, entries):
                await store.adapter.put_many(scope.namespace, entries)
            watch.items = 1
            return record.id

    async def bulk_store(
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
        """Remember many texts, batch by batch; generators are never held in memory whole.

        Parameters
        ----------
        items : strings, mappings with the fields of ``MemoryInput``, or ``MemoryInput``; an iterable or an async one.
        importance, tags, metadata, tier, ttl, session_id : used for items that state none of their own.
        embeddings : one vector per item, float32 of shape (n, dims) at best; None embeds the texts.
        ids : one id per item, before the items' own.
        embed : False stores items that bring no vector without one, for text recall only.
        batch_size : items per batch, >= 1.
        progress : True for a bar on stderr, or a function of (stored, total or None).

        Returns
        -------
        The ids in the order of the items.

        Raises
        ------
        AxonError
            As :meth:`store`; ``index`` names the item and ``stored`` tells how many items were stored before.
            A batch is checked whole before any of it is written.
        """
        await self._enter()
        if isinstance(items, str):
            raise InvalidInputError("bulk_store takes many items; use store for one text")
        size = check_k(batch_size) if batch_size != 1000 else batch_size
        defaults = {
            "importance": importance, "tags": tuple(tags) if not isinstance(tags, str) else tags, "metadata": metadata,
            "tier": tier, "ttl": ttl, "session_id": session_id,
        }  # fmt: skip
        with span("bulk_store") as watch, progress_report(progress, "storing") as report:
            stored = await bulk_store(self._scope, items, defaults, embeddings, ids, embed, size, report)
            watch.items = len(stored)
            return stored

    async def recall(
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
        """Find what belongs to a query.

        Parameters
        ----------
        query : words, or a vector of shape (dims,).
        k : results at most, >= 1.
        filter : a ``Filter``, its dict form, or None.
        tier : one tier or several; None asks all.
        mode : ``vector``, ``text`` or ``hybrid``; None takes the ranking policy's, else ``hybrid`` where a tier has a
            text index and the query is words, else ``vector``.
        min_score : leave out results below it, in [0, 1].
        explain : fill each result's ``signals``.
        text_weight : share of the text channel in hybrid mode, in [0, 1]; None takes the ranking policy's.
        partial : return what the other tiers found when one fails; the list's ``failed`` then names it.
        embedding : the vector of a query of words, as :meth:`store` takes one; None embeds the words.
        ranking : orders this recall instead of the memory's own policy.
        touch : count the entries returned as accessed.

        Returns
        -------
        Best first; ``score`` in [0, 1].

        Raises
        ------
        InvalidInputError
            For a blank query, a bad ``k``, mode, tier or filter.
        EmbeddingMismatchError
            If the query's vector does not fit the stored ones.
        TierError
            If a tier failed.
        """
        runtime, scope = self._runtime, self._scope
        if not runtime.is_open or runtime.turns.spent():
            await self._enter()
        with span("recall") as watch:
            stores = runtime.stores if tier is None else self._stores(tier)
            words = query if isinstance(query, str) else None
            rules = runtime.config.ranking if ranking is None else ranking
            mode = choose_mode(mode, words, stores, rules)
            vector = (
                check_vector(query)
                if words is None
                else await embed_query(scope, words, mode, stores, embedding)
            )
            question = Question(
                vector,
                words if mode != "vector" else None,
                EVERYTHING if filter is None else as_node(filter),
                check_k(k),
                mode,
                choose_text_weight(text_weight, rules, scope.pipeline.spec) if mode == "hybrid" else 0.0,
                rules,
                None if min_score is None else check_share(min_score, "min_score"),
                explain,
                partial,
                touch,
            )
            results = await recall(runtime, scope.namespace, stores, question)
            watch.items = len(results)
            return results

    async def recall_many(
        self, queries: Iterable[str | Sequence[float]], **options: Any
    ) -> list[list[RecallResult]]:
        """Answer several queries in order; the options are those of :meth:`recall`, texts are embedded together."""
        # At the same time, so that the embedder and the index each see one batch.
        return list(await asyncio.gather(*(self.recall(query, **options) for query in queries)))

    async def get(self, id: str) -> MemoryEntry | None:
        """Read one entry; None if no tier holds the id."""
        runtime, namespace = self._runtime, self._scope.namespace
        if not runtime.is_open or runtime.turns.spent():
            await self._enter()
        for store in runtime.stores:
            entry = store.adapter.get_now(namespace, id)
            if entry is NOT_NOW:
                entry = (await store.adapter.get_many(namespace, (id,)))[0]
            if entry is not None:
                entry.tier = store.name
                return entry
        return None

    async def get_many(self, ids: Iterable[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``, None where no tier holds one; one batch per tier."""
        await self._enter()
        wanted = list(ids)
        found: dict[str, MemoryEntry] = {}
        for store in self._runtime.stores:
            missing = [id for id in dict.fromkeys(wanted) if id not in found]
            if missing:
                entries = await store.get_many(self._scope.namespace, missing)
                found.update((entry.record.id, entry) for entry in entries if entry is not None)
        return [found.get(id) for id in wanted]

    async def update(
        self,
        id: str,
        *,
        text: str | Unset = UNSET,
        importance: float | Unset = UNSET,
        tags: Iterable[str] | Unset = UNSET,
        metadata: Mapping[str, JsonValue] | Unset | None = UNSET,
        ttl: float | Unset | None = UNSET,
    ) -> MemoryEntry:
        """Change parts of an entry where it lies; what is not given stays.

        Parameters
        ----------
        id : of an entry that exists.
        text : new text, embedded anew.
        importance, tags, metadata : replaced whole.
        ttl : seconds to live from now; None for ever.

        Returns
        -------
        The entry as it is now.

        Raises
        ------
        UnknownEntryError
            If no tier holds the id.
        InvalidInputError, EmptyTextError, EmbeddingError, AdapterError
            As :meth:`store`; the entry is unchanged.
        """
        given = {"text": text, "importance": importance, "tags": tags, "metadata": metadata, "ttl": ttl}
        changes = {name: value for name, value in given.items() if not isinstance(value, Unset)}
        with span("update") as watch:
            entry = await self.get(id)
            if entry is None or entry.tier is None:
                raise UnknownEntryError(f"no entry has the id {id!r}")
            watch.items = 1
            return await update(self._scope, entry, entry.tier, changes)

    async def delete(self, id: str) -> bool:
        """Delete one entry from whichever tier holds it; tells whether there was one."""
        return await self.delete_many((id,)) > 0

    async def delete_many(self, ids: Iterable[str]) -> int:
        """Delete entries by id and return how many there were."""
        runtime, namespace = self._runtime, self._scope.namespace
        if not runtime.is_open or runtime.turns.spent():
            await self._enter()
        with span("delete") as watch:
            wanted, deleted, claims = tuple(dict.fromkeys(ids)), 0, runtime.claims
            if claims.take_all(namespace, wanted) is not None:
                await claims.take(namespace, wanted)
            try:
                for store in runtime.stores:
                    deleted += await store.adapter.delete_many(namespace, wanted)
            finally:
                claims.release(namespace, wanted)
            watch.items = min(deleted, len(wanted))
            return watch.items

    async def forget(self, *, filter: FilterLike) -> ForgetReport:
        """Delete every entry that matches, in every tier, over all pages.

        Raises
        ------
        InvalidInputError
            For a filter that matches everything; :meth:`clear` does that.
        """
        await self._enter()
        node = as_node(filter)
        if node is EVERYTHING:
            raise InvalidInputError("forget needs a filter; use clear() to delete everything")
        with span("forget") as watch:
            report = await forget(self._scope, node)
            watch.items = report.deleted
            return report

    async def clear(self, *, tier: str | Iterable[str] | None = None) -> None:
        """Delete everything in this namespace, or in some of its tiers."""
        await self._enter()
        for store in self._stores(tier):
            await store.adapter.clear(self.namespace)
        self._runtime.unbind(self.namespace)

    async def count(self, *, filter: FilterLike = None, tier: str | Iterable[str] | None = None) -> int:
        """Count the unexpired entries that match."""
        await self._enter()
        node = as_node(filter)
        return sum([await store.count(self.namespace, node) for store in self._stores(tier)])

    async def scan(
        self, *, filter: FilterLike = None, tier: str | Iterable[str] | None = None
    ) -> AsyncIterator[MemoryEntry]:
        """Walk the entries that match, tier by tier, oldest first; each id once."""
        await self._enter()
        node = as_node(filter)
        async for entry in walk(self._scope, self._stores(tier), node):
            yield entry

    async def promote(self, id: str, tier: str) -> None:
        """Move an entry to a more durable tier: written there first, deleted here last.

        Raises
        ------
        UnknownEntryError
            If no tier holds the id.
        InvalidInputError
            If the tier is not configured or not more durable.
        """
        await self._enter()
        with span("promote"):
            await move_by_id(self._scope, check_id(id), check_tiers(tier, self.tiers)[0], upwards=True)

    async def demote(self, id: str, tier: str) -> None:
        """Move an entry to a less durable tier; otherwise like :meth:`promote`."""
        await self._enter()
        with span("demote"):
            await move_by_id(self._scope, check_id(id), check_tiers(tier, self.tiers)[0], upwards=False)

    async def compact(
        self, tier: str | Iterable[str] | None = None, *, dry_run: bool = False
    ) -> CompactionReport:
        """Replace entries by summaries: each tier past its threshold, or a named tier in full.

        Entries that a user addresses by id, and summaries, are left alone. A summary lists its sources, is saved
        first, and only then are exactly those sources deleted. A failing summariser changes nothing.

        Parameters
        ----------
        tier : condense these tiers whether or not they are past their threshold; None keeps to the thresholds.
        dry_run : tell the plan and change nothing.
        """
        await self._enter()
        total = CompactionReport([], {}, {}, dry_run)
        with span("compact") as watch:
            for store in self._stores(tier):
                report = await compact(self._scope, store, force=tier is not None, dry_run=dry_run)
                total.summaries.extend(report.summaries)
                total.condensed.update(report.condensed)
                total.failed.update(report.failed)
            watch.items = len(total.summaries)
        return total

    async def maintain(self) -> MaintenanceReport:
        """Do what the policies ask for: sweep the expired, promote and demote, shed, condense, heal half-done moves."""
        await self._enter()
        with span("maintain"):
            return await maintain(self._scope)

    async def export(
        self,
        path: str | PathLike[str],
        *,
        filter: FilterLike = None,
        tier: str | Iterable[str] | None = None,
        progress: bool | Progress = False,
    ) -> TransferReport:
        """Write entries to a file of JSON lines, with vectors, tiers and times; existing content is replaced.

        Raises
        ------
        AdapterUnavailable
            If the file cannot be written.
        """
        await self._enter()
        with span("export"), progress_report(progress, "exporting") as report:
            tiers = check_tiers(tier, self.tiers)
            return await transfer.export(self._scope, path, tiers, as_node(filter), report)

    async def import_(
        self, path: str | PathLike[str], *, progress: bool | Progress = False
    ) -> TransferReport:
        """Read entries from a file that :meth:`export` wrote, replacing those with the same ids.

        An entry of a tier that is not configured here goes where its importance belongs.

        Raises
        ------
        InvalidInputError, CorruptEntryError
            If the file is no export, or a line of it is damaged.
        SchemaVersionError
            If a newer version wrote it.
        """
        await self._enter()
        with span("import"), progress_report(progress, "importing") as report:
            return await transfer.import_(self._scope, path, report)

    async def now_us(self, tier: str) -> int:
        """Tell the time, microseconds since 1970: by the clock of the tier's backend if it has one, else by ours."""
        await self._enter()
        told = await self._stores(tier)[0].adapter.backend_now_us(self.namespace)
        return self._runtime.clock.now_us() if told is None else told

    async def stats(self) -> SystemStats:
        """Describe the present state, per tier."""
        await self._enter()
        return await describe(self._scope)

    async def aclose(self) -> None:
        """Finish background work and close the backends; closing twice does nothing.

        A memory made by :meth:`scope` closes nothing: the one it was made from does.
        """
        if self._made_from is None:
            await self._runtime.aclose()

    async def __aenter__(self) -> Self:
        await self._enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"MemorySystem(namespace={self.namespace!r}, tiers={[str(tier) for tier in self.tiers]})"
