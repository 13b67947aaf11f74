"""Searching a view: filter first, exactly; then the vectors, the words, or both."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING, FilterNode, all_of
from axon.core.models import Hit, SearchRequest
from axon.engine.arena import View
from axon.engine.columns import Mask
from axon.engine.quantized import candidates
from axon.engine.rows import Floats, VectorRows, gathers, query_batches
from axon.engine.topk import top_k

Nearest = tuple[NDArray[np.intp], Floats]
"""Rows, nearest first, and their cosines."""

Excluded = NDArray[np.intp] | Mask
"""Rows that may not be returned."""


def search(view: View, request: SearchRequest) -> list[Hit]:
    """Answer one request; see ``StorageAdapter.search_many``.

    Raises
    ------
    EmbeddingMismatchError
        If the query vector has another number of dimensions than the arena.
    """
    query = None if request.vector is None else unit(view, request.vector)
    allowed = allowed_rows(view, request.filter)
    if query is None and request.text is None:
        return _hits(view, _first(view, allowed, request.k), None, None)
    if query is None:
        return _text_hits(view, request, allowed)
    if request.text is None:
        rows, similarities = _nearest(view, query, allowed, request.k)
        return _hits(view, rows, similarities, None)
    return _both_channels(view, request, query, allowed)


def search_together(view: View, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
    """Answer several requests; unfiltered vector searches share one matrix product."""
    shared = [place for place, request in enumerate(requests) if can_share(view, request)]
    answers: list[list[Hit]] = [[] for _ in requests]
    if len(shared) > 1:
        assert view.vectors is not None
        queries = np.stack(
            [unit(view, vector) for place in shared if (vector := requests[place].vector) is not None]
        )
        for start, stop in query_batches(len(shared)):
            wanted = [requests[place].k for place in shared[start:stop]]
            found = _scan(view.vectors, queries[start:stop], view.size, view.without_vector, wanted)
            for place, (rows, similarities) in zip(shared[start:stop], found, strict=True):
                answers[place] = _hits(view, rows, similarities, None)
    else:
        shared = []
    for place in set(range(len(requests))).difference(shared):
        answers[place] = search(view, requests[place])
    return answers


def can_share(view: View, request: SearchRequest) -> bool:
    """Tell whether a request is a plain vector search, which can share a matrix product with others."""
    everything = request.filter is EVERYTHING and view.alive is EVERYTHING
    return everything and view.vectors is not None and request.vector is not None and request.text is None


def check_query(view: View, request: SearchRequest) -> None:
    """Refuse a query that does not fit, before it joins others that would fail with it.

    Raises
    ------
    EmbeddingMismatchError
        If the query vector has another number of dimensions than the arena.
    """
    if request.vector is not None:
        unit(view, request.vector)


def unit(view: View, vector: Floats) -> Floats:
    """Scale a query to length 1 (a zero query stays zero), checking its dimensions."""
    if view.vectors is not None and vector.shape[0] != view.vectors.dims:
        raise EmbeddingMismatchError(
            f"the query vector has {vector.shape[0]} dimensions, this namespace holds {view.vectors.dims}; "
            "use the embedder the namespace was filled with"
        )
    length = float(vector.dot(vector)) ** 0.5
    if length == 0.0 or -1e-6 < length - 1.0 < 1e-6:
        return vector
    return vector / np.float32(length)


def allowed_rows(view: View, node: FilterNode) -> Mask | None:
    """Tell which rows of live, unexpired entries satisfy ``node``; None where every row that is not dead does."""
    if node is EVERYTHING and view.alive is EVERYTHING:
        return None
    mask = view.columns.mask(node if view.alive is EVERYTHING else all_of((node, view.alive)), view.size)
    if view.dead.shape[0]:
        mask[view.dead] = False
    return mask


def count(view: View, node: FilterNode) -> int:
    """Count the live, unexpired entries that satisfy ``node``."""
    allowed = allowed_rows(view, node)
    return view.size - view.dead.shape[0] if allowed is None else int(np.count_nonzero(allowed))


def _first(view: View, allowed: Mask | None, k: int) -> NDArray[np.intp]:
    if allowed is None:
        allowed = np.ones(view.size, np.bool_)
        allowed[view.dead] = False
    return np.flatnonzero(allowed)[:k]


def _nearest(view: View, query: Floats, allowed: Mask | None, k: int) -> Nearest:
    """Find the ``k`` allowed rows nearest to ``query`` and their cosines."""
    if view.vectors is None or view.size == 0:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    vectors, size, rounds = view.vectors, view.size, view.vectors.rounds(view.size)
    excluded: Excluded = view.without_vector
    if allowed is not None:
        if view.without_vector.shape[0]:
            allowed = allowed.copy()
            allowed[view.without_vector] = False
        rows = allowed.nonzero()[0]
        if gathers(rows.shape[0], size, rounded=rounds):
            return _best_of_rows(vectors, query, rows, k)
        excluded = ~allowed
    return _scan(vectors, query[np.newaxis], size, excluded, [k])[0]


def _scan(
    vectors: VectorRows, queries: Floats, size: int, excluded: Excluded, ks: Sequence[int]
) -> list[Nearest]:
    """Go over all rows but the excluded ones, for several queries at once; exact, whatever is rounded on the way."""
    if not vectors.rounds(size):
        return [
            _best(scores, k) for scores, k in zip(_cosines(vectors, queries, size, excluded), ks, strict=True)
        ]
    approximate, errors = vectors.rounded_scores(queries, size)
    _exclude(approximate, excluded)
    found = []
    for place, (scores, k) in enumerate(zip(approximate, ks, strict=True)):
        rows = candidates(scores, top_k(scores, k), float(errors[place]))
        if rows is None:
            found.append(_best(_cosines(vectors, queries[place : place + 1], size, excluded)[0], k))
        else:
            found.append(_best_of_rows(vectors, queries[place], rows, k))
    return found


def _cosines(vectors: VectorRows, queries: Floats, size: int, excluded: Excluded) -> Floats:
    scores = vectors.scores(queries, size)
    _exclude(scores, excluded)
    return scores


def _exclude(scores: Floats, excluded: Excluded) -> None:
    if excluded.shape[0]:
        scores[:, excluded] = -np.inf


def _best(scores: Floats, k: int) -> Nearest:
    rows = top_k(scores, k)
    return rows, scores[rows]


def _best_of_rows(vectors: VectorRows, query: Floats, rows: NDArray[np.intp], k: int) -> Nearest:
    scores = vectors.scores_at(query, rows)
    best = top_k(scores, k)
    return rows[best], scores[best]


def _text_scores(view: View, request: SearchRequest, allowed: Mask | None) -> NDArray[np.float32]:
    """Score the words of every row; 0 where none matches or the row is not allowed."""
    if view.text is None or request.text is None:
        return np.zeros(view.size, np.float32)
    scores = view.text.scores(request.text, view.size, request.statistics)
    scores[view.dead if allowed is None else ~allowed] = 0.0
    return scores


def _best_texts(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Find the ``k`` best rows of those that match at all."""
    rows = top_k(scores, k)
    return rows[scores[rows] > 0.0]


