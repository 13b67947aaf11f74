"""How candidates of all tiers become one order. Pure functions of signals and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from axon.core.models import Hit, RecallResult, Tier
from axon.core.policies import RankingPolicy, RecallMode

LEXICAL_TEXT_WEIGHT = 0.7
SEMANTIC_TEXT_WEIGHT = 0.4
"""Shares of the text channel beside either kind of embedder; measured, see docs/explanation/recall.md."""

_MIN_CANDIDATES = 50
_CANDIDATES_PER_RESULT = 5


class Candidate(NamedTuple):
    """A hit and the tier it came from."""

    hit: Hit
    tier: Tier


def candidates_wanted(k: int, mode: RecallMode, policy: RankingPolicy) -> int:
    """Count the candidates that each channel must give so that the best ``k`` are among them.

    One channel ranked by relevance alone needs no more than ``k``; fused or reweighted results need a margin.
    """
    if mode == "hybrid" or policy.recency_weight or policy.importance_weight:
        return max(_MIN_CANDIDATES, _CANDIDATES_PER_RESULT * k)
    return k


def fuse(cosine: NDArray[np.float64], text: NDArray[np.float64], text_weight: float) -> NDArray[np.float64]:
    """Combine both signals: ``w * text / max(text) + (1 - w) * max(cosine, 0)``; the cosine alone if no word matches.

    A convex combination in which each function is scaled by its theoretical minimum (0 for both) and text by
    its maximum over the candidates: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
    Retrieval", ACM TOIS 42(1), 2023. The cosine keeps its own scale on purpose: cosines of unrelated vectors
    stay near 0, so a vector channel without information cannot outvote a match of words, which rank fusion
    and z-scores would let it do.

    Parameters
    ----------
    cosine : shape (n,), in [-1, 1]; NaN where a candidate has no vector.
    text : shape (n,), >= 0; NaN where a candidate has no text channel.
    text_weight : in [0, 1].

    Returns
    -------
    shape (n,), in [0, 1].
    """
    near = np.clip(np.nan_to_num(cosine), 0.0, 1.0)
    words = np.nan_to_num(text)
    top = words.max(initial=0.0)
    if top <= 0.0:
        return near if text_weight < 1.0 else near * 0.0
    fused: NDArray[np.float64] = text_weight * (words / top) + (1.0 - text_weight) * near
    return fused


def recency(age_seconds: NDArray[np.float64], half_life_seconds: float) -> NDArray[np.float64]:
    """Exponential decay ``0.5 ** (age / half_life)``, in (0, 1]; ages below 0 count as 0."""
    return np.asarray(0.5 ** (np.maximum(age_seconds, 0.0) / half_life_seconds))


def rank(
    candidates: Sequence[Candidate],
    *,
    k: int,
    mode: RecallMode,
    policy: RankingPolicy,
    text_weight: float,
    now_us: int,
    min_score: float | None = None,
    explain: bool = False,
) -> list[RecallResult]:
    """Order candidates and cut to the best ``k``.

    Parameters
    ----------
    candidates : of all tiers, each id once. Equal scores, of which hybrid mode gives many at 0, are ordered by
        cosine, whichever backend they come from; equal cosines keep this order.
    k : >= 1.
    mode : which signals count.
    policy : the weights of recency and importance beside relevance.
    text_weight : share of the text channel in hybrid mode, in [0, 1].
    now_us : the present, microseconds since 1970 UTC; recency is the age since the last write.
    min_score : results below it are left out; in [0, 1] or None.
    explain : fill ``signals`` with every part of the score.
    """
    if not candidates:
        return []
    cosine = np.array([hit.similarity if hit.similarity is not None else np.nan for hit, _ in candidates])
    text = np.array([hit.text_score if hit.text_score is not None else np.nan for hit, _ in candidates])
    relevance = _relevance(cosine, text, mode, text_weight)
    parts = {"relevance": relevance}
    score = relevance
    if policy.recency_weight or policy.importance_weight or explain:
        age = np.array([now_us - hit.entry.record.updated_us for hit, _ in candidates]) / 1e6
        parts["recency"] = recency(age, policy.recency_half_life_seconds)
        parts["importance"] = np.array([hit.entry.record.importance for hit, _ in candidates])
        total = 1.0 + policy.recency_weight + policy.importance_weight
        score = (
            relevance
            + policy.recency_weight * parts["recency"]
            + policy.importance_weight * parts["importance"]
        ) / total
    order = np.lexsort((-np.nan_to_num(cosine, nan=-1.0), -score))[:k].tolist()
    results = []
    for place in order:
        if min_score is not None and score[place] < min_score:
            break
        hit, tier = candidates[place]
        signals = _signals(hit, parts, place) if explain else {}
        hit.entry.tier = tier
        results.append(RecallResult(hit.entry, float(score[place]), hit.similarity, tier, signals))
    return results


def _relevance(
    cosine: NDArray[np.float64], text: NDArray[np.float64], mode: RecallMode, text_weight: float
) -> NDArray[np.float64]:
    if mode == "vector":
        return np.asarray((1.0 + np.nan_to_num(cosine, nan=-1.0)) / 2.0)
    return fuse(cosine, text, text_weight if mode == "hybrid" else 1.0)


def _signals(hit: Hit, parts: dict[str, NDArray[np.float64]], place: int) -> dict[str, float]:
    signals = {name: float(values[place]) for name, values in parts.items()}
    if hit.similarity is not None:
        signals["similarity"] = hit.similarity
    if hit.text_score is not None:
        signals["text_score"] = hit.text_score
    return signals


def vector_results(hits: Sequence[Hit], tier: Tier, min_score: float | None) -> list[RecallResult]:
    """Turn the hits of a vector search in one tier, best first, into results; the hot path of :func:`rank`."""
    results = []
    for hit in hits:
        entry, similarity = hit.entry, hit.similarity
        score = (1.0 + similarity) / 2.0 if similarity is not None else 0.0
        if min_score is not None and score < min_score:
            break
        entry.tier = tier
        results.append(RecallResult(entry, score, similarity, tier))
    return results
