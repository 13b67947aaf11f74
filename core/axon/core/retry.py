"""Trying again: after named errors only, with growing and random pauses, up to a deadline."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import msgspec

from axon.core.errors import ConfigError

T = TypeVar("T")


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often and how patiently to try.

    Attributes
    ----------
    attempts : >= 1, the first one included.
    first_delay : seconds, >= 0; upper bound of the first pause, doubled for each further one.
    max_delay : seconds, >= ``first_delay``; cap of one pause. A pause that the server asks for may be longer.
    deadline : seconds, > 0; no attempt starts later than this after the call began.
    """

    attempts: int = 4
    first_delay: float = 0.5
    max_delay: float = 8.0
    deadline: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ConfigError(f"attempts must be >= 1, not {self.attempts}")
        if not 0 <= self.first_delay <= self.max_delay:
            raise ConfigError("delays need 0 <= first_delay <= max_delay")
        if not self.deadline > 0:
            raise ConfigError(f"deadline must be > 0 seconds, not {self.deadline}")

    def pause(self, failures: int, chance: float, asked: float | None = None) -> float:
        """Seconds to wait after so many failures.

        Parameters
        ----------
        failures : >= 1.
        chance : in [0, 1), random. The pause lies between half of its bound and the bound, so that clients
            that failed together do not come back together.
        asked : seconds the server asked for (its ``Retry-After``), or None; never undercut.
        """
        # The exponent is bounded because a float overflows at 2 ** 1024.
        bound = min(self.max_delay, self.first_delay * 2.0 ** min(failures - 1, 64))
        return (bound / 2 if asked is None else asked) + bound / 2 * chance


async def retry(
    call: Callable[[], Awaitable[T]],
    *,
    on: tuple[type[Exception], ...],
    policy: RetryPolicy,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Call until it succeeds, fails for good, or the policy's limits are reached.

    Parameters
    ----------
    call : makes one attempt; must be safe to repeat.
    on : the errors to try again after; any other ends the call. An error's ``retry_after`` (seconds or None)
        is honoured where it has one.
    policy : limits.
    sleep, chance, clock : waits for seconds, gives a number in [0, 1), gives monotonic seconds.

    Returns
    -------
    What ``call`` returned.

    Raises
    ------
    Exception
        The last error, as ``call`` raised it: at once where waiting would pass the deadline.
    """
    failures = _Failures(policy, clock, clock())
    while True:
        try:
            return await call()
        except on as error:
            pause = failures.pause_after(error, chance())
            if pause is None:
                raise
        await sleep(pause)


def retry_blocking(
    call: Callable[[], T],
    *,
    on: tuple[type[Exception], ...],
    policy: RetryPolicy,
    since: float | None = None,
    sleep: Callable[[float], object] = time.sleep,
    chance: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """Do the same as :func:`retry` in a thread that may wait.

    Parameters
    ----------
    since : when the work began that this call is a part of, as ``clock`` gives it, since the deadline is that of the
        whole; None for now.
    """
    failures = _Failures(policy, clock, clock() if since is None else since)
    while True:
        try:
            return call()
        except on as error:
            pause = failures.pause_after(error, chance())
            if pause is None:
                raise
        sleep(pause)


class _Failures:
    """What decides whether one more attempt is made."""

    def __init__(self, policy: RetryPolicy, clock: Callable[[], float], since: float) -> None:
        self._policy = policy
        self._clock = clock
        self._since = since
        self._count = 0

    def pause_after(self, error: Exception, chance: float) -> float | None:
        """Seconds to wait before the next attempt, or None where there is none."""
        self._count += 1
        pause = self._policy.pause(self._count, chance, getattr(error, "retry_after", None))
        spent = self._clock() - self._since
        return (
            None if self._count >= self._policy.attempts or spent + pause > self._policy.deadline else pause
        )


def retry_after_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Read how long a server asks to wait.

    Parameters
    ----------
    headers : of the answer, looked up by lower-case name; ``retry-after-ms`` is preferred to
        ``retry-after``, which holds seconds or a date (RFC 9110, section 10.2.3).
    now : aware time to count a date from; None for the machine's clock.

    Returns
    -------
    Seconds >= 0, or None where the server did not say or what it said cannot be read.
    """
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            seconds = float(value) * unit
        except ValueError:
            seconds = _seconds_until(value, now or datetime.now(UTC))
        if 0 <= seconds < float("inf"):
            return seconds
    return None


def _seconds_until(date: str, now: datetime) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return -1.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max((moment - now).total_seconds(), 0.0)
