"""Which entries leave a tier that is full."""

from __future__ import annotations

from axon.core.policies import Eviction
from axon.core.ports import OrderBy

EVICTION_ORDER: dict[Eviction, OrderBy] = {
    "lru": "accessed_at",
    "fifo": "created_at",
    "importance": "importance",
}
"""The order in which entries leave, first ones first, under each policy."""


def excess(count: int, max_entries: int | None) -> int:
    """Count the entries that have to leave."""
    return 0 if max_entries is None else max(0, count - max_entries)
