from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from axon.core.portal import run_blocking
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings

CONFIGS: dict[str, Callable[[Path], MemoryConfig]] = {
    "memory": lambda path: MemoryConfig(persistent=PersistentPolicy()),
    "sqlite": lambda path: MemoryConfig(
        persistent=PersistentPolicy(adapter_type="sqlite", adapter_config={"path": str(path)})
    ),
    "tiered": MemoryConfig.local,
}


@pytest.fixture(params=CONFIGS)
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemorySystem]:
    system = MemorySystem(CONFIGS[request.param](tmp_path / "axon.db"))
    yield system
    run_blocking(system.aclose())


@pytest.fixture
def tiers() -> Iterator[MemorySystem]:
    """Three tiers, whatever else the test is about."""
    system = MemorySystem(MemoryConfig.in_memory())
    yield system
    run_blocking(system.aclose())


@pytest.fixture
def embedding() -> PlaneEmbeddings:
    return PlaneEmbeddings()


@pytest.fixture
def store(memory: MemorySystem, embedding: PlaneEmbeddings) -> AxonVectorStore:
    return AxonVectorStore(memory, embedding)
