"""The conformance suite on Redis: a plain server, one with the search module, and a cluster.

The server expires entries by its own clock, so the suite's clock runs with it, and letting time pass means waiting.
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
from axon.testing.entries import START_US
from tests.servers import redis_server


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


class RedisSuite(AdapterSuite):
    """What the subclasses share; each names a server."""

    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def clock(self, request: pytest.FixtureRequest) -> ManualClock:
        # That fixture and its tests compare two readings of the clock, and let nothing expire.
        return ManualClock(START_US) if "reopened" in request.fixturenames else RunningClock()

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


class TestRedisCluster(RedisSuite):
    backend = "redis-cluster"

    def url(self) -> str:
        return redis_server.cluster()[0].url


class TestRedisWithSearch(RedisSuite):
    backend = "redis-search"

    def url(self) -> str:
        return redis_server.with_search().url
