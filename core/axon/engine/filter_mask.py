"""From a filter tree to the rows it allows, exactly, before any vector is looked at."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.core.filter.ast import And, Everything, Field, FilterNode, Not, Nothing, Or, Predicate
from axon.engine.columns import Column, Mask, NumberColumn, Records, make_column


class Columns:
    """The columns of one arena, made on demand and brought up to date before each use.

    Parameters
    ----------
    records : the arena's list of records by row, which grows while this object lives.
    """

    def __init__(self, records: Records) -> None:
        self._records = records
        self._columns: dict[Field, Column] = {}
        self._filled: dict[Field, int] = {}
        self.lock = threading.Lock()

    def lag(self, node: FilterNode, size: int) -> int:
        """Count the values that a query for ``node`` has to add first, once for every mention of a field."""
        if isinstance(node, Predicate):
            return size - self._filled.get(node.field, 0)
        if isinstance(node, And | Or):
            return sum(self.lag(child, size) for child in node.children)
        return self.lag(node.child, size) if isinstance(node, Not) else 0

    def mask(self, node: FilterNode, size: int) -> Mask:
        """Tell for each of the first ``size`` rows whether ``node`` matches it.

        Returns
        -------
        bool, shape (size,); rows of deleted entries hold anything.
        """
        with self.lock:
            return self._mask(node, size)

    def numbers(self, field: Field, size: int) -> NDArray[Any]:
        """Return the values of a numeric entry field that is never missing, shape (size,); not to be modified."""
        with self.lock:
            column = self._column(field, size)
            assert isinstance(column, NumberColumn)  # the caller names such a field
            return column.values[:size]

    def _mask(self, node: FilterNode, size: int) -> Mask:
        if isinstance(node, Predicate):
            return self._column(node.field, size).mask(node, size)
        if isinstance(node, And | Or):
            combine = np.logical_and if isinstance(node, And) else np.logical_or
            mask: Mask = combine.reduce([self._mask(child, size) for child in node.children])
            return mask
        if isinstance(node, Not):
            return ~self._mask(node.child, size)
        assert isinstance(node, Everything | Nothing)  # the tree is a closed set
        return np.full(size, isinstance(node, Everything))

    def _column(self, field: Field, size: int) -> Column:
        column = self._columns.get(field)
        if column is None:
            column = self._columns[field] = make_column(field)
        filled = self._filled.get(field, 0)
        if filled < size:
            column.extend(self._records[filled:size])
            self._filled[field] = size
        return column

    def select(self, rows: NDArray[np.intp], size: int, records: Records) -> Columns:
        """Build the columns of a compacted arena: only ``rows`` of the first ``size`` remain."""
        kept = Columns(records)
        with self.lock:
            for field in list(self._columns):
                column = self._column(field, size)
                column.select(rows)
                kept._columns[field] = column
                kept._filled[field] = rows.shape[0]
            self._columns.clear()
            self._filled.clear()
        return kept
