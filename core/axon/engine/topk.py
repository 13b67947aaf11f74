"""The k best of many scores, without sorting them all."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray


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
    kept = scores[candidates]
    order = (-kept).argsort(kind="stable")[:k]
    if order.shape[0] and kept[order[-1]] == -np.inf:
        order = order[kept[order] > -np.inf]
    return candidates[order]
