"""What two processes on one backend see of each other: the promises of docs/scaling.md."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon.core.clock import SystemClock
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest
from axon.core.policies import PersistentPolicy
from axon.core.ports import StorageAdapter
from axon.core.registry import build_adapter
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of
from tests.backends.catalogue import BACKENDS
from tests.backends.other_process import NAMESPACE, touch

ROOT = Path(__file__).resolve().parents[2]
SHARED = [
    "sqlite",
    "redis-plain",
    "redis-search",
    "redis-cluster",
    "chroma-server",
    "qdrant-rest",
    "qdrant-grpc",
    "pinecone-contract",
]
EXCLUSIVE = ["chroma-embedded", "qdrant-local"]
COUNTS_EXACTLY = {"redis-plain", "redis-search", "redis-cluster"}
TOUCHES = 40


class OtherProcess:
    """A second process that has the same backend open."""

    def __init__(self, adapter_type: str, options: dict[str, Any]) -> None:
        path = os.pathsep.join([str(ROOT / "core"), str(ROOT), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.backends.other_process", adapter_type, json.dumps(options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        self.greeting = self.hear()

    def hear(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the other process ended"
        return json.loads(line)

    async def asks(self, *words: Any) -> Any:
        """Let it do something, and wait for the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return await asyncio.to_thread(self.hear)

    def close(self) -> None:
        self.process.communicate(timeout=60)


@contextmanager
def other(adapter_type: str, options: dict[str, Any]) -> Iterator[OtherProcess]:
    process = OtherProcess(adapter_type, options)
    try:
        yield process
    finally:
        process.close()


async def opened(adapter_type: str, options: dict[str, Any]) -> StorageAdapter:
    policy = PersistentPolicy(adapter_type=adapter_type, adapter_config=options)
    adapter = build_adapter(policy, SystemClock())
    await adapter.open()
    return adapter


async def near(adapter: StorageAdapter) -> list[str]:
    request = SearchRequest(EVERYTHING, 10, np.array([1, 0], np.float32))
    return sorted(ids_of((await adapter.search_many(NAMESPACE, [request]))[0]))


@pytest.mark.parametrize("name", SHARED)
async def test_each_sees_what_the_other_was_acknowledged(name: str, tmp_path: Path) -> None:
    backend = BACKENDS[name]
    with backend.place(tmp_path) as options:
        adapter = await opened(backend.adapter_type, options)
        with other(backend.adapter_type, options) as second:
            assert second.greeting == "open"
            await adapter.put_many(NAMESPACE, [make_entry("mine", embedding=[1, 0])])
            assert await near(adapter) == ["mine"]
            assert await second.asks("ids") == ["mine"]
            await second.asks("put", ["theirs", "gone"])
            assert await near(adapter) == ["gone", "mine", "theirs"]
            assert await second.asks("delete", ["gone", "mine"]) == 2
            assert await near(adapter) == ["theirs"]
            assert await adapter.count(NAMESPACE, EVERYTHING) == 1
            assert [entry is None for entry in await adapter.get_many(NAMESPACE, ["mine", "theirs"])] == [
                True,
                False,
            ]
        await adapter.aclose()


@pytest.mark.parametrize("name", SHARED)
async def test_accesses_counted_by_two_at_once(name: str, tmp_path: Path) -> None:
    backend = BACKENDS[name]
    with backend.place(tmp_path) as options:
        adapter = await opened(backend.adapter_type, options)
        await adapter.put_many(NAMESPACE, [make_entry("a", embedding=[1, 0])])
        with other(backend.adapter_type, options) as second:
            await asyncio.gather(second.asks("touch", "a", TOUCHES), touch(adapter, "a", TOUCHES))
        (entry,) = await adapter.get_many(NAMESPACE, ["a"])
        await adapter.aclose()
    assert entry is not None
    if name in COUNTS_EXACTLY:
        assert entry.access_count == 2 * TOUCHES
    else:
        assert 0 < entry.access_count <= 2 * TOUCHES


@pytest.mark.parametrize("name", EXCLUSIVE)
async def test_a_folder_of_an_embedded_engine_belongs_to_one_process(name: str, tmp_path: Path) -> None:
    backend = BACKENDS[name]
    with backend.place(tmp_path) as options:
        adapter = await opened(backend.adapter_type, options)
        await adapter.put_many(NAMESPACE, [make_entry("a", embedding=[1, 0])])
        with other(backend.adapter_type, options) as second:
            assert second.greeting.startswith(("ConfigError: ", "AdapterUnavailable: ", "AdapterError: "))
            assert str(tmp_path) in second.greeting
        await adapter.aclose()
