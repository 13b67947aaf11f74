"""Rows in one byte per number: a search reads a quarter of the memory and is still exact.

A scan is bound by memory, so it goes over rounded rows first. How far rounding can have moved a cosine is known
(Cauchy-Schwarz on what was rounded off), so every row that may belong to the best k is found, and those few are scored
again with the rows themselves. The products of rounded rows come from the package
``numkong``; without it nothing is rounded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bytes = NDArray[np.int8]

MIN_ROWS = 8_192
"""Rows below which a plain scan is as fast."""

_BLOCKS_PER_SEARCH = 4
"""Blocks that one search rounds at most, about 7 ms each at 384 dimensions; the next search goes on."""

_STEPS = 127
_ROUNDING = 1e-5
"""More than what float32 arithmetic adds to the error of a cosine, also at thousands of dimensions."""

_SCORED_AGAIN = 0.05
"""Share of rows beyond which scoring the candidates again would cost more than a plain scan."""


class _Block(NamedTuple):
    """One block of rows.

    Attributes
    ----------
    numbers : int8, shape (rows, dims).
    scales : float32, shape (rows,); a row's direction is about ``numbers * scale``.
    error : largest distance between a row's direction and that.
    """

    numbers: Bytes
    scales: Floats
    error: float


class QuantizedRows:
    """The full blocks of a ``VectorRows``, rounded while searches go by; such blocks never change."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes taken up."""
        return sum(block.numbers.nbytes + block.scales.nbytes for block in self._blocks)

    def catch_up(self, blocks: list[Floats], inverse: list[Floats], full: int) -> None:
        """Round some more of the first ``full`` blocks; another thread that is at it is not waited for."""
        if len(self._blocks) >= full or not self._lock.acquire(blocking=False):
            return
        try:
            done = len(self._blocks)
            for index in range(done, min(full, done + _BLOCKS_PER_SEARCH)):
                self._blocks.append(_round_block(blocks[index], inverse[index]))
        finally:
            self._lock.release()

    def scores(self, queries: Floats, out: Floats) -> tuple[int, Floats]:
        """Write approximate cosines of some queries (of length 1) with the leading rows into ``out``.

        Parameters
        ----------
        queries : float32, shape (n, dims).
        out : float32, shape (n, at least the number of rounded rows).

        Returns
        -------
        How many rows were scored, and for each query how far from its cosine a score may be; float32, shape (n,).
        """
        products = row_products()
        blocks = self._blocks[:]
        if products is None or not blocks:
            return 0, np.zeros(queries.shape[0], np.float32)
        numbers, scales = _round_rows(queries)
        lost = np.linalg.norm(queries - numbers * scales[:, np.newaxis], axis=1)
        multiply = products(numbers)
        start, error = 0, 0.0
        for block in blocks:
            stop = start + block.scales.shape[0]
            np.multiply(multiply(block.numbers), block.scales, out=out[:, start:stop], casting="same_kind")
            start, error = stop, max(error, block.error)
        out[:, :start] *= scales[:, np.newaxis]
        return start, error + lost * (1.0 + error) + _ROUNDING


def candidates(scores: Floats, best: NDArray[np.intp], error: float) -> NDArray[np.intp] | None:
    """Find all rows that may be among the best, given the best by approximate score.

    Parameters
    ----------
    scores : float32, shape (n,); no further than ``error`` from the true ones, ``-inf`` for rows that are excluded.
    best : positions of the highest of ``scores``, highest first.
    error : >= 0.

    Returns
    -------
    Positions in ascending order; None where they are so many that scoring all rows is cheaper.
    """
    if not best.shape[0]:
        return best
    # The true k-th best cosine is at least this less the error, and a row's true cosine at most its score plus it.
    found = (scores >= scores[best[-1]] - np.float32(2.0 * error)).nonzero()[0]
    return found if found.shape[0] <= max(_SCORED_AGAIN * scores.shape[0], 4 * best.shape[0]) else None


def _round_block(rows: Floats, inverse: Floats) -> _Block:
    numbers, scales = _round_rows(rows)
    error = 0.0
    for start in range(0, rows.shape[0], 512):
        part = slice(start, start + 512)
        lost = rows[part] - numbers[part] * scales[part, np.newaxis]
        lengths = np.einsum("ij,ij->i", lost, lost)
        error = max(error, float((np.sqrt(lengths) * inverse[part]).max()))
    return _Block(numbers, scales * inverse, error)


def _round_rows(rows: Floats) -> tuple[Bytes, Floats]:
    """Round each row to whole multiples of a 127th of its largest number."""
    largest = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    scales = (largest / np.float32(_STEPS)).astype(np.float32)
    divisors = np.where(scales > 0.0, scales, np.float32(1.0))
    return np.rint(rows / divisors[:, np.newaxis]).clip(-_STEPS, _STEPS).astype(np.int8), scales


Multiply = Callable[[Bytes], NDArray[np.number[Any]]]
"""Takes rows, int8 of shape (m, dims), and returns their products with n fixed ones, shape (n, m)."""


@cache
def row_products() -> Callable[[Bytes], Multiply] | None:
    """Return what makes a :data:`Multiply` of n rows, or None without the package for it."""
    if find_spec("numkong") is None:
        return None
    import numkong

    def products(few: Bytes) -> Multiply:
        if few.shape[0] == 1:
            return lambda many: np.asarray(numkong.cdist(few, many, "dot", out_dtype="f32"))
        packed = numkong.dots_pack(few)
        return lambda many: np.asarray(numkong.dots_packed(many, packed)).T

    return products
