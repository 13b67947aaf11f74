"""Time as a dependency, so that plans are pure and tests travel through weeks."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from axon.core.errors import InvalidInputError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Clock(Protocol):
    """A source of the present moment."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000


class ManualClock:
    """A clock that moves only when told.

    Parameters
    ----------
    start_us : first reading, microseconds since 1970-01-01 UTC.
    """

    def __init__(self, start_us: int = 1_700_000_000_000_000) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC."""
        return self._now_us

    def advance(self, seconds: float) -> None:
        """Move forward by ``seconds`` (>= 0)."""
        if seconds < 0:
            raise InvalidInputError("a clock moves forward only: seconds must be >= 0")
        self._now_us += round(seconds * 1_000_000)


def to_datetime(us: int) -> datetime:
    """Turn microseconds since 1970 into an aware UTC datetime, exactly."""
    return EPOCH + timedelta(microseconds=us)


def to_us(moment: datetime) -> int:
    """Turn a datetime into microseconds since 1970, exactly; a naive one is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - EPOCH) // MICROSECOND