def _text_hits(view: View, request: SearchRequest, allowed: Mask | None) -> list[Hit]:
    scores = _text_scores(view, request, allowed)
    rows = _best_texts(scores, request.k)
    return _hits(view, rows, None, scores[rows])


def _both_channels(view: View, request: SearchRequest, query: Floats, allowed: Mask | None) -> list[Hit]:
    """Unite the best ``k`` of each channel, each row with both signals."""
    near, _ = _nearest(view, query, allowed, request.k)
    texts = _text_scores(view, request, allowed)
    union = np.union1d(near, _best_texts(texts, request.k))
    similarities = None
    if view.vectors is not None and union.shape[0]:
        similarities = view.vectors.scores_at(query, union)
        similarities[np.isin(union, view.without_vector)] = np.nan
    return _hits(view, union, similarities, texts[union])


def _hits(
    view: View,
    rows: NDArray[np.intp],
    similarities: NDArray[np.float32] | None,
    texts: NDArray[np.float32] | None,
) -> list[Hit]:
    """Hand out entries with their signals; entries deleted during the search are left out."""
    values = repeat(None, rows.shape[0]) if similarities is None else similarities.tolist()
    cosines = [value if value is None or -1.0 <= value <= 1.0 else _cosine(value) for value in values]
    scores = repeat(None, rows.shape[0]) if texts is None else texts.tolist()
    entries = view.entries(rows.tolist())
    return [
        Hit(entry, cosine, score)
        for entry, cosine, score in zip(entries, cosines, scores, strict=True)
        if entry is not None
    ]


def _cosine(value: float) -> float | None:
    """Keep a cosine in [-1, 1] in spite of rounding; NaN becomes None."""
    return None if value != value else max(-1.0, min(1.0, value))
