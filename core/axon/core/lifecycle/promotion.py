"""Which entries move to a neighbouring tier by themselves."""

from __future__ import annotations

from axon.core.models import EntryRecord
from axon.core.policies import TierPolicy

_SECOND = 1_000_000


def rises(record: EntryRecord, policy: TierPolicy) -> bool:
    """Tell whether an entry has been recalled often enough to move to the next more durable tier."""
    return (
        policy.promote_after is not None and not record.keyed and record.access_count >= policy.promote_after
    )


def sinks(record: EntryRecord, policy: TierPolicy, now_us: int) -> bool:
    """Tell whether an entry has lain unused long enough to move to the next less durable tier."""
    if policy.demote_after_seconds is None or record.keyed:
        return False
    used_us = record.created_us if record.accessed_us is None else record.accessed_us
    return now_us - max(used_us, record.updated_us) >= policy.demote_after_seconds * _SECOND
