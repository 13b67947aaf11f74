"""Memories to run every test on, and a LlamaIndex that never reaches for the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from llama_index.core import Settings
from llama_index.core.llms import MockLLM

from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.helpers import WordEmbedding

CONFIGS: dict[str, Callable[[Path], MemoryConfig]] = {
    "memory": lambda folder: MemoryConfig(persistent=PersistentPolicy()),
    "sqlite": lambda folder: MemoryConfig(
        persistent=PersistentPolicy(adapter_type="sqlite", adapter_config={"path": str(folder / "one.db")})
    ),
    "three-tiers": lambda folder: MemoryConfig.local(folder / "three.db"),
}


@pytest.fixture(autouse=True)
def offline_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default tokenizer, model and embedding would be downloaded or would need a key."""
    monkeypatch.setattr("llama_index.core.global_tokenizer", str.split)
    monkeypatch.setattr(Settings, "_tokenizer", str.split)
    monkeypatch.setattr(Settings, "_llm", MockLLM())
    monkeypatch.setattr(Settings, "_embed_model", WordEmbedding())
    monkeypatch.setattr(Settings, "_node_parser", None)
    monkeypatch.setattr(Settings, "_transformations", None)


@pytest.fixture(params=CONFIGS)
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MemorySystem]:
    made = MemorySystem(CONFIGS[request.param](tmp_path))
    yield made
    run_blocking(made.aclose())


@pytest.fixture
def store(memory: MemorySystem) -> AxonVectorStore:
    return AxonVectorStore(memory)


@pytest.fixture
def in_process() -> Iterator[MemorySystem]:
    """Three tiers without any file, for what does not depend on the adapter."""
    made = MemorySystem(MemoryConfig.in_memory())
    yield made
    run_blocking(made.aclose())
