"""Which entries are condensed together, and what their summary looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from axon.core.models import EntryRecord

_MAX_TAGS = 64


class CompactionGroup(msgspec.Struct, frozen=True):
    """Entries that become one summary.

    Attributes
    ----------
    summary_id : derived from the ids of the sources, so that a repeated attempt overwrites itself.
    sources : at least two, oldest first, all of one session.
    """

    summary_id: str
    sources: tuple[EntryRecord, ...]


def plan_compaction(candidates: Iterable[EntryRecord], batch_size: int) -> list[CompactionGroup]:
    """Group entries by session, in batches.

    Parameters
    ----------
    candidates : oldest first; entries that a user addresses by id are passed over.
    batch_size : most entries per group, >= 2.
    """
    by_session: dict[str | None, list[EntryRecord]] = {}
    for record in candidates:
        if not record.keyed:
            by_session.setdefault(record.session_id, []).append(record)
    return [
        CompactionGroup(summary_id(record.id for record in batch), batch)
        for records in by_session.values()
        for start in range(0, len(records), batch_size)
        if len(batch := tuple(records[start : start + batch_size])) >= 2
    ]


def summary_id(source_ids: Iterable[str]) -> str:
    """Derive the id of a summary from those of its sources, whatever their order."""
    digest = hashlib.sha256()
    for id in sorted(source_ids):
        encoded = id.encode()
        digest.update(len(encoded).to_bytes(4, "big") + encoded)
    return f"summary-{digest.hexdigest()[:32]}"


def summary_record(group: CompactionGroup, text: str, now_us: int) -> EntryRecord:
    """Build the entry that stands for a group: as important as its most important source, with all their tags."""
    sources = group.sources
    lifetimes = [record.expires_us for record in sources]
    return EntryRecord(
        id=group.summary_id,
        text=text,
        importance=max(record.importance for record in sources),
        tags=tuple(dict.fromkeys(tag for record in sources for tag in record.tags))[:_MAX_TAGS],
        metadata={},
        created_us=now_us,
        updated_us=now_us,
        expires_us=None if None in lifetimes else max(each for each in lifetimes if each is not None),
        session_id=sources[0].session_id,
        sources=tuple(record.id for record in sources),
    )


class ExtractiveSummarizer:
    """Condenses without a model: the opening sentences of the texts, each kept once.

    Parameters
    ----------
    max_characters : length of a summary at most, >= 1.
    """

    def __init__(self, max_characters: int = 4000) -> None:
        self.max_characters = max_characters

    async def summarize(self, texts: Sequence[str]) -> str:
        """Return the openings of ``texts`` in order, shortened evenly to fit."""
        share = max(20, self.max_characters // max(1, len(texts)) - 1)
        openings = dict.fromkeys(_opening(text, share) for text in texts)
        return "\n".join(openings)[: self.max_characters]


def _opening(text: str, length: int) -> str:
    flat = " ".join(text.split())
    if len(flat) <= length:
        return flat
    cut = flat[: length - 1]
    stop = max(cut.rfind(mark) for mark in (". ", "! ", "? "))
    return cut[: stop + 1] if stop >= length // 3 else cut.rsplit(" ", 1)[0] + "…"
