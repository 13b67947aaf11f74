"""Vectors of the texts used last, in this process."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from axon.core.models import Vector


class VectorLru:
    """A bounded map that forgets what was not used for longest; safe from several threads.

    Parameters
    ----------
    capacity : most entries, >= 0; 0 keeps nothing. An entry takes 4 bytes per dimension and about 250 more.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._rows: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: bytes) -> Vector | None:
        """Return the vector of a key, which nobody can modify, or None."""
        with self._lock:
            row = self._rows.get(key)
            if row is not None:
                self._rows.move_to_end(key)
            return row

    def put(self, key: bytes, row: Vector) -> Vector:
        """Keep a copy of a vector and return it.

        Parameters
        ----------
        key : what it will be asked for by.
        row : float32, shape (dims,).

        Returns
        -------
        The copy, read-only; made in any case, because a view would keep the model's whole batch alive.
        """
        kept = row.copy()
        kept.setflags(write=False)
        if self._capacity:
            with self._lock:
                self._rows[key] = kept
                self._rows.move_to_end(key)
                if len(self._rows) > self._capacity:
                    self._rows.popitem(last=False)
        return kept
