"""Walking a view in order, page by page, without keeping anything between pages."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import FilterNode
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
    key_of = _KEYS[order_by]
    sign = -1 if descending and order_by != "id" else 1
    allowed = allowed_rows(view, node)
    rows = range(view.size) if allowed is None else np.flatnonzero(allowed).tolist()
    records = view.records
    keyed = [
        ((sign * key_of(record) if order_by != "id" else ""), record.id, row)
        for row in rows
        if (record := records[row]) is not None
    ]
    by_id_down = descending and order_by == "id"
    if cursor is not None:
        last = _read_cursor(cursor)
        keyed = [key for key in keyed if (key[:2] < last if by_id_down else key[:2] > last)]
    chosen = (heapq.nlargest if by_id_down else heapq.nsmallest)(limit, keyed)
    entries = [entry for entry in view.entries(row for _, _, row in chosen) if entry is not None]
    more = len(keyed) > limit
    return Page(entries, json.dumps(chosen[-1][:2]) if more else None)


def _read_cursor(cursor: str) -> tuple[Any, str]:
    try:
        key, id = json.loads(cursor)
    except ValueError as error:
        raise InvalidInputError(f"{cursor!r} is not a cursor of this scan") from error
    return key, id
