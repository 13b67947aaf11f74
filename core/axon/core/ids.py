"""Fresh ids: 128 random bits as 32 hex digits, drawn from a pool because a system call per id is dear."""

from __future__ import annotations

import os
from collections.abc import Callable

_POOL_SIZE = 512


def make_id_source(pool_size: int = _POOL_SIZE) -> Callable[[], str]:
    """Build a function that returns a new id at each call.

    Parameters
    ----------
    pool_size : ids drawn per system call, >= 1.

    Returns
    -------
    A function safe to call from several threads: ``list.pop`` is atomic and an empty pool is refilled
    by whoever finds it empty. A forked child starts an empty pool of its own.
    """
    pool: list[str] = []
    pop = pool.pop

    def refill() -> None:
        digits = os.urandom(16 * pool_size).hex()
        pool.extend(digits[i : i + 32] for i in range(0, len(digits), 32))

    def new_id() -> str:
        while True:
            try:
                return pop()
            except IndexError:
                refill()

    os.register_at_fork(after_in_child=pool.clear)
    return new_id


new_id = make_id_source()
