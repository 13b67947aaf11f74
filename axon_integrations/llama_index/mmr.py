"""Maximal marginal relevance: near to the query, far from what was chosen before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

DEFAULT_THRESHOLD = 0.5


def mmr_order(
    relevance: NDArray[np.float64], rows: NDArray[np.float32], k: int, threshold: float | None
) -> list[int]:
    """Choose up to ``k`` rows, in the order of choice.

    Each step takes the row with the greatest ``threshold * relevance - (1 - threshold) * cos(last, row)``,
    where ``last`` is the row taken before. Looking at the last choice only is LlamaIndex's own reading of
    Carbonell and Goldstein, SIGIR 1998, and is kept so that stores can be exchanged.

    Parameters
    ----------
    relevance : float64, shape (n,), cosine to the query in [-1, 1].
    rows : float32, shape (n, dims); of equal values the first row wins.
    k : >= 1.
    threshold : in [0, 1]; 0 looks at variety alone, 1 at similarity alone; None for 0.5.

    Returns
    -------
    Row numbers, ``min(k, n)`` of them, without repeats.

    Raises
    ------
    ValueError
        If ``threshold`` is outside [0, 1].
    """
    weight = DEFAULT_THRESHOLD if threshold is None else threshold
    if not 0 <= weight <= 1:
        raise ValueError(f"mmr_threshold must be in [0, 1], not {threshold!r}")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions = rows / np.where(lengths == 0, 1, lengths)
    value = weight * relevance
    chosen: list[int] = []
    while len(chosen) < min(k, len(rows)):
        value[chosen] = -np.inf
        chosen.append(int(np.argmax(value)))
        value = weight * relevance - (1 - weight) * (directions @ directions[chosen[-1]])
    return chosen
