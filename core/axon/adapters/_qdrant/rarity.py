"""How many texts hold a word, read off the score that Qdrant gives it, since no request counts several. Blocking."""

from __future__ import annotations

from math import exp

from qdrant_client import models

from axon.adapters._qdrant.shelf import Shelf
from axon.adapters._qdrant.words import MEAN_LENGTH, WORDS, number_of, rarity_within
from axon.core.models import TextStatistics
from axon.engine.text_index import query_stems


def statistics_of(shelf: Shelf, namespace: str, is_mine: models.FieldCondition, text: str) -> TextStatistics:
    """Describe the texts of a namespace in one collection as far as scoring ``text`` needs it.

    The score of one word in one text is its weight there times ``ln((n + 1) / (f + 1/2))`` for ``f`` of ``n`` texts,
    the rarity of BM25; the weight comes back with the text. Lengths are taken to have the mean that weights have.
    """
    rows = shelf.count(models.Filter(must=[is_mine, models.HasVectorCondition(has_vector=WORDS)]))
    stems = query_stems(text)
    params = rarity_within(namespace) if shelf.is_shared else None
    queries = [_best_text(number_of(stem), is_mine, params) for stem in stems]
    found = shelf.nearest(queries) if queries and rows else [[] for _ in stems]
    frequency = {
        stem: _frequency(number_of(stem), points, rows) for stem, points in zip(stems, found, strict=True)
    }
    return TextStatistics(rows, round(rows * MEAN_LENGTH), frequency)


def _best_text(
    number: int, is_mine: models.FieldCondition, params: models.SearchParams | None
) -> models.QueryRequest:
    return models.QueryRequest(
        query=models.SparseVector(indices=[number], values=[1.0]),
        using=WORDS,
        filter=models.Filter(must=[is_mine]),
        limit=1,
        params=params,
        with_payload=["id"],
        with_vector=[WORDS],
    )


def _frequency(number: int, points: list[models.ScoredPoint], rows: int) -> int:
    if not points:
        return 0
    words = points[0].vector[WORDS]
    weight = dict(zip(words.indices, words.values, strict=True))[number]
    return max(1, min(rows, round((rows + 1) / exp(points[0].score / weight) - 0.5)))
