"""Writing entries: embed what has no vector, put each into its tier, keep the tier's promises."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence, Sized
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import AdapterError, AxonError, EmbeddingMismatchError, InvalidInputError, at_position
from axon.core.models import EntryRecord, MemoryEntry, MemoryInput, Tier, Vector
from axon.core.operations.drafts import changed_record, make_record, read_input
from axon.core.operations.moves import after_write
from axon.core.operations.scope import Scope
from axon.core.tier import TierStore
from axon.core.validation import check_matrix, check_vector

BulkItem: TypeAlias = str | Mapping[str, Any] | MemoryInput
Progress: TypeAlias = Callable[[int, int | None], None]
"""Told after each batch: items stored so far, and how many there are (None if unknown)."""

_ITEMS_PER_LOOK = 16
"""Items of a bulk call that are checked between two looks at the clock; some dozen microseconds."""


async def own_vector(scope: Scope, embedding: Any) -> Vector:
    """Check a vector that the caller gives: an array, a list, or something to await for one.

    Raises
    ------
    EmbeddingError, EmbeddingMismatchError
        If it is no finite vector, or not of the embedder's size.
    """
    if inspect.isawaitable(embedding):
        embedding = await embedding
    vector = check_vector(embedding)
    check_dims(scope, vector.shape[0])
    return vector


def check_dims(scope: Scope, dims: int) -> None:
    """Refuse a vector that is not of the size of the embedder the user chose."""
    wanted = scope.pipeline.spec.dims if scope.embedder_chosen else None
    if wanted is not None and wanted != dims:
        raise EmbeddingMismatchError(
            f"the embedding has {dims} dimensions, the embedder of this memory makes {wanted}"
        )


async def put(
    scope: Scope, tier: Tier, entries: Sequence[MemoryEntry], *, embedded: bool, known_ids: bool
) -> None:
    """Write entries into one tier and clear away what is superseded.

    Parameters
    ----------
    embedded : this memory's embedder made the vectors.
    known_ids : an id may exist already, also in another tier, where the older copy then goes.
    """
    store = scope.runtime.tiers[tier]
    if embedded and tier not in scope.bound:
        await scope.bind(tier)
    if known_ids:
        await _replace(scope, store, entries)
    else:
        await store.adapter.put_many(scope.namespace, entries)
    if store.needs_care:
        await after_write(scope, store)


async def _replace(scope: Scope, store: TierStore, entries: Sequence[MemoryEntry]) -> None:
    """Write entries whose ids may exist, and delete older copies in other tiers."""
    ids = [entry.record.id for entry in entries]
    async with scope.runtime.claims.hold(scope.namespace, ids):
        await store.adapter.put_many(scope.namespace, entries)
        for other in scope.runtime.stores:
            if other is not store:
                await other.adapter.delete_many(scope.namespace, ids)


async def update(scope: Scope, entry: MemoryEntry, tier: Tier, changes: Mapping[str, Any]) -> MemoryEntry:
    """Apply the changes of ``MemorySystem.update`` to an entry where it lies; new text is embedded anew."""
    record = changed_record(entry.record, scope.runtime.clock.now_us(), changes)
    vector, embedded = entry.embedding, False
    if vector is not None and record.text != entry.record.text:
        vector, embedded = (await scope.embed([record.text]))[0], True
    await put(scope, tier, (MemoryEntry.of(record, vector),), embedded=embedded, known_ids=True)
    changed = MemoryEntry.of(record, vector)
    changed.tier = tier
    return changed


async def bulk_store(
    scope: Scope,
    items: Iterable[BulkItem] | AsyncIterable[BulkItem],
    defaults: Mapping[str, Any],
    embeddings: Any,
    ids: Iterable[str] | None,
    embed: bool,
    batch_size: int,
    progress: Progress | None,
) -> list[str]:
    """Store many items batch by batch; see ``MemorySystem.bulk_store``."""
    total = len(items) if isinstance(items, Sized) else None
    own_ids = None if ids is None else list(ids)
    if own_ids is not None and total is not None and len(own_ids) != total:
        raise InvalidInputError(f"there are {total} items and {len(own_ids)} ids")
    if isinstance(embeddings, Sized) and total is not None and len(embeddings) != total:
        raise InvalidInputError(f"there are {total} items and {len(embeddings)} embeddings")
    rows = None if embeddings is None else iter(embeddings)
    stored: list[str] = []
    async for batch in _batches(items, batch_size):
        start = len(stored)
        keys = None if own_ids is None else own_ids[start : start + len(batch)]
        vectors = None if rows is None else _next_rows(embeddings, rows, start, len(batch))
        stored += await _store_batch(scope, batch, defaults, keys, vectors, embed, start)
        if progress is not None:
            progress(len(stored), total)
        del batch  # else it would be held while the next one is drawn
    if own_ids is not None and len(own_ids) != len(stored):
        raise at_position(InvalidInputError(f"{len(own_ids)} ids were given"), len(stored), len(stored))
    return stored


async def _batches(
    items: Iterable[BulkItem] | AsyncIterable[BulkItem], size: int
) -> AsyncIterator[list[BulkItem]]:
    if isinstance(items, AsyncIterable):
        batch: list[BulkItem] = []
        async for item in items:
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch
        return
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch
        del batch


def _next_rows(embeddings: Any, rows: Any, start: int, count: int) -> Any:
    if isinstance(embeddings, np.ndarray):
        return embeddings[start : start + count]
    return list(islice(rows, count))


async def _store_batch(
    scope: Scope,
    batch: Sequence[BulkItem],
    defaults: Mapping[str, Any],
    ids: Sequence[str] | None,
    vectors: Any,
    embed: bool,
    start: int,
) -> list[str]:
    """Check the whole batch, embed it, then write it tier by tier."""
    runtime = scope.runtime
    if ids is not None and len(ids) != len(batch):
        raise at_position(InvalidInputError("there is no id for this item"), start + len(ids), start)
    records: list[EntryRecord] = []
    places: list[Tier] = []
    own: dict[int, Any] = {}
    for place, item in enumerate(batch):
        if place % _ITEMS_PER_LOOK == 0 and runtime.turns.spent():
            await runtime.turns.give_way()
        try:
            record, tier = _draft(scope, item, defaults, None if ids is None else ids[place])
        except AxonError as error:
            at_position(error, start + place, start)
            raise
        records.append(record)
        places.append(tier)
        if type(item) is str:
            continue
        if isinstance(item, MemoryInput) and item.embedding is not None:
            own[place] = item.embedding
        elif isinstance(item, Mapping) and item.get("embedding") is not None:
            own[place] = item["embedding"]
    if embed or vectors is not None:
        matrix, embedded = await _matrix(scope, records, vectors, own, start)
        await _write_by_tier(scope, records, places, matrix, embedded, start)
    else:
        rows = await _own_rows(scope, len(records), own, start)
        await _write_by_tier(scope, records, places, rows, False, start)
    return [record.id for record in records]


def _draft(
    scope: Scope, item: BulkItem, defaults: Mapping[str, Any], id: str | None
) -> tuple[EntryRecord, Tier]:
    if type(item) is str:
        return make_record(
            scope.runtime, item, defaults["importance"], defaults["tags"], defaults["metadata"], id,
            defaults["tier"], defaults["ttl"], defaults["session_id"],
        )  # fmt: skip
    given = read_input(item)
    return make_record(
        scope.runtime,
        given.text,
        defaults["importance"] if given.importance is None else given.importance,
        given.tags or defaults["tags"],
        defaults["metadata"] if given.metadata is None else given.metadata,
        given.id if id is None else id,
        defaults["tier"] if given.tier is None else given.tier,
        defaults["ttl"] if given.ttl is None else given.ttl,
        defaults["session_id"] if given.session_id is None else given.session_id,
    )


async def _matrix(
    scope: Scope, records: Sequence[EntryRecord], vectors: Any, own: Mapping[int, Any], start: int
) -> tuple[NDArray[np.float32], bool]:
    """Bring the vectors of a batch into one matrix; the flag tells whether the embedder made any of them."""
    try:
        if vectors is not None:
            matrix = check_matrix(vectors, len(records))
            check_dims(scope, matrix.shape[1])
            return np.array(matrix), False
        if not own:
            return await scope.embed([record.text for record in records]), True
        given = {place: await _item_vector(scope, place, value) for place, value in own.items()}
        missing = [place for place in range(len(records)) if place not in given]
        if missing:
            made = await scope.embed([records[place].text for place in missing])
            given.update(zip(missing, made, strict=True))
        rows = [given[place] for place in range(len(records))]
        for place, row in enumerate(rows):
            if row.shape != rows[0].shape:
                error = EmbeddingMismatchError(
                    f"{row.shape[0]} dimensions beside {rows[0].shape[0]} in the same call"
                )
                error.index = place
                raise error
        return np.stack(rows), bool(missing)
    except AxonError as error:
        at_position(error, start + (error.index or 0), start)
        raise


async def _own_rows(scope: Scope, count: int, own: Mapping[int, Any], start: int) -> Sequence[Vector | None]:
    """Read the vectors that items bring themselves; the other items get none."""
    rows: list[Vector | None] = [None] * count
    for place, value in own.items():
        try:
            rows[place] = await own_vector(scope, value)
        except AxonError as error:
            at_position(error, start + place, start)
            raise
    return rows


async def _item_vector(scope: Scope, place: int, embedding: Any) -> Vector:
    try:
        return await own_vector(scope, embedding)
    except AxonError as error:
        error.index = place
        raise


async def _write_by_tier(
    scope: Scope,
    records: Sequence[EntryRecord],
    places: Sequence[Tier],
    matrix: NDArray[np.float32] | Sequence[Vector | None],
    embedded: bool,
    start: int,
) -> None:
    known_ids = any(record.keyed for record in records)
    # Of equal ids the last wins; an earlier one in another tier must not come after it.
    last = {record.id: place for place, record in enumerate(records)} if known_ids else None
    done = 0
    for tier in dict.fromkeys(places):
        chosen = [
            place
            for place, each in enumerate(places)
            if each is tier and (last is None or last[records[place].id] == place)
        ]
        if isinstance(matrix, np.ndarray):
            rows = matrix if len(chosen) == len(records) else matrix[chosen]
            entries = [MemoryEntry.in_block(records[place], rows, row) for row, place in enumerate(chosen)]
        else:
            entries = [MemoryEntry.of(records[place], matrix[place]) for place in chosen]
        try:
            limit = scope.runtime.tiers[tier].adapter.capabilities.max_batch
            for first in range(0, len(entries), limit):
                part = entries[first : first + limit]
                await put(scope, tier, part, embedded=embedded, known_ids=known_ids)
                done += len(part)
        except (AdapterError, EmbeddingMismatchError) as error:
            at_position(error, start + chosen[0], start + done)
            raise
