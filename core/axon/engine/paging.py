"""Walking a view in order, page by page, without keeping anything between pages."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import Field, FilterNode
from axon.core.models import EntryRecord, Page
from axon.core.ports import OrderBy
from axon.engine.arena import View
from axon.engine.search import allowed_rows

_KEYS: dict[str, Callable[[EntryRecord], Any]] = {
    "id": lambda record: "",
    "created_at": lambda record: record.created_us,
    "updated_at": lambda record: record.updated_us,
    "accessed_at": lambda record: record.created_us if record.accessed_us is None else record.accessed_us,
    "importance": lambda record: record.importance,
}

_COLUMNS = {name: Field(name) for name in ("created_at", "updated_at", "importance")}
"""Orders by a field that has a column of numbers, and that no access of an entry changes."""


def page(
    view: View, node: FilterNode, order_by: OrderBy, descending: bool, cursor: str | None, limit: int
) -> Page:
    """Return the next ``limit`` entries behind ``cursor`` in order of ``(key, id)``.

    Raises
    ------
    InvalidInputError
        For an unknown order, a limit below 1 or a cursor of another scan.
    """
    if order_by not in _KEYS:
        raise InvalidInputError(f"order_by must be one of {', '.join(_KEYS)}, not {order_by!r}")
    if limit < 1:
        raise InvalidInputError(f"limit must be >= 1, not {limit}")
    sign = -1 if descending and order_by != "id" else 1
    last = None if cursor is None else _read_cursor(cursor)
    by_id_down = descending and order_by == "id"
    allowed = allowed_rows(view, node)
    rows = _live_rows(view) if allowed is None else np.flatnonzero(allowed)
    ahead, nearest = _nearest(view, rows, order_by, sign, last, limit)
    keyed = _keyed(view, nearest, order_by, sign, last, by_id_down)
    if len(keyed) <= limit and nearest.shape[0] < ahead.shape[0]:
        # Some of the nearest were on the page before, or have been deleted meanwhile.
        keyed = _keyed(view, ahead, order_by, sign, last, by_id_down)
    chosen = (heapq.nlargest if by_id_down else heapq.nsmallest)(limit, keyed)
    entries = [entry for entry in view.entries(row for _, _, row in chosen) if entry is not None]
    more = len(keyed) > limit
    return Page(entries, json.dumps(chosen[-1][:2]) if more else None)


def _live_rows(view: View) -> NDArray[np.intp]:
    alive = np.ones(view.size, np.bool_)
    alive[view.dead] = False
    return np.flatnonzero(alive)


def _nearest(
    view: View,
    rows: NDArray[np.intp],
    order_by: OrderBy,
    sign: int,
    last: tuple[Any, str] | None,
    limit: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Use the order by a column of numbers to look at few rows only.

    Returns
    -------
    (ahead, nearest) : what does not lie before ``last``, and of that as much as a page needs and ties with it.
    """
    field = _COLUMNS.get(order_by)
    if field is None or rows.shape[0] <= 2 * limit:
        return rows, rows
    keys = sign * view.columns.numbers(field, view.size)[rows]
    if last is not None:
        ahead = keys >= last[0]
        rows, keys = rows[ahead], keys[ahead]
    # One more than the page, to know whether it is the last; and the end of the page before, which is as near.
    wanted = limit if last is None else limit + 1
    if rows.shape[0] <= wanted:
        return rows, rows
    return rows, rows[keys <= np.partition(keys, wanted)[wanted]]


def _keyed(
    view: View,
    rows: NDArray[np.intp],
    order_by: OrderBy,
    sign: int,
    last: tuple[Any, str] | None,
    by_id_down: bool,
) -> list[tuple[Any, str, int]]:
    """Give the rows behind ``last`` with what they are ordered by."""
    key_of, records = _KEYS[order_by], view.records
    keyed = [
        ((sign * key_of(record) if order_by != "id" else ""), record.id, row)
        for row in rows.tolist()
        if (record := records[row]) is not None
    ]
    if last is None:
        return keyed
    return [key for key in keyed if (key[:2] < last if by_id_down else key[:2] > last)]


def _read_cursor(cursor: str) -> tuple[Any, str]:
    try:
        key, id = json.loads(cursor)
    except ValueError as error:
        raise InvalidInputError(f"{cursor!r} is not a cursor of this scan") from error
    return key, id
