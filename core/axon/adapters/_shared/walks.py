"""Ordered walks over a backend that has no order: the ids in order are noted when a walk begins."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from axon.core.errors import InvalidInputError
from axon.core.ports import OrderBy

Key = tuple[Any, str]
"""What a walk is ordered by: the value of the order, and the id."""

ORDERS: tuple[OrderBy, ...] = ("id", "created_at", "updated_at", "accessed_at", "importance")

_KEPT = 16


class Walks:
    """The walks under way; one that was forgotten goes on from its last key, reading the keys again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: OrderedDict[str, list[Key]] = OrderedDict()

    def page(
        self, read: Callable[[], list[Key]], descending: bool, by_id: bool, cursor: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        """Return the ids of the next page and its cursor.

        Parameters
        ----------
        read : reads the keys of all that is walked over, in any order.
        descending : greatest keys first; ties are by rising id unless the id is the order.
        by_id : the order is the id.
        cursor : of the page before, or None.
        limit : ids per page, >= 1.
        """
        name, place, last = (uuid4().hex, 0, None) if cursor is None else _read_cursor(cursor)
        with self._lock:
            keys = self._noted.pop(name, None)
        if keys is None:
            keys, place = sorted_keys(read(), descending, by_id), 0
            if last is not None:
                place = sum(1 for key in keys if not _is_behind(key, last, descending, by_id))
        chosen = keys[place : place + limit]
        if place + limit >= len(keys):
            return [id for _, id in chosen], None
        with self._lock:
            self._noted[name] = keys
            while len(self._noted) > _KEPT:
                self._noted.popitem(last=False)
        return [id for _, id in chosen], json.dumps([name, place + limit, *chosen[-1]])


def check_scan(order_by: OrderBy, limit: int) -> None:
    """Refuse an unknown order and a limit below 1.

    Raises
    ------
    InvalidInputError
    """
    if order_by not in ORDERS:
        raise InvalidInputError(f"order_by must be one of {', '.join(ORDERS)}, not {order_by!r}")
    if limit < 1:
        raise InvalidInputError(f"limit must be >= 1, not {limit}")


def sorted_keys(keys: list[Key], descending: bool, by_id: bool) -> list[Key]:
    """Sort keys the way a scan does."""
    keys = sorted(keys, key=lambda key: key[1], reverse=descending and by_id)
    return keys if by_id else sorted(keys, key=lambda key: key[0], reverse=descending)


def _is_behind(key: Key, last: Key, descending: bool, by_id: bool) -> bool:
    if by_id:
        return key[1] < last[1] if descending else key[1] > last[1]
    if key[0] == last[0]:
        return key[1] > last[1]
    return bool(key[0] < last[0] if descending else key[0] > last[0])


def _read_cursor(cursor: str) -> tuple[str, int, Key]:
    try:
        name, place, value, id = json.loads(cursor)
    except ValueError as error:
        raise InvalidInputError(f"{cursor!r} is not a cursor of this scan") from error
    return name, place, (value, id)
