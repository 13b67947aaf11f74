"""Vectors as indexes compare them: scaled to length 1, without losing what the caller gave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_SAME_LENGTH = 1e-6
"""Lengths this near to 1 change no cosine by more than that."""


def direction_of(vector: Floats) -> tuple[Floats, bytes | None]:
    """Scale a vector to length 1, and tell what must be kept to give the original back.

    Returns
    -------
    (direction, original) : float32, shape (dims,), what the index compares; the bytes of ``vector``, or None where
        both are the same, as for models that normalise.
    """
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if length == 0.0 or abs(length - 1.0) < _SAME_LENGTH:
        return vector, None
    return (vector.astype(np.float64) / length).astype(np.float32), vector.astype("<f4").tobytes()
