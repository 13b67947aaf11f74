"""The conformance suite on Redis: a plain server, one with the search module, and a cluster.

The server expires entries by its own clock, so the suite's clock runs with it, and letting time pass means waiting.
"""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from axon.adapters.redis import RedisAdapter
from axon.core.adapter_options import RedisOptions
from axon.core.clock import ManualClock
from axon.testing import AdapterFactory, AdapterSuite
from axon.testing.entries import START_US
from tests.servers import redis_server
from tests.servers.running_clock import RunningClock


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
