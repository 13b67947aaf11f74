"""Ordered walks over a backend that has no order: the ids in order are noted when a walk begins."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from axon.adapters._shared.room import Step
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

    def page(self, read: Callable[[], list[Key]], step: Step) -> tuple[list[str], str | None]:
        """Return the ids of the next page and its cursor.

        Parameters
        ----------
        read : reads the keys of all that is walked over, in any order.
        step : which page.

        Raises
        ------
        InvalidInputError
            For an unknown order, a limit below 1 or a cursor of another scan.
        """
        _check(step)
        cursor, limit, descending, by_id = step.cursor, step.limit, step.descending, step.order_by == "id"
        name, place, last = (uuid4().hex, 0, None) if cursor is None else _read_cursor(cursor)
        with self._lock:
            keys = self._noted.pop(name, None)
        if keys is None:
            keys, place = _sorted(read(), descending, by_id), 0
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


def key_of(fields: Mapping[str, Any], order_by: OrderBy) -> Any:
    """Return what an entry is ordered by, from its fields in the backend; "" where that is the id itself.

    An entry never accessed or never updated counts as accessed or updated when created.
    """
    if order_by == "id":
        return ""
    value = fields.get(order_by)
    return fields["created_at"] if value is None else value


def _check(step: Step) -> None:
    if step.order_by not in ORDERS:
        raise InvalidInputError(f"order_by must be one of {', '.join(ORDERS)}, not {step.order_by!r}")
    if step.limit < 1:
        raise InvalidInputError(f"limit must be >= 1, not {step.limit}")


def _sorted(keys: list[Key], descending: bool, by_id: bool) -> list[Key]:
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
