"""Moving entries: between tiers, out of a full tier, and into summaries.

Every move writes to the target, makes sure it is there, and only then deletes from the source. Interrupted
anywhere, it leaves an entry in two places, never in none; reads show it once, and ``maintain`` heals it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from axon.core.errors import AdapterError, InvalidInputError, UnknownEntryError
from axon.core.filter.ast import EVERYTHING
from axon.core.lifecycle.capacity import EVICTION_ORDER, excess
from axon.core.lifecycle.compaction import CompactionGroup, plan_compaction, summary_record
from axon.core.lifecycle.expiry import expiry_after_move
from axon.core.models import MemoryEntry, Tier
from axon.core.operations.scope import Scope
from axon.core.reports import CompactionReport
from axon.core.routing import DURABILITY, neighbour
from axon.core.tier import TierStore

_STEP = 1000
"""Entries moved between two chances for other tasks to run."""


async def move(scope: Scope, entries: Sequence[MemoryEntry], source: TierStore, target: TierStore) -> int:
    """Move entries from one tier to another under the same ids; returns how many moved.

    Entries that somebody else is writing or moving at the moment are passed over.
    """
    moved = 0
    step = min(_STEP, target.adapter.capabilities.max_batch)
    for start in range(0, len(entries), step):
        moved += await _move_step(scope, entries[start : start + step], source, target)
    return moved


async def _move_step(
    scope: Scope, entries: Sequence[MemoryEntry], source: TierStore, target: TierStore
) -> int:
    claims, namespace = scope.runtime.claims, scope.namespace
    ids = claims.take_free(namespace, [entry.record.id for entry in entries])
    try:
        return await _move_claimed(scope, ids, source, target)
    finally:
        claims.release(namespace, ids)


async def _move_claimed(scope: Scope, ids: Sequence[str], source: TierStore, target: TierStore) -> int:
    namespace = scope.namespace
    # Read now: between the caller's look at them and the claim they may have changed.
    entries = [entry for entry in await source.adapter.get_many(namespace, ids) if entry is not None]
    if not entries:
        return 0
    now_us = scope.runtime.clock.now_us()
    fingerprint = await source.adapter.bind_embedder(namespace, None)
    if fingerprint is not None:
        await target.adapter.bind_embedder(namespace, fingerprint)
    await target.adapter.put_many(namespace, [_moved(entry, now_us, source, target) for entry in entries])
    arrived = await target.adapter.get_many(namespace, [entry.record.id for entry in entries])
    settled = await _unchanged(scope, source, entries)
    there = {entry.record.id for entry in arrived if entry is not None}
    await source.adapter.delete_many(namespace, sorted(there & settled))
    return len(there & settled)


def _moved(entry: MemoryEntry, now_us: int, source: TierStore, target: TierStore) -> MemoryEntry:
    """Build the entry as the target tier keeps it."""
    ttls = source.policy.ttl_seconds, target.policy.ttl_seconds
    expires_us = expiry_after_move(entry.record, now_us, *ttls)
    return MemoryEntry.of(msgspec.structs.replace(entry.record, expires_us=expires_us), entry.embedding)


async def _unchanged(scope: Scope, source: TierStore, entries: Sequence[MemoryEntry]) -> set[str]:
    """Find the entries that no other process wrote again while they were being copied."""
    now = await source.adapter.get_many(scope.namespace, [entry.record.id for entry in entries])
    pairs = zip(entries, now, strict=True)
    return {
        old.record.id
        for old, new in pairs
        if new is not None and new.record.updated_us == old.record.updated_us
    }


async def move_by_id(scope: Scope, id: str, target: Tier, *, upwards: bool) -> None:
    """Move one entry on request.

    Raises
    ------
    UnknownEntryError
        If no tier holds the id.
    InvalidInputError
        If the target does not lie in that direction.
    """
    runtime = scope.runtime
    async with runtime.claims.hold(scope.namespace, (id,)):
        for store in runtime.stores:
            if (await store.get_many(scope.namespace, [id]))[0] is not None:
                break
        else:
            raise UnknownEntryError(f"no entry has the id {id!r}")
        if store.name is target:
            return
        if (DURABILITY[target] > DURABILITY[store.name]) is not upwards:
            verb, other = ("promote", "demote") if upwards else ("demote", "promote")
            raise InvalidInputError(f"cannot {verb} from {store.name} to {target}; use {other}")
        await _move_claimed(scope, [id], store, runtime.tiers[target])
    if runtime.tiers[target].needs_care:
        await after_write(scope, runtime.tiers[target])


async def after_write(scope: Scope, store: TierStore) -> None:
    """Keep the limits that a write may have broken: capacity at once, compaction in the background."""
    await enforce_capacity(scope, store)
    threshold = store.policy.compaction_threshold
    if threshold is not None and not store.compacting:
        count = await store.adapter.count(scope.namespace, EVERYTHING)
        if count > threshold:
            store.compacting = True
            scope.runtime.start(_compact_in_background(scope, store))


async def _compact_in_background(scope: Scope, store: TierStore) -> None:
    try:
        await compact(scope, store)
    except AdapterError as error:
        store.note_error(error)
        raise
    finally:
        store.compacting = False


async def enforce_capacity(scope: Scope, store: TierStore) -> int:
    """Let the entries go that are too many, by the tier's policy; returns how many went."""
    policy = store.policy
    if policy.max_entries is None:
        return 0
    surplus = excess(await store.adapter.count(scope.namespace, EVERYTHING), policy.max_entries)
    if not surplus:
        return 0
    if policy.eviction == "lru":
        await scope.runtime.flush_touches()
    page = await store.adapter.scan(
        scope.namespace, EVERYTHING, order_by=EVICTION_ORDER[policy.eviction], limit=surplus
    )
    target = neighbour(store.name, scope.runtime.names, 1)
    if policy.overflow == "move" and target is not None:
        moved = await move(scope, page.entries, store, scope.runtime.tiers[target])
        await enforce_capacity(scope, scope.runtime.tiers[target])
        return moved
    return await store.adapter.delete_many(scope.namespace, [entry.record.id for entry in page.entries])


