from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from tests.backends.catalogue import BACKENDS, CONFIGURATIONS, NETWORK, Backend
from tests.langchain.planes import PlaneEmbeddings


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend, those in this process included."""
    return BACKENDS[request.param]


@pytest.fixture(params=[backend.name for backend in NETWORK])
def network_backend(request: pytest.FixtureRequest) -> Backend:
    """Each backend that needs a client package."""
    return BACKENDS[request.param]


@pytest.fixture(params=CONFIGURATIONS)
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemorySystem]:
    """A memory with one tier in each networked backend, and one with three tiers in three of them."""
    with CONFIGURATIONS[request.param](tmp_path) as config:
        system = MemorySystem(config)
        yield system
        run_blocking(system.aclose())


@pytest.fixture
def embedding() -> PlaneEmbeddings:
    return PlaneEmbeddings()
