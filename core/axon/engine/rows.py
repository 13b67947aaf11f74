"""Vectors in blocks that are written once and never moved, so that readers need no lock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from axon.engine.quantized import MIN_ROWS, QuantizedRows, row_products

BLOCK_BITS = 13
BLOCK_ROWS = 1 << BLOCK_BITS
"""Rows per block. Growing one large array by doubling stalls for tens of milliseconds; a new block costs nothing."""

_OFFSET = BLOCK_ROWS - 1
_FIRST_BLOCK_ROWS = 64
_SMALL_BLOCK_ROWS = 256
_UNIT_TOLERANCE = 2e-6
"""Deviation of a squared length from 1 within which a vector counts as normalised (float32 rounding at 384 dims)."""

_UNIT_LOW, _UNIT_HIGH = 1.0 - _UNIT_TOLERANCE, 1.0 + _UNIT_TOLERANCE

_GATHER_SHARE = 0.25
"""Share of rows below which copying them out beats scanning everything; measured, see docs/explanation/engine.md."""

_GATHER_SHARE_ROUNDED = 0.04
"""The same where a scan goes over rounded rows."""

_CACHE_LINE = 64
"""Bytes."""

_BATCH = 64
"""Queries per matrix product; bounds the score matrix to a few dozen MB at 100k rows."""

Floats = NDArray[np.float32]


class VectorRows:
    """Append-only float32 rows with their inverse lengths.

    Rows keep the vector exactly as given; the cosine multiplies by the inverse length instead, and skips even
    that while every vector has length 1. A zero row, which has no direction, scores 0.

    Parameters
    ----------
    dims : numbers per row, >= 1.
    quantize : keep rounded copies of the full blocks too, for faster searches.
    """

    def __init__(self, dims: int, *, quantize: bool = False) -> None:
        self.dims = dims
        self._quantized = QuantizedRows() if quantize and row_products() is not None else None
        self.size = 0
        self.blocks: list[Floats] = []
        self._inverse: list[Floats] = []
        self._last = np.empty((0, dims), np.float32)
        self._last_rows = 0
        self.all_unit = True

    def append(self, vector: Floats, squared: float) -> None:
        """Add one row; ``squared`` is its squared length."""
        offset = self.size & _OFFSET
        if offset == 0 or offset == self._last_rows:
            self._room()
        self._last[offset] = vector
        if not _UNIT_LOW < squared < _UNIT_HIGH and squared:
            self.all_unit = False
            self._inverse[-1][offset] = squared**-0.5
        self.size += 1

    def extend(self, matrix: Floats) -> None:
        """Add many rows, float32 of shape (n, dims)."""
        squared = np.einsum("ij,ij->i", matrix, matrix)
        other = (np.abs(squared - 1.0) >= _UNIT_TOLERANCE) & (squared > 0.0)
        inverse = np.ones(matrix.shape[0], np.float32)
        if other.any():
            self.all_unit = False
            inverse[other] = squared[other] ** -0.5
        done = 0
        while done < matrix.shape[0]:
            block, offset = self._room(matrix.shape[0] - done)
            count = min(block.shape[0] - offset, matrix.shape[0] - done)
            block[offset : offset + count] = matrix[done : done + count]
            self._inverse[-1][offset : offset + count] = inverse[done : done + count]
            self.size += count
            done += count

    def append_missing(self, count: int) -> None:
        """Add zero rows, for entries without a vector."""
        done = 0
        while done < count:
            block, offset = self._room(count - done)
            step = min(block.shape[0] - offset, count - done)
            block[offset : offset + step] = 0.0
            self.size += step
            done += step

    def _room(self, wanted: int = 1) -> tuple[Floats, int]:
        """Return the last block and the first free row in it, growing the first block or adding one."""
        offset = self.size & (BLOCK_ROWS - 1)
        if not self.blocks or (offset == 0 and self.size):
            rows = BLOCK_ROWS if self.size else _rows_to_reserve(0, wanted)
            self.blocks.append(_empty_block(rows, self.dims))
            self._inverse.append(np.ones(rows, np.float32))
        elif offset == self.blocks[-1].shape[0]:
            rows = _rows_to_reserve(offset, wanted)
            for arrays, grown in (
                (self.blocks, _empty_block(rows, self.dims)),
                (self._inverse, np.ones(rows, np.float32)),
            ):
                grown[:offset] = arrays[-1][:offset]
                arrays[-1] = grown
        self._last = self.blocks[-1]
        self._last_rows = self._last.shape[0]
        return self._last, offset

    def scores(self, queries: Floats, size: int) -> Floats:
        """Compute the cosines of queries (of length 1) with each of the first ``size`` rows.

        Parameters
        ----------
        queries : float32, shape (n_queries, dims).
        size : <= the number of rows.

        Returns
        -------
        float32, shape (n_queries, size).
        """
        out = np.empty((queries.shape[0], size), np.float32)
        self._score_blocks(queries, out, 0)
        return out

    def _score_blocks(self, queries: Floats, out: Floats, first: int) -> None:
        size = out.shape[1]
        for index in range(first, (size + BLOCK_ROWS - 1) >> BLOCK_BITS):
            start = index << BLOCK_BITS
            stop = min(start + BLOCK_ROWS, size)
            rows, part = self.blocks[index][: stop - start], out[:, start:stop]
            if queries.shape[0] == 1:
                np.dot(rows, queries[0], out=part[0])
            else:
                np.matmul(queries, rows.T, out=part)
            if not self.all_unit:
                part *= self._inverse[index][: stop - start]

    def rounds(self, size: int) -> bool:
        """Tell whether a search of the first ``size`` rows goes over rounded ones."""
        return self._quantized is not None and size >= MIN_ROWS

    def rounded_scores(self, queries: Floats, size: int) -> tuple[Floats, Floats]:
        """Compute cosines of queries (of length 1) with the first ``size`` rows, from rounded rows where there are any.

        Returns
        -------
        float32, shape (n_queries, size), and how far from their cosines each query's scores may be.
        """
        assert self._quantized is not None
        self._quantized.catch_up(self.blocks, self._inverse, size >> BLOCK_BITS)
        out = np.empty((queries.shape[0], size), np.float32)
        done, errors = self._quantized.scores(queries, out)
        self._score_blocks(queries, out, done >> BLOCK_BITS)
        return out, errors

    def scores_at(self, query: Floats, rows: NDArray[np.intp]) -> Floats:
        """Compute the cosine of ``query`` (length 1) with some rows, given in ascending order."""
        out = np.empty(rows.shape[0], np.float32)
        bounds = rows.searchsorted(np.arange(0, self.size + BLOCK_ROWS, BLOCK_ROWS)).tolist()
        for index, (start, stop) in enumerate(pairwise(bounds)):
            if start < stop:
                local = rows[start:stop] - (index << BLOCK_BITS)
                self.blocks[index].take(local, axis=0).dot(query, out[start:stop])
                if not self.all_unit:
                    out[start:stop] *= self._inverse[index][local]
        return out

    def locate(self, row: int) -> tuple[Floats, int]:
        """Return the block that holds a row, and the row's place in it."""
        return self.blocks[row >> BLOCK_BITS], row & (BLOCK_ROWS - 1)

    def select(self, rows: NDArray[np.intp]) -> VectorRows:
        """Copy some rows, given in ascending order, into new blocks."""
        chosen = VectorRows(self.dims, quantize=self._quantized is not None)
        bounds = np.searchsorted(rows, np.arange(0, self.size + BLOCK_ROWS, BLOCK_ROWS))
        for index in range(bounds.shape[0] - 1):
            local = rows[bounds[index] : bounds[index + 1]] - (index << BLOCK_BITS)
            if local.shape[0]:
                chosen.extend(self.blocks[index].take(local, axis=0))
        return chosen

    def copy_range(self, start: int, stop: int) -> Floats:
        """Copy consecutive rows into one matrix."""
        out = np.empty((stop - start, self.dims), np.float32)
        for row in range(start, stop):
            block, offset = self.locate(row)
            out[row - start] = block[offset]
        return out

    @property
    def nbytes(self) -> int:
        """Bytes taken up by rows; what is reserved beyond them is only address space."""
        rounded = 0 if self._quantized is None else self._quantized.nbytes
        return 4 * self.size * self.dims + rounded


def _rows_to_reserve(filled: int, wanted: int) -> int:
    """Choose the size of a first block: small for a handful of rows, else full, which is only address space."""
    rows = max(_FIRST_BLOCK_ROWS, 4 * filled, filled + wanted)
    return rows if rows <= _SMALL_BLOCK_ROWS else BLOCK_ROWS


def _empty_block(rows: int, dims: int) -> Floats:
    """Make a block that starts on a cache line; where it does not, a scan takes up to a third longer."""
    room = np.empty(4 * rows * dims + _CACHE_LINE, np.uint8)
    start = -room.ctypes.data % _CACHE_LINE
    return room[start : start + 4 * rows * dims].view(np.float32).reshape(rows, dims)


def gathers(matching: int, size: int, *, rounded: bool = False) -> bool:
    """Tell whether to copy ``matching`` of ``size`` rows out instead of scanning all."""
    return matching < (_GATHER_SHARE_ROUNDED if rounded else _GATHER_SHARE) * size


def query_batches(count: int) -> list[tuple[int, int]]:
    """Cut ``count`` queries into ranges of one matrix product each."""
    return [(start, min(start + _BATCH, count)) for start in range(0, count, _BATCH)]
