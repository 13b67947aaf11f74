"""Numbers that put things in the order in which they were added, over all objects and threads of a process."""

from __future__ import annotations

import threading

from axon.core.clock import Clock, SystemClock


class OrderSource:
    """Hands out blocks of increasing numbers that follow the clock; none comes twice.

    Parameters
    ----------
    clock : for tests; None takes the machine's.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._last = 0

    def take(self, count: int, *, after: int = 0) -> range:
        """Return ``count`` numbers, all above ``after``: microseconds since 1970 while the clock runs forward."""
        with self._lock:
            start = max(self._last, after, self._clock.now_us() - 1) + 1
            self._last = start + count - 1
            return range(start, start + count)


ARRIVALS = OrderSource()
"""The order of this process."""
