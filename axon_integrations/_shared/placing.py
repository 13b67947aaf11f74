"""Which tier a face writes to that keeps things by key."""

from __future__ import annotations

from collections.abc import Iterable

from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.routing import DURABILITY
from axon.core.validation import check_tiers


def session_tier(memory: MemorySystem) -> Tier:
    """Return the session tier, else the next more durable one, else the most durable there is."""
    wanted = DURABILITY[Tier.SESSION]
    return next((tier for tier in memory.tiers if DURABILITY[tier] >= wanted), memory.tiers[-1])


def single_tier(tier: str | Iterable[str], memory: MemorySystem) -> Tier:
    """Return the tier that a caller names; of several the most durable.

    Raises
    ------
    InvalidInputError
        If it is not configured.
    """
    return check_tiers(tier, memory.tiers)[-1]
