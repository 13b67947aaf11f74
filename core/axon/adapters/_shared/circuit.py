"""After repeated failure, fail at once for a while instead of keeping every caller waiting."""

from __future__ import annotations

import time
from collections.abc import Callable

from axon.core.errors import AdapterUnavailable


class Circuit:
    """Opens after several failures in a row and closes by itself.

    While open, calls fail at once. When the pause is over, calls are let through again: the first success closes
    the circuit, a failure opens it for twice as long.

    Parameters
    ----------
    failures : >= 1, in a row, after which it opens.
    pause : seconds, > 0; how long it stays open the first time.
    longest : seconds; bound of that.
    clock : gives monotonic seconds.
    """

    def __init__(
        self,
        failures: int = 5,
        pause: float = 0.25,
        longest: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = failures
        self._first_pause = pause
        self._longest = longest
        self._clock = clock
        self._failures = 0
        self._pause = pause
        self._until = 0.0
        self._reason = ""

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once now."""
        return self._clock() < self._until

    def details(self) -> dict[str, str]:
        """Tell the state, for ``stats()``: ``open`` or ``closed``, and what opened it."""
        return (
            {"circuit": "open", "circuit_opened_by": self._reason} if self.is_open else {"circuit": "closed"}
        )

    def check(self) -> None:
        """Let a call through, or fail it.

        Raises
        ------
        AdapterUnavailable
            While the circuit is open.
        """
        left = self._until - self._clock()
        if left > 0:
            raise AdapterUnavailable(
                f"not asked for another {left:.2f} s after {self._failures} failures in a row: {self._reason}"
            )

    def failed(self, reason: str) -> None:
        """Note that the backend could not be reached."""
        self._failures += 1
        self._reason = reason
        if self._failures >= self._limit:
            self._until = self._clock() + self._pause
            self._pause = min(2 * self._pause, self._longest)

    def succeeded(self) -> None:
        """Note that the backend answered."""
        if self._failures:
            self._failures, self._pause, self._until = 0, self._first_pause, 0.0
