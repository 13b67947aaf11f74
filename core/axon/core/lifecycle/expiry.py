"""When entries cease to exist."""

from __future__ import annotations

from axon.core.models import EntryRecord

_SECOND = 1_000_000


def expiry_of(now_us: int, ttl: float | None, tier_ttl: float | None) -> int | None:
    """Give the moment of expiry of an entry written now.

    Parameters
    ----------
    now_us : microseconds since 1970 UTC.
    ttl : seconds the caller asked for, or None.
    tier_ttl : seconds the tier's policy states, or None; the caller's wish comes first.
    """
    seconds = tier_ttl if ttl is None else ttl
    return None if seconds is None else now_us + round(seconds * _SECOND)


def expiry_after_move(
    record: EntryRecord, now_us: int, source_ttl: float | None, target_ttl: float | None
) -> int | None:
    """Give the moment of expiry of an entry that moves to another tier.

    A lifetime that the caller stated goes along. One that the source tier's policy gave ends with the stay
    there, and the target's policy counts from now.
    """
    by_policy = expiry_of(record.updated_us, None, source_ttl)
    if record.expires_us is not None and record.expires_us != by_policy:
        return record.expires_us
    return expiry_of(now_us, None, target_ttl)
