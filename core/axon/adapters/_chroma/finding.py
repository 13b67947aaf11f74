"""Searching a namespace by vectors: by Chroma's index, and exactly where the index would not do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from axon.adapters._chroma.clauses import alive, as_where
from axon.adapters._chroma.records import entry_of, is_expired
from axon.adapters._chroma.shelf import Row
from axon.adapters._filters.chroma import Where, compile_filter
from axon.adapters._shared.directions import direction_of
from axon.adapters._shared.room import check_query
from axon.core.models import Hit, SearchRequest

if TYPE_CHECKING:
    from axon.adapters._chroma.room import ChromaRoom

_LARGE_K = 1000
"""Results beyond which it pays to ask first how many records there are."""

Floats = NDArray[np.float32]
Near = list[tuple[Row, float]]


def search(room: ChromaRoom, requests: Sequence[SearchRequest], now_us: int, exact: bool) -> list[list[Hit]]:
    """Answer requests in order; unfiltered ones and those of one filter share a call.

    Raises
    ------
    EmbeddingMismatchError
        If a query vector has another number of dimensions than the namespace.
    """
    answers: list[list[Hit]] = [[] for _ in requests]
    groups: dict[tuple[str, int], list[int]] = {}
    clauses: dict[str, Where | bool] = {}
    for place, request in enumerate(requests):
        where: Where | bool = compile_filter(request.filter).native
        if where is False or (request.vector is None and request.text is not None):
            continue
        if request.vector is None:
            answers[place] = [Hit(entry) for entry in room.select(where, request.k, now_us)]
            continue
        clauses[repr(where)] = where
        groups.setdefault((repr(where), request.k), []).append(place)
    if groups:
        dims = room.dims(each.vector.shape[0] for each in requests if each.vector is not None)
        for (key, k), places in groups.items():
            queries = [_query(requests[place], dims) for place in places]
            found = _nearest(room, queries, k, clauses[key], now_us, exact) if dims is not None else []
            for place, near in zip(places, found, strict=dims is not None):
                answers[place] = _hits(near)
    return answers


def _query(request: SearchRequest, dims: int | None) -> Floats:
    check_query(request, dims)
    assert request.vector is not None
    return direction_of(request.vector)[0]


def _nearest(
    room: ChromaRoom, queries: list[Floats], k: int, where: Where | bool, now_us: int, exact: bool
) -> list[Near]:
    if exact:
        return _exactly(room, queries, k, alive(where, now_us))
    wanted = min(k, max(1, room.vectors.count())) if k > _LARGE_K else k
    found = room.vectors.nearest(queries, wanted, as_where(where))
    if any(len(_alive(near, now_us)) < len(near) == wanted for near in found):
        # What has expired took the place of others. The clause that keeps it out costs several times the search
        # itself, so it is added only here.
        where = alive(where, now_us)
        found = room.vectors.nearest(queries, wanted, as_where(where))
    if any(len(near) < wanted for near in found):
        # An index may lose sight of records, most of all after deletions, and fewer than k must mean no more.
        there = room.vectors.count() if where is True else len(room.vectors.ids(as_where(where)))
        if any(len(near) < min(wanted, there) for near in found):
            return _exactly(room, queries, k, alive(where, now_us))
    return [_alive(near, now_us) for near in found]


def _alive(near: Near, now_us: int) -> Near:
    return [(row, distance) for row, distance in near if not is_expired(row, now_us)]


def _exactly(room: ChromaRoom, queries: list[Floats], k: int, where: Where | bool) -> list[Near]:
    """Score every record that satisfies the clause."""
    ids, matrix = room.vectors.vectors(as_where(where))
    if not ids:
        return [[] for _ in queries]
    best = []
    for query in queries:
        scores = matrix @ query
        order = sorted(range(len(ids)), key=lambda place, scores=scores: (-scores[place], ids[place]))[:k]  # type: ignore[misc]  # the default binds it
        best.append([(ids[place], float(scores[place])) for place in order])
    rows = {row.id: row for row in room.vectors.rows_of([id for near in best for id, _ in near])}
    return [[(rows[id], 1.0 - score) for id, score in near if id in rows] for near in best]


def _hits(near: Near) -> list[Hit]:
    hits = [
        Hit(entry_of(row, with_vector=True), max(-1.0, min(1.0, 1.0 - distance))) for row, distance in near
    ]
    hits.sort(key=lambda hit: (-(hit.similarity or 0.0), hit.entry.id))
    return hits
