"""Putting and deleting items: texts are embedded first, then all entries change in one step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.core.ids import new_id
from axon.core.keyed import Changes, KeyedEntries
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry
from axon_integrations.langgraph.indexing import Path, texts_at, words_of
from axon_integrations.langgraph.items import (
    EMBEDDED,
    PART,
    PLAIN,
    hidden_metadata,
    part_ids,
    parts_of,
    value_metadata,
)
from axon_integrations.langgraph.requests import Put
from axon_integrations.langgraph.turns import in_turns


class Draft(NamedTuple):
    """A write that only waits for its turn.

    Attributes
    ----------
    put : what is asked.
    texts : to be found by, each with a vector; empty for an item without.
    rows : float32, shape (n, dims), the vectors of a whole batch.
    first : row of the vector of the first text.
    """

    put: Put
    texts: Sequence[str]
    rows: NDArray[np.float32]
    first: int


class ItemWriter:
    """Writes items.

    Parameters
    ----------
    memory : embeds.
    entries : where items lie.
    paths : of the texts that are embedded; None embeds nothing, whatever a put asks for.
    """

    def __init__(self, memory: MemorySystem, entries: KeyedEntries, paths: Sequence[Path] | None) -> None:
        self._memory = memory
        self._entries = entries
        self._paths = paths

    async def prepare(self, puts: Iterable[Put]) -> list[Draft]:
        """Embed what is to be embedded, all texts in one call; nothing is written.

        Raises
        ------
        EmbeddingError
            If the model failed.
        """
        asked = await in_turns(lambda put: (put, self._texts(put)), puts)
        texts = [text for _, each in asked for text in each]
        rows = await self._memory.embedder.embed_array(texts) if texts else np.empty((0, 0), np.float32)
        drafts, first = [], 0
        for put, own in asked:
            drafts.append(Draft(put, own, rows, first))
            first += len(own)
        return drafts

    def _texts(self, put: Put) -> list[str]:
        if self._paths is None or put.value is None:
            return []
        return texts_at(put.value, self._paths if put.paths is None else put.paths)

    async def write(self, drafts: Sequence[Draft]) -> dict[str, MemoryEntry]:
        """Write and delete; returns the entries of the items that were put, by id."""
        changes = await self._entries.change(
            [draft.put.id for draft in drafts],
            partial(self._plan, drafts),
            embedded=any(draft.texts for draft in drafts),
        )
        return {entry.record.id: entry for entry in changes.entries}

    async def _plan(self, drafts: Sequence[Draft], stored: Mapping[str, MemoryEntry]) -> Changes:
        now_us = self._entries.now_us()
        made = await in_turns(lambda draft: self._entries_of(draft, now_us, stored.get(draft.put.id)), drafts)
        gone = await in_turns(lambda draft: _superseded(draft, stored.get(draft.put.id)), drafts)
        return Changes(list(chain.from_iterable(made)), list(chain.from_iterable(gone)))

    def _entries_of(self, draft: Draft, now_us: int, known: MemoryEntry | None) -> list[MemoryEntry]:
        """Build the entry of an item and those of its parts; none for a deletion."""
        put, value = draft.put, draft.put.value
        if value is None:
            return []
        parts = max(0, len(draft.texts) - 1)
        write = new_id() if parts else None
        ids = [put.id, *part_ids(put.namespace, put.key, 1, parts + 1)]
        entries = []
        for number, (id, text) in enumerate(zip(ids, draft.texts or [words_of(value)], strict=True)):
            kind = PART if number else EMBEDDED if draft.texts else PLAIN
            hidden = hidden_metadata(put.namespace, kind=kind, ttl=put.minutes, write=write, parts=parts)
            record = self._entries.record(
                id,
                text,
                {**value_metadata(value), **hidden},
                now_us=now_us,
                created_us=None if known is None else known.record.created_us,
                ttl=put.seconds,
            )
            if draft.texts:
                entries.append(MemoryEntry.in_block(record, draft.rows, draft.first + number))
            else:
                entries.append(MemoryEntry.of(record))
        return entries


def _superseded(draft: Draft, known: MemoryEntry | None) -> list[str]:
    """List the ids that go: the parts that an item no longer has, and the item itself when it is deleted."""
    if known is None:
        return []
    put = draft.put
    parts = part_ids(put.namespace, put.key, max(1, len(draft.texts)), parts_of(known.record) + 1)
    return parts if put.value is not None else [put.id, *parts]
