"""Walking, forgetting by filter, and describing what is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.models import MemoryEntry
from axon.core.operations.scope import Scope
from axon.core.reports import ForgetReport, SystemStats, TierStats
from axon.core.tier import TierStore

_STEP = 1000


async def walk(scope: Scope, stores: Sequence[TierStore], node: FilterNode) -> AsyncIterator[MemoryEntry]:
    """Walk the entries of some tiers that match; a copy that an interrupted move left is passed over."""
    seen: list[TierStore] = []
    for store in stores:
        async for page in store.scan(scope.namespace, node):
            twins: set[str] = set()
            for other in seen:
                found = await other.adapter.get_many(scope.namespace, [entry.record.id for entry in page])
                twins.update(twin.record.id for twin in found if twin is not None)
            for entry in page:
                if entry.record.id not in twins:
                    yield entry
        seen.append(store)


async def forget(scope: Scope, node: FilterNode) -> ForgetReport:
    """Delete every entry that matches, in every tier."""
    by_tier: dict[str, int] = {}
    for store in scope.runtime.stores:
        ids = [entry.record.id async for page in store.scan(scope.namespace, node) for entry in page]
        gone = 0
        for start in range(0, len(ids), _STEP):
            step = ids[start : start + _STEP]
            async with scope.runtime.claims.hold(scope.namespace, step):
                gone += await store.adapter.delete_many(scope.namespace, step)
        by_tier[str(store.name)] = gone
    return ForgetReport(sum(by_tier.values()), by_tier)


async def describe(scope: Scope) -> SystemStats:
    """Describe the present state of every tier."""
    tiers = {str(store.name): await _describe_tier(scope, store) for store in scope.runtime.stores}
    return SystemStats(namespace=scope.namespace, tiers=tiers, embedder=scope.pipeline.spec.fingerprint)


async def _describe_tier(scope: Scope, store: TierStore) -> TierStats:
    adapter = await store.adapter.stats()
    return TierStats(
        entries=await store.adapter.count(scope.namespace, EVERYTHING),
        entries_total=adapter.entries,
        bytes=adapter.bytes,
        adapter_type=store.policy.adapter_type,
        backend=adapter.backend,
        durable=store.adapter.capabilities.durable,
        text_search=store.has_text,
        last_error=store.last_error,
        details=adapter.details,
    )
