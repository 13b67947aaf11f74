"""A clock for backends that expire entries by their own."""

from __future__ import annotations

import time

from axon.core.clock import ManualClock
from axon.testing.entries import START_US


class RunningClock(ManualClock):
    """A clock that goes as fast as the machine's, and starts behind the near ends of life of generated entries.

    Otherwise one of them could end between a question to the model and the same question to the adapter.
    """

    def __init__(self) -> None:
        super().__init__(START_US + 2_000_000)
        self.started = time.monotonic_ns()

    def now_us(self) -> int:
        return super().now_us() + (time.monotonic_ns() - self.started) // 1000

    def advance(self, seconds: float) -> None:
        raise AssertionError("this clock cannot be moved; wait with elapse()")
