"""The conformance suite on Redis: a plain server, one with the search module, and a cluster.

The server expires entries by its own clock, so this clock runs, and letting time pass means waiting.
"""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import pytest

from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import RedisOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from tests.servers import redis_server


class RunningClock(ManualClock):
    """The clock of the machine, in the shape that the suite takes."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def advance(self, seconds: float) -> None:
        raise AssertionError("this clock cannot be moved; wait with elapse()")


class RedisSuite(AdapterSuite):
    """What the subclasses share; each names a server."""

    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def clock(self) -> ManualClock:
        return RunningClock()

    async def elapse(self, clock: ManualClock, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @pytest.fixture
    def make_adapter(self, clock: ManualClock) -> AdapterFactory:
        options = RedisOptions(url=self.url(), namespace=f"test {uuid4().hex}")
        return lambda: RedisAdapter(options, clock=clock)


class TestRedisPlain(RedisSuite):
    backend = "redis-plain"

    def url(self) -> str:
        return redis_server.plain().url
