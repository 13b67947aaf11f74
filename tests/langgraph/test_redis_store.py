"""The store suite on Redis, plain and with the search module; time passes by the server's clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import SessionPolicy
from axon.core.portal import run_blocking
from axon.testing import LangGraphStoreSuite, StoreFactory
from axon_integrations.langgraph import AxonStore
from tests.servers import redis_server


class RedisStoreSuite(LangGraphStoreSuite):
    lifetime = 0.03

    def url(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def make_store(self) -> Iterator[StoreFactory]:
        memories: list[MemorySystem] = []

        def make(**keywords: Any) -> AxonStore:
            options = {"url": self.url(), "namespace": f"test {uuid4().hex}"}
            config = MemoryConfig(session=SessionPolicy(adapter_type="redis", adapter_config=options))
            memories.append(MemorySystem(config))
            return AxonStore(memories[-1], **keywords)

        yield make
        for memory in memories:
            run_blocking(memory.aclose())


class TestRedisPlain(RedisStoreSuite):
    def url(self) -> str:
        return redis_server.plain().url


class TestRedisWithSearch(RedisStoreSuite):
    def url(self) -> str:
        return redis_server.with_search().url
