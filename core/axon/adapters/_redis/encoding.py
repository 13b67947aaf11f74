"""Entries as the script that writes them takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from axon.adapters._redis.documents import document
from axon.adapters._redis.packing import pack
from axon.core.models import MemoryEntry


class Encoded(NamedTuple):
    """Entries to be written.

    Attributes
    ----------
    rows : id, value and mark of each in turn, and the values of its document where the search index is filled.
    words : in all their texts, where the search index is filled.
    """

    rows: list[bytes]
    words: int


def encoded(entries: Sequence[MemoryEntry], now_us: int, namespace: str | None) -> Encoded:
    """Encode entries.

    Parameters
    ----------
    now_us : the present, microseconds since 1970 UTC.
    namespace : for the search index; None where it is not filled.
    """
    rows: list[bytes] = []
    total = 0
    for entry in entries:
        rows += (entry.record.id.encode(), pack(entry), _mark(entry, now_us))
        if namespace is not None:
            values, words = document(entry, namespace)
            rows += values
            total += words
    return Encoded(rows, total)


def _mark(entry: MemoryEntry, now_us: int) -> bytes:
    """Tell the server what it has to know of an entry besides its value; see ``scripts.PUT``."""
    record = entry.record
    accessed = record.access_count or record.accessed_us is not None
    if record.expires_us is None and not accessed:
        return b"%d" % (entry.dims or 0)
    left = 0 if record.expires_us is None else record.expires_us - now_us
    ttl = 0 if record.expires_us is None else -(-left // 1000) if left > 0 else -1
    access = b" %d %d" % (record.access_count, record.accessed_us or 0) if accessed else b""
    return b"%d %d" % (entry.dims or 0, ttl) + access
