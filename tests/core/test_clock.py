"""Time as a dependency."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.clock import EPOCH, ManualClock, SystemClock, to_datetime, to_us
from axon.core.errors import InvalidInputError

moments = st.datetimes(
    timezones=st.just(UTC) | st.integers(-14, 14).map(lambda h: timezone(timedelta(hours=h)))
)


def test_the_system_clock_tells_the_time_of_the_machine() -> None:
    before, now, after = time.time_ns() // 1000, SystemClock().now_us(), time.time_ns() // 1000
    assert before <= now <= after


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(5)
    assert [clock.now_us(), clock.now_us()] == [5, 5]
    clock.advance(1.5)
    assert clock.now_us() == 1_500_005
    clock.advance(0.000001)
    assert clock.now_us() == 1_500_006
    clock.advance(0)
    assert clock.now_us() == 1_500_006


def test_a_manual_clock_does_not_go_back() -> None:
    clock = ManualClock()
    with pytest.raises(InvalidInputError, match="forward"):
        clock.advance(-0.001)


@given(moments)
def test_every_moment_survives_the_way_there_and_back(moment: datetime) -> None:
    back = to_datetime(to_us(moment))
    assert back == moment
    assert back.utcoffset() == timedelta(0)


@given(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999))
def test_every_microsecond_survives_the_way_there_and_back(us: int) -> None:
    assert to_us(to_datetime(us)) == us


def test_a_naive_moment_is_read_as_utc() -> None:
    assert to_us(datetime(1970, 1, 1, 0, 0, 1)) == 1_000_000  # noqa: DTZ001 - the naive case is what is tested
    assert to_us(EPOCH) == 0
    assert to_us(EPOCH - timedelta(microseconds=1)) == -1
