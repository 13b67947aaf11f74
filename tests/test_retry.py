from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.errors import AdapterUnavailable, ConfigError, RateLimited
from axon.core.retry import RetryPolicy, retry, retry_after_seconds, retry_blocking


class Harness:
    """A call that fails as scripted, and a clock that moves by the pauses and by each attempt."""

    def __init__(self, *outcomes: Any, attempt_seconds: float = 0.0) -> None:
        self.outcomes = list(outcomes)
        self.pauses: list[float] = []
        self.now = 100.0
        self.calls = 0
        self._attempt_seconds = attempt_seconds

    async def call(self) -> Any:
        self.calls += 1
        self.now += self._attempt_seconds
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def run(self, policy: RetryPolicy, chance: Callable[[], float] = lambda: 0.0) -> Any:
        return await retry(
            self.call, on=NAMED, policy=policy, sleep=self.sleep, chance=chance, clock=lambda: self.now
        )

    def run_blocking(self, policy: RetryPolicy, since: float | None = None) -> Any:
        def now(step: Coroutine[Any, Any, Any]) -> Any:
            try:
                step.send(None)
            except StopIteration as ended:
                return ended.value
            raise AssertionError("it waited")

        return retry_blocking(
            lambda: now(self.call()),
            on=NAMED,
            policy=policy,
            since=since,
            sleep=lambda seconds: now(self.sleep(seconds)),
            chance=lambda: 0.0,
            clock=lambda: self.now,
        )


NAMED = (AdapterUnavailable, RateLimited)
DOWN = AdapterUnavailable("down")


async def test_success_at_once_needs_no_pause() -> None:
    harness = Harness("ok")
    assert await harness.run(RetryPolicy()) == "ok"
    assert (harness.calls, harness.pauses) == (1, [])


async def test_pauses_double_up_to_their_cap() -> None:
    harness = Harness(*[DOWN] * 6, "ok")
    assert await harness.run(RetryPolicy(attempts=7, first_delay=1, max_delay=4)) == "ok"
    assert harness.pauses == [0.5, 1.0, 2.0, 2.0, 2.0, 2.0]


async def test_the_last_error_is_raised_as_it_was() -> None:
    last = AdapterUnavailable("last")
    harness = Harness(DOWN, DOWN, last)
    with pytest.raises(AdapterUnavailable) as caught:
        await harness.run(RetryPolicy(attempts=3))
    assert caught.value is last
    assert (harness.calls, len(harness.pauses)) == (3, 2)


async def test_errors_that_are_not_named_end_the_call() -> None:
    harness = Harness(ValueError("no"), "ok")
    with pytest.raises(ValueError, match="no"):
        await harness.run(RetryPolicy())
    assert harness.calls == 1


async def test_what_the_server_asks_for_is_never_undercut_nor_capped() -> None:
    harness = Harness(RateLimited("slow", 30.0), RateLimited("slow", None), RateLimited("slow", 0.0), "ok")
    await harness.run(RetryPolicy(first_delay=1, max_delay=4))
    assert harness.pauses == [30.0, 1.0, 0.0]


async def test_no_attempt_starts_after_the_deadline() -> None:
    harness = Harness(*[DOWN] * 10, attempt_seconds=4)
    with pytest.raises(AdapterUnavailable):
        await harness.run(RetryPolicy(attempts=10, first_delay=2, max_delay=2, deadline=9))
    assert (harness.calls, harness.pauses) == (2, [1.0])


async def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    harness = Harness(RateLimited("slow", 11.0), "ok")
    with pytest.raises(RateLimited):
        await harness.run(RetryPolicy(deadline=10))
    assert harness.pauses == []


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 100))
def test_a_pause_lies_between_its_bounds(failures: int, chance: float, asked: float | None) -> None:
    policy = RetryPolicy(first_delay=0.5, max_delay=8)
    pause = policy.pause(failures, chance, asked)
    low = min(8, 0.5 * 2 ** min(failures - 1, 10)) / 2
    assert (low if asked is None else asked) <= pause <= (0 if asked is None else asked) + 2 * low


@pytest.mark.parametrize(
    "wrong",
    [{"attempts": 0}, {"first_delay": -1}, {"first_delay": 9}, {"deadline": 0}, {"deadline": float("nan")}],
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        RetryPolicy(**wrong)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60.0),
        ({"retry-after": "Wed, 31 Dec 2025 00:00:00 -0000"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after-ms": "soon", "retry-after": "3"}, 3.0),
    ],
)
def test_reading_what_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


def test_the_blocking_form_does_the_same() -> None:
    harness = Harness(*[DOWN] * 6, "ok")
    assert harness.run_blocking(RetryPolicy(attempts=7, first_delay=1, max_delay=4)) == "ok"
    assert harness.pauses == [0.5, 1.0, 2.0, 2.0, 2.0, 2.0]
    harness = Harness(RateLimited("slow", 600.0), "ok")
    with pytest.raises(RateLimited):
        harness.run_blocking(RetryPolicy(deadline=500.0))
    assert harness.pauses == []


def test_the_deadline_may_be_that_of_a_larger_whole() -> None:
    policy = RetryPolicy(first_delay=1, deadline=10.0)
    harness = Harness(DOWN, "ok")
    assert harness.run_blocking(policy, since=harness.now - 9.0) == "ok"
    harness = Harness(DOWN, "ok")
    with pytest.raises(AdapterUnavailable):
        harness.run_blocking(policy, since=harness.now - 9.9)
