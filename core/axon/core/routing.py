"""Where an entry goes that names no tier."""

from __future__ import annotations

from collections.abc import Sequence

from axon.core.models import Tier
from axon.core.policies import RoutingPolicy

DURABILITY = {Tier.EPHEMERAL: 0, Tier.SESSION: 1, Tier.PERSISTENT: 2}


def wanted_tier(importance: float, policy: RoutingPolicy) -> Tier:
    """Choose by importance alone, in [0, 1]."""
    if importance < policy.ephemeral_below:
        return Tier.EPHEMERAL
    return Tier.SESSION if importance < policy.session_below else Tier.PERSISTENT


def route(importance: float, policy: RoutingPolicy, configured: Sequence[Tier]) -> Tier:
    """Choose among the configured tiers: the wanted one, else the next more durable, else the most durable.

    Parameters
    ----------
    importance : in [0, 1].
    policy : the thresholds.
    configured : at least one tier, from the most fleeting to the most durable.
    """
    wanted = DURABILITY[wanted_tier(importance, policy)]
    return next((tier for tier in configured if DURABILITY[tier] >= wanted), configured[-1])


def neighbour(tier: Tier, configured: Sequence[Tier], step: int) -> Tier | None:
    """Find the next more durable (``step`` 1) or more fleeting (-1) configured tier, or None."""
    place = list(configured).index(tier) + step
    return configured[place] if 0 <= place < len(configured) else None
