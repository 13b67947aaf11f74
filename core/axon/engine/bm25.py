"""How much a word in a text says: BM25.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", Foundations and Trends in IR 3(4),
2009, with the ``1 +`` inside the logarithm that keeps every weight positive.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.core.models import TextStatistics

_K1 = 0.9
_B = 0.4
"""Anserini's defaults (Yang, Fang and Lin, JDIQ 10(4), 2018); see docs/explanation/recall.md for measurements."""

MAX_COUNT = 255
"""More repeats of a word in one text change nothing."""


def saturated(count: int, length: int, mean_length: float) -> float:
    """Compute what one word adds to the score of one text, but for how rare the word is.

    Parameters
    ----------
    count : how often the word occurs in the text, >= 1.
    length : words in the text, >= ``count``.
    mean_length : words per text that ``length`` is compared with, > 0.

    Returns
    -------
    In (0, k1 + 1).
    """
    most = min(count, MAX_COUNT)
    return float((_K1 + 1.0) * most / _saturation(most, length, _B / mean_length))


def _saturation(counts: Any, lengths: Any, slope: float) -> Any:
    return counts + _K1 * (1.0 - _B + slope * lengths)


def parts_of_scores(
    counts: NDArray[np.float32], lengths: NDArray[np.uint32], frequency: int, known: TextStatistics
) -> NDArray[np.float32]:
    """Compute what one word adds to the scores of some texts.

    Parameters
    ----------
    counts : shape (n,), how often the word occurs in each text, at most ``MAX_COUNT``.
    lengths : shape (n,), words per text.
    frequency : texts in the corpus that hold the word, at most ``known.rows``.
    known : the corpus.

    Returns
    -------
    float32, shape (n,), >= 0, and 0 exactly where the count is 0.
    """
    weight = log(1.0 + (known.rows - frequency + 0.5) / (frequency + 0.5)) * (_K1 + 1.0)
    slope = _B * known.rows / max(known.words, 1)
    return np.asarray(weight * counts / _saturation(counts, lengths, slope), np.float32)


def scores_of_texts(
    stems: Sequence[str], counts: NDArray[np.float32], lengths: NDArray[np.uint32], known: TextStatistics
) -> NDArray[np.float32]:
    """Score texts whose words were counted already.

    Parameters
    ----------
    stems : of the query.
    counts : shape (n_stems, n_texts); see :func:`parts_of_scores`.
    lengths : shape (n_texts,), words per text.
    known : the corpus, with the frequency of every stem.

    Returns
    -------
    float32, shape (n_texts,), >= 0.
    """
    total = np.zeros(lengths.shape[0], np.float32)
    for stem, row in zip(stems, counts, strict=True):
        total += parts_of_scores(row, lengths, known.frequency.get(stem, 0), known)
    return total
