"""Numbers that put things in the order in which they came, whatever the clock does."""

from __future__ import annotations

import threading


class OrderSource:
    """Hands out blocks of increasing numbers; none comes twice. Safe to call from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def take(self, count: int, at_least: int) -> range:
        """Return ``count`` (>= 0) consecutive numbers, none below ``at_least``, all above those handed out before."""
        with self._lock:
            start = max(self._last + 1, at_least)
            self._last = start + count - 1
            return range(start, start + count)
