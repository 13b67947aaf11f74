"""The k best of many scores, without sorting them all."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FEW = 100
"""Scores up to which sorting all of them is fastest; measured."""


def top_k(scores: NDArray[np.floating[Any]], k: int) -> NDArray[np.intp]:
    """Find the best ``k`` finite scores, best first, ties in favour of the lower position.

    The scores are folded into columns and each column keeps its maximum. The k-th largest maximum is reached
    by at least k scores, so everything below it is out; what remains is a handful and is sorted.

    Parameters
    ----------
    scores : float, shape (n,); ``-inf`` marks positions that may not be returned, NaN is not allowed.
    k : >= 1.

    Returns
    -------
    Positions, shape (min(k, number of finite scores),).
    """
    n = scores.shape[0]
    if n <= _FEW:
        return _best_of(scores, np.arange(n), k)
    # As many rows as columns would do; fewer rows are faster, because they are shorter loops. Measured.
    fold = max(2, isqrt(n) // 3)
    width = n // fold
    candidates: NDArray[np.intp]
    if width >= 2 * k:
        maxima = np.maximum.reduce(scores[: width * fold].reshape(fold, width))
        maxima.sort()
        candidates = (scores >= maxima[width - k]).nonzero()[0]
    elif n > 4 * k:
        threshold = np.partition(scores, n - k)[n - k]
        candidates = (scores >= threshold).nonzero()[0]
    else:
        candidates = np.arange(n)
    return _best_of(scores[candidates], candidates, k)


def _best_of(scores: NDArray[np.floating[Any]], positions: NDArray[np.intp], k: int) -> NDArray[np.intp]:
    """Sort all of some scores, and give the positions of the best ``k`` finite ones."""
    order = (-scores).argsort(kind="stable")[:k]
    if order.shape[0] and scores[order[-1]] == -np.inf:
        order = order[scores[order] > -np.inf]
    return positions[order]