async def compact(
    scope: Scope, store: TierStore, *, force: bool = False, dry_run: bool = False
) -> CompactionReport:
    """Condense the oldest entries of a tier until it is at its threshold.

    Parameters
    ----------
    force : condense everything that may be condensed, threshold or not.
    dry_run : tell the plan and change nothing.
    """
    threshold = 0 if force else store.policy.compaction_threshold
    report = CompactionReport([], {}, {}, dry_run)
    if threshold is None:
        return report
    surplus = await store.adapter.count(scope.namespace, EVERYTHING) - threshold
    batch_size = store.policy.compaction_batch_size
    if surplus <= 0:
        return report
    oldest: list[MemoryEntry] = []
    async for page in store.scan(scope.namespace, EVERYTHING, order_by="created_at"):
        oldest += [entry for entry in page if not entry.record.keyed and not entry.record.sources]
        if len(oldest) >= 2 * surplus + batch_size:
            break
    # A group of n leaves n - 1 entries fewer, since its summary stays.
    wanted = -(-surplus // (batch_size - 1)) * batch_size if not force else len(oldest)
    for group in plan_compaction((entry.record for entry in oldest[:wanted]), batch_size):
        ids = [record.id for record in group.sources]
        if dry_run or await _condense(scope, store, group, report):
            report.summaries.append(group.summary_id)
            report.condensed[group.summary_id] = ids
    return report


async def _condense(scope: Scope, store: TierStore, group: CompactionGroup, report: CompactionReport) -> bool:
    """Condense a group, unless one of its sources is being written or moved at the moment."""
    claims, ids = scope.runtime.claims, [record.id for record in group.sources]
    claimed = claims.take_free(scope.namespace, ids)
    try:
        entries = [entry for entry in await store.adapter.get_many(scope.namespace, ids) if entry is not None]
        if len(claimed) < len(ids) or [entry.record.id for entry in entries] != ids:
            return False
        return await _condense_claimed(scope, store, group, report, entries)
    finally:
        claims.release(scope.namespace, claimed)


async def _condense_claimed(
    scope: Scope,
    store: TierStore,
    group: CompactionGroup,
    report: CompactionReport,
    sources: Sequence[MemoryEntry],
) -> bool:
    """Write the summary of a group, make sure it is there, then delete exactly its sources."""
    try:
        text = await scope.runtime.summarizer.summarize([entry.record.text for entry in sources])
        if not text.strip():
            raise InvalidInputError("the summariser returned blank text")
        vector = (await scope.embed([text]))[0]
    except Exception as error:  # noqa: BLE001 - a user's summariser may raise anything; the sources stay as they are
        report.failed[group.summary_id] = f"{type(error).__name__}: {error}"
        return False
    await scope.bind(store.name)
    summary = MemoryEntry.of(summary_record(group, text, scope.runtime.clock.now_us()), vector)
    await store.adapter.put_many(scope.namespace, [summary])
    if (await store.adapter.get_many(scope.namespace, [group.summary_id]))[0] is None:
        return False
    settled = await _unchanged(scope, store, sources)
    await store.adapter.delete_many(scope.namespace, sorted(settled))
    return True
