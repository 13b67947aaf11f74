"""Keeping house: what has expired goes, full tiers shed, entries rise and sink, copies are healed."""

from __future__ import annotations

from axon.core.filter.ast import EVERYTHING
from axon.core.lifecycle.promotion import rises, sinks
from axon.core.models import MemoryEntry
from axon.core.operations.moves import compact, enforce_capacity, move
from axon.core.operations.scope import Scope
from axon.core.reports import MaintenanceReport
from axon.core.routing import neighbour
from axon.core.tier import TierStore

_STEP = 1000
"""Entries handled between two chances for other tasks to run."""


async def maintain(scope: Scope) -> MaintenanceReport:
    """Do all that the policies ask for in one namespace; see ``MemorySystem.maintain``."""
    await scope.runtime.flush_touches()
    healed = await _heal(scope)
    report = MaintenanceReport(healed=healed)
    for store in scope.runtime.stores:
        report += MaintenanceReport(expired=await sweep(scope, store))
    for store in scope.runtime.stores:
        report += await _shift(scope, store)
    for store in scope.runtime.stores:
        evicted = await enforce_capacity(scope, store)
        compacted = await compact(scope, store)
        condensed = sum(len(ids) for ids in compacted.condensed.values())
        report += MaintenanceReport(evicted=evicted, condensed=condensed)
    return report


async def sweep(scope: Scope, store: TierStore) -> int:
    """Delete expired entries, a bounded number at a time."""
    swept = 0
    while ids := await store.adapter.expired(scope.namespace, _STEP):
        swept += await store.adapter.delete_many(scope.namespace, ids)
        if len(ids) < _STEP:
            break
    return swept


async def _shift(scope: Scope, store: TierStore) -> MaintenanceReport:
    """Move the entries that rise or sink by the tier's policy."""
    policy, runtime = store.policy, scope.runtime
    above, below = neighbour(store.name, runtime.names, 1), neighbour(store.name, runtime.names, -1)
    promotes = above is not None and policy.promote_after is not None
    demotes = below is not None and policy.demote_after_seconds is not None
    if not promotes and not demotes:
        return MaintenanceReport()
    now_us = runtime.clock.now_us()
    up: list[MemoryEntry] = []
    down: list[MemoryEntry] = []
    async for page in store.scan(scope.namespace, EVERYTHING):
        for entry in page:
            if promotes and rises(entry.record, policy):
                up.append(entry)
            elif demotes and sinks(entry.record, policy, now_us):
                down.append(entry)
    promoted = await move(scope, up, store, runtime.tiers[above]) if up and above is not None else 0
    demoted = await move(scope, down, store, runtime.tiers[below]) if down and below is not None else 0
    return MaintenanceReport(promoted=promoted, demoted=demoted)


async def _heal(scope: Scope) -> int:
    """Remove the copies that interrupted moves left: the one written last stays, of equal ones the more durable."""
    healed = 0
    stores = scope.runtime.stores
    for place, store in enumerate(stores):
        for other in stores[place + 1 :]:
            async for page in store.scan(scope.namespace, EVERYTHING, order_by="id"):
                twins = await other.adapter.get_many(scope.namespace, [entry.record.id for entry in page])
                older_here: list[str] = []
                older_there: list[str] = []
                for entry, twin in zip(page, twins, strict=True):
                    if twin is not None:
                        newer = entry.record.updated_us > twin.record.updated_us
                        (older_there if newer else older_here).append(entry.record.id)
                healed += await store.adapter.delete_many(scope.namespace, older_here)
                healed += await other.adapter.delete_many(scope.namespace, older_there)
    return healed
