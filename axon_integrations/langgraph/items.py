"""An item of the store as an entry, and an entry as an item.

The keys of an item's value are the entry's metadata, so that filters reach them. What an item has besides sits
under one hidden prefix. An item whose fields give several texts has one entry more for each further text: a part,
which carries a vector and the value again, and belongs to the item as long as both name the same write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from langgraph.store.base import Item, SearchItem

from axon.core.clock import to_datetime
from axon.core.filter.ast import EVERYTHING, Eq, Field, FilterNode
from axon.core.models import HIDDEN_PREFIX, EntryRecord, JsonValue, MemoryEntry, copy_json_object

_FACE = HIDDEN_PREFIX + "langgraph."
_ESCAPE = _FACE + "key."
_KIND, _NAMESPACE = _FACE + "kind", _FACE + "namespace"
_TTL, _PARTS, _WRITE = _FACE + "ttl", _FACE + "parts", _FACE + "write"

KIND: Final = Field(_KIND, is_metadata=True)
NAMESPACE: Final = Field(_NAMESPACE, is_metadata=True)
PLAIN, EMBEDDED, PART = "plain", "embedded", "part"
"""Kinds of entries: items without a vector, items with one, and parts."""


def _encode(labels: Sequence[str | int]) -> str:
    """Write labels so that no two sequences look alike, whatever characters they hold."""
    return msgspec.json.encode(labels).decode()


def item_id(namespace: tuple[str, ...], key: str) -> str:
    """Return the id of the entry that holds an item."""
    return _encode((*namespace, key))


def part_ids(namespace: tuple[str, ...], key: str, start: int, stop: int) -> list[str]:
    """Return the ids of some parts, counted from 1; the number at the end keeps them apart from ids of items."""
    return [_encode((*namespace, key, number)) for number in range(start, stop)]


def place_of(id: str) -> tuple[tuple[str, ...], str]:
    """Return the namespace and the key of the item that the entry ``id`` holds or is a part of."""
    labels = msgspec.json.decode(id)
    if isinstance(labels[-1], int):
        labels.pop()
    return tuple(labels[:-1]), labels[-1]


def namespace_of(encoded: str) -> tuple[str, ...]:
    """Return the namespace that the field ``NAMESPACE`` of an entry states."""
    return tuple(msgspec.json.decode(encoded))


def within(prefix: tuple[str, ...]) -> FilterNode:
    """Return the filter that everything below a namespace passes, and nothing else."""
    return Eq(_level(len(prefix)), _encode(prefix)) if prefix else EVERYTHING


def _level(depth: int) -> Field:
    return Field(f"{_FACE}within.{depth}", is_metadata=True)


def metadata_key(key: str) -> str:
    """Return the metadata key that holds one key of a value; a value may use our hidden prefix itself."""
    return _ESCAPE + key if key.startswith(HIDDEN_PREFIX) else key


def hidden_metadata(
    namespace: tuple[str, ...], *, kind: str, ttl: float | None, write: str | None, parts: int
) -> dict[str, JsonValue]:
    """Build what an entry has besides the value.

    Parameters
    ----------
    kind : ``PLAIN``, ``EMBEDDED`` or ``PART``.
    ttl : minutes to live from each access; None for an item that nothing renews.
    write : names the write, where it made parts; else None.
    parts : how many parts the item has, >= 0.
    """
    hidden: dict[str, JsonValue] = {
        _level(depth).name: _encode(namespace[:depth]) for depth in range(1, len(namespace) + 1)
    }
    hidden[_NAMESPACE] = hidden[_level(len(namespace)).name]
    hidden[_KIND] = kind
    if ttl is not None:
        hidden[_TTL] = ttl
    if write is not None:
        hidden[_WRITE] = write
        hidden[_PARTS] = parts
    return hidden


def value_metadata(value: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the value as metadata; its values are shared, not copied."""
    return {metadata_key(key): item for key, item in value.items()}


def value_of(record: EntryRecord) -> dict[str, JsonValue]:
    """Return a copy of the value of an item, exactly as it was put."""
    shown = {
        key.removeprefix(_ESCAPE): item
        for key, item in record.metadata.items()
        if not key.startswith(HIDDEN_PREFIX) or key.startswith(_ESCAPE)
    }
    return copy_json_object(shown)


def kind_of(record: EntryRecord) -> str:
    """Return the kind of an entry."""
    kind: str = record.metadata[_KIND]
    return kind


def minutes_of(record: EntryRecord) -> float | None:
    """Return the minutes an access adds to the life of an item, or None."""
    return record.metadata.get(_TTL)


def parts_of(record: EntryRecord) -> int:
    """Return how many parts an item has."""
    count: int = record.metadata.get(_PARTS, 0)
    return count


def same_write(one: EntryRecord, other: EntryRecord) -> bool:
    """Tell whether an item and a part belong together."""
    return one.metadata.get(_WRITE) == other.metadata.get(_WRITE)


def to_item(entry: MemoryEntry) -> Item:
    """Make the item of an entry."""
    namespace, key = place_of(entry.record.id)
    return Item(
        value=value_of(entry.record),
        key=key,
        namespace=namespace,
        created_at=to_datetime(entry.record.created_us),
        updated_at=to_datetime(entry.record.updated_us),
    )


def to_search_item(entry: MemoryEntry, score: float | None) -> SearchItem:
    """Make the result of a search.

    Parameters
    ----------
    score : the cosine in [-1, 1], or the share of the words that match, in [0, 1]; None for an item that the
        query does not rank.
    """
    namespace, key = place_of(entry.record.id)
    return SearchItem(
        namespace,
        key,
        value_of(entry.record),
        to_datetime(entry.record.created_us),
        to_datetime(entry.record.updated_us),
        score,
    )
