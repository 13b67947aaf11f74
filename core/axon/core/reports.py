"""What the operations on many entries tell about themselves."""

from __future__ import annotations

from typing import Any

import msgspec

from axon.core.errors import AdapterError
from axon.core.models import RecallResult, Tier


class RecallResults(list[RecallResult]):
    """Results of a recall that may be partial.

    Attributes
    ----------
    failed : the tiers that did not answer, with their errors; empty unless partial results were asked for.
    """

    def __init__(self, results: list[RecallResult], failed: dict[Tier, AdapterError] | None = None) -> None:
        super().__init__(results)
        self.failed = failed or {}


class ForgetReport(msgspec.Struct, frozen=True):
    """What ``forget`` removed.

    Attributes
    ----------
    deleted : entries deleted, >= 0.
    by_tier : the same, per tier.
    """

    deleted: int
    by_tier: dict[str, int]


class CompactionReport(msgspec.Struct, frozen=True):
    """What ``compact`` did, or would do.

    Attributes
    ----------
    summaries : ids of the summaries written, or planned under ``dry_run``.
    condensed : ids of the entries each summary stands for, by summary id.
    failed : summary ids whose summariser failed, with the reason; their sources are untouched.
    dry_run : nothing was changed.
    """

    summaries: list[str]
    condensed: dict[str, list[str]]
    failed: dict[str, str] = {}
    dry_run: bool = False


class MaintenanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What ``maintain`` did, as counts of entries.

    Attributes
    ----------
    expired : deleted because their time was over.
    evicted : deleted, or moved on, because a tier was full.
    promoted, demoted : moved to a neighbouring tier.
    condensed : replaced by summaries.
    healed : copies removed that an interrupted move had left behind.
    """

    expired: int = 0
    evicted: int = 0
    promoted: int = 0
    demoted: int = 0
    condensed: int = 0
    healed: int = 0

    def __add__(self, other: MaintenanceReport) -> MaintenanceReport:
        return MaintenanceReport(
            **{name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        )


class TierStats(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one tier.

    Attributes
    ----------
    entries : unexpired entries of this namespace.
    entries_total : entries of all namespaces, or None where counting is dear.
    bytes : bytes the adapter holds, or None where unknown.
    adapter_type, backend : what keeps the entries.
    durable, text_search : what it can do.
    last_error : the last error of background work in this tier, or None.
    details : anything else the adapter tells.
    """

    entries: int
    entries_total: int | None
    bytes: int | None
    adapter_type: str
    backend: str
    durable: bool
    text_search: bool
    last_error: str | None
    details: dict[str, Any]


class SystemStats(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a memory.

    Attributes
    ----------
    namespace : which one the entry counts are of.
    tiers : per tier, from the most fleeting to the most durable.
    embedder : fingerprint of the embedder; its dimensions are None until known.
    """

    namespace: str
    tiers: dict[str, TierStats]
    embedder: str

    @property
    def entries(self) -> int:
        """Unexpired entries of this namespace in all tiers."""
        return sum(tier.entries for tier in self.tiers.values())


class TransferReport(msgspec.Struct, frozen=True):
    """What ``export`` or ``import_`` carried: entries written, and the path."""

    entries: int
    path: str
