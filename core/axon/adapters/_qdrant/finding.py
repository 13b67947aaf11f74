"""Searching a namespace in Qdrant: by vector, by words, or by both, in one request per collection. Blocking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from qdrant_client import models

from axon.adapters._qdrant.records import DENSE, RECORD_FIELDS, entry_of
from axon.adapters._qdrant.shelf import Shelf
from axon.adapters._qdrant.words import WORDS, rarity_within, vector_of_query
from axon.adapters._shared.directions import direction_of
from axon.core.adapter_options import QdrantOptions
from axon.core.models import Hit, MemoryEntry, SearchRequest, Vector
from axon.engine.text_index import score_hits

_LARGE_K = 1000
"""Results beyond which it pays to ask first how many points there are."""


@dataclass(slots=True)
class Question:
    """One search and what was found for it so far.

    Attributes
    ----------
    request : with a vector, words or both.
    condition : what may be found.
    near, worded : points found by vector and by words, best first.
    other_scores : of the words, for points found by vector only.
    """

    request: SearchRequest
    condition: models.Filter
    near: list[models.ScoredPoint] = field(default_factory=list)
    worded: list[models.ScoredPoint] = field(default_factory=list)
    other_scores: dict[str, float] = field(default_factory=dict)

    def fits(self, dims: int | None) -> bool:
        """Whether vectors of a size can be compared with the one that is looked for."""
        vector = self.request.vector
        return dims is not None if vector is None else vector.shape[0] == dims

    def found_by_vector_only(self) -> list[str]:
        """Name the points whose words have an unknown score: none, where the words found all there are.

        Nor where scores are computed here anyway, so that a word weighs what it weighs in other tiers.
        """
        if len(self.worded) < self.request.k or self.request.statistics is not None:
            return []
        known = {point.id for point in self.worded}
        return [str(point.id) for point in self.near if point.id not in known]


class Finder:
    """Asks collections.

    Parameters
    ----------
    options : of the adapter.
    namespace : which is searched.
    """

    def __init__(self, options: QdrantOptions, namespace: str) -> None:
        self._options = options
        self._namespace = namespace

    def find(self, questions: Sequence[Question], vectors: Shelf | None, texts: Shelf) -> list[list[Hit]]:
        """Answer from the collection of the entries with a vector, if there is one, and from that of the others."""
        if vectors is not None:
            self._ask(vectors, questions, by_vector=True)
        self._ask(texts, questions, by_vector=False)
        for each in questions:
            each.worded.sort(key=lambda point: -point.score)
            del each.worded[each.request.k :]
        if vectors is not None:
            self._score_the_rest(vectors, questions)
        return [_hits(each) for each in questions]

    def _ask(self, shelf: Shelf, questions: Sequence[Question], by_vector: bool) -> None:
        planned: list[tuple[list[models.ScoredPoint], models.QueryRequest]] = []
        for each in questions:
            if by_vector and each.request.vector is not None:
                planned.append((each.near, self._vector_query(shelf, each)))
            if (words := self._words_query(shelf, each)) is not None:
                planned.append((each.worded, words))
        if planned:
            answers = shelf.nearest([query for _, query in planned])
            for (found, query), points in zip(planned, answers, strict=True):
                found += self._complete(shelf, query, points)

    def _vector_query(self, shelf: Shelf, question: Question) -> models.QueryRequest:
        vector = question.request.vector
        assert vector is not None
        params = models.SearchParams(exact=self._options.exact, hnsw_ef=self._options.hnsw_ef)
        return _query(shelf, question, direction_of(vector)[0].tolist(), DENSE, params)

    def _words_query(self, shelf: Shelf, question: Question) -> models.QueryRequest | None:
        text = question.request.text
        words = None if text is None else vector_of_query(text)
        if words is None:
            return None
        params = rarity_within(self._namespace) if shelf.is_shared else None
        return _query(shelf, question, words, WORDS, params)

    def _complete(
        self, shelf: Shelf, query: models.QueryRequest, points: list[models.ScoredPoint]
    ) -> list[models.ScoredPoint]:
        """Ask again, exactly, where an index found fewer points than there are: fewer than k must mean no more."""
        is_exact = query.using == WORDS or self._options.exact or shelf.is_exact
        if is_exact or len(points) >= (query.limit or 0):
            return points
        exactly = query.model_copy(update={"params": models.SearchParams(exact=True)})
        return shelf.nearest([exactly])[0]

    def _score_the_rest(self, shelf: Shelf, questions: Sequence[Question]) -> None:
        planned: list[tuple[dict[str, float], models.QueryRequest]] = []
        for each in questions:
            ids = each.found_by_vector_only()
            query = self._words_query(shelf, each) if ids else None
            if query is not None:
                among = models.Filter(must=[models.HasIdCondition(has_id=ids)])
                asked = {"filter": among, "limit": len(ids), "with_payload": ["id"], "with_vector": False}
                planned.append((each.other_scores, query.model_copy(update=asked)))
        if planned:
            answers = shelf.nearest([query for _, query in planned])
            for (scores, _), points in zip(planned, answers, strict=True):
                scores.update((str(point.id), point.score) for point in points)


def _query(
    shelf: Shelf, question: Question, query: Any, using: str, params: models.SearchParams | None
) -> models.QueryRequest:
    k, condition = question.request.k, question.condition
    return models.QueryRequest(
        query=query,
        using=using,
        filter=condition,
        limit=k if k <= _LARGE_K else min(k, max(1, shelf.count(condition))),
        params=params,
        with_payload=list(RECORD_FIELDS),
        with_vector=shelf.dense,
    )


def _hits(question: Question) -> list[Hit]:
    """Unite what both channels found, each hit with both signals as far as they were asked for."""
    request = question.request
    hits: dict[str, Hit] = {}
    for point in question.near:
        entry = entry_of(point.payload, point.vector)
        score = None if request.text is None else question.other_scores.get(str(point.id), 0.0)
        hits[entry.id] = Hit(entry, max(-1.0, min(1.0, float(point.score))), score)
    for point in question.worded:
        entry = entry_of(point.payload, point.vector)
        known = hits.get(entry.id)
        similarity = _cosine(entry, request.vector) if known is None else known.similarity
        hits[entry.id] = Hit(entry if known is None else known.entry, similarity, float(point.score))
    found = list(hits.values())
    if request.text is not None and request.statistics is not None:
        score_hits(found, request.text, request.statistics)
    return sorted(found, key=_order)


def _order(hit: Hit) -> tuple[float, float, str]:
    return -(hit.similarity or 0.0), -(hit.text_score or 0.0), hit.entry.id


def _cosine(entry: MemoryEntry, query: Vector | None) -> float | None:
    vector = entry.stored_vector
    if vector is None or query is None:
        return None
    lengths = float(np.linalg.norm(vector)) * float(np.linalg.norm(query))
    return max(-1.0, min(1.0, float(vector.dot(query)) / lengths)) if lengths else 0.0
