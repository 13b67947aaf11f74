"""Every Python block of the performance guide runs as it is written there.

Nothing of Axon is patched. Sockets refuse to connect, so a configuration for a server is built and validated,
and nothing more.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import socket
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from axon.core.config import MemoryConfig
from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.embedders.hashing import HashingEmbedder
from tests.docs.blocks import Block, find_blocks, run

PAGE = Path(__file__).parent / "spec" / "performance.md"
DIGEST = "bdd6081b959049119747ec040f4caa6ff4500d7fc5c95b547b5a62edef145db8"
BLOCKS = [block for block in find_blocks(PAGE) if block.language == "python"]

TEXTS = ["the first text", "another text", "a third one"]
Check = Callable[[dict[str, Any], str], object]
"""Looks at the names after a block and at what it printed; may be a coroutine function."""


@pytest.fixture
async def names() -> AsyncIterator[dict[str, Any]]:
    """What the blocks presuppose: a memory with something in it, texts, a query, an embedder, the imports."""
    memory = MemorySystem(MemoryConfig.in_memory())
    await memory.store("a query about technology", importance=0.9, tags=["category:tech", "specific"])
    await memory.store("a query about now", importance=0.1)
    namespace: dict[str, Any] = {
        "memory": memory,
        "config": MemoryConfig.in_memory(),
        "embedder": HashingEmbedder(),
        "texts": list(TEXTS),
        "text": "a text seen before",
        "query": "query",
        "Filter": Filter,
        "MemoryConfig": MemoryConfig,
        "EphemeralPolicy": EphemeralPolicy,
        "SessionPolicy": SessionPolicy,
        "PersistentPolicy": PersistentPolicy,
    }
    yield namespace
    for made in {memory, namespace["memory"]}:
        await made.aclose()


@pytest.fixture(autouse=True)
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a block of the guide tried to connect")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An empty folder to work in, a key that opens nothing, and stand-ins for packages that are not ours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "no-key")
    monkeypatch.setitem(sys.modules, "schedule", schedule_stand_in())
    if importlib.util.find_spec("sentence_transformers") is None:
        # The guide makes the embedder and does not embed; the real package would bring torch, 1.5 GB.
        (tmp_path / "sentence_transformers.py").touch()
        monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("sentence_transformers", None)


def schedule_stand_in() -> ModuleType:
    """As much of the package ``schedule`` as the guide uses to call a function of its own."""

    class Job:
        def __init__(self, interval: int) -> None:
            self.interval, self.minutes = interval, self

        def do(self, function: Callable[[], None]) -> None:
            jobs.append((self.interval, function))

    jobs: list[tuple[int, Callable[[], None]]] = []
    module = ModuleType("schedule")
    vars(module).update(every=Job, jobs=jobs)
    return module


async def stored_once(names: dict[str, Any], _: str) -> None:
    assert [await names["memory"].count(filter={"importance": 0.8})] == [1]


async def stored_twice(names: dict[str, Any], _: str) -> None:
    assert await names["memory"].count() == 2 + 2 * len(TEXTS)


def recalled(names: dict[str, Any], _: str) -> None:
    assert [result.entry.importance for result in names["results"]] == [0.9]


def from_ephemeral(names: dict[str, Any], _: str) -> None:
    assert [result.tier for result in names["results"]] == [Tier.EPHEMERAL]


async def memory_cache(names: dict[str, Any], _: str) -> None:
    cached = names["get_cached_embedding"]
    assert cached(names["text"]) is names["embedding"], "the second call is served from the cache"
    await names["memory"].store("under the same vector", embedding=cached(names["text"]))
    found = await names["memory"].recall(names["text"], mode="vector", k=2)
    assert [round(result.similarity, 5) for result in found] == [1.0, 1.0]


async def disk_cache(names: dict[str, Any], _: str) -> None:
    file: Path
    (file,) = names["cache"].cache_dir.iterdir()
    assert file.parent == Path(".embedding_cache")
    assert json.loads(file.read_text()) == names["embedding"] == await names["embedder"].embed(names["text"])
    file.write_text(json.dumps([*names["embedding"][:-1], 9.0]))
    again = await names["cache"].get_embedding(names["text"], names["embedder"])
    assert again[-1] == 9.0, "the second call is served from the file"
    await names["memory"].store(names["text"], embedding=again, id="cached")
    assert (await names["memory"].get("cached")) is not None


def option(tier: str, key: str, value: object) -> Check:
    def check(names: dict[str, Any], _: str) -> None:
        policy = getattr(names["config"], tier)
        assert policy.adapter_config[key] == value

    return check


def local_model(names: dict[str, Any], _: str) -> None:
    assert names["embedder"].spec.model == "all-MiniLM-L6-v2"
    assert names["OpenAIEmbedder"]().spec.dims == 1536
    assert "torch" not in sys.modules, "making the embedder loads no model"


def batch_of_vectors(names: dict[str, Any], _: str) -> None:
    assert [len(row) for row in names["embeddings"]] == [384] * len(TEXTS)


def thresholds(names: dict[str, Any], _: str) -> None:
    policies = names["config"].tiers
    assert [policy.compaction_threshold for policy in policies] == [1000, 10000, 100000]
    assert [policy.compaction_batch_size for policy in policies] == [100, 500, 1000]


def scheduled(names: dict[str, Any], _: str) -> None:
    ((interval, job),) = names["schedule"].jobs
    assert interval == 5
    job()


def rates(names: dict[str, Any], printed: str) -> None:
    assert "Store: 1000 ops" in printed
    assert "Recall: 1000 ops" in printed


async def no_errors(names: dict[str, Any], printed: str) -> None:
    assert "Errors: 0" in printed
    assert await names["memory"].count() > 2


def comments_only(names: dict[str, Any], _: str) -> None:
    assert isinstance(names["memory"], MemorySystem)


def two_results(names: dict[str, Any], _: str) -> None:
    assert len(names["results"]) == 2


def no_options(names: dict[str, Any], _: str) -> None:
    assert names["adapter_config"] == {}


def overkill(names: dict[str, Any], _: str) -> None:
    assert names["config"].tiers[0].adapter_type == "pinecone"


async def logged(names: dict[str, Any], _: str) -> None:
    entry = await names["store_with_monitoring"](names["memory"], "watched")
    assert await names["memory"].get(entry) is not None


CHECKS: dict[str, Check] = {
    "Profiling": stored_once,
    "1. Batch Operations": stored_twice,
    "2. Connection Pooling": option("session", "max_connections", 50),
    "3. Query Optimization": recalled,
    "4. Caching": memory_cache,
    "5. Async Operations": stored_twice,
    "InMemory Adapter": comments_only,
    "Redis Adapter": option("session", "namespace", "axon:session"),
    "Qdrant Adapter": option("persistent", "timeout", 60),
    "Pinecone Adapter": option("persistent", "index_name", "memories"),
    "Use Local Embedders": local_model,
    "Batch Embeddings": batch_of_vectors,
    "Cache Embeddings": disk_cache,
    "Set Compaction Thresholds": thresholds,
    "Monitor Memory Usage": scheduled,
    "Use Filters": recalled,
    "Limit Result Count": two_results,
    "Use Appropriate Tier": from_ephemeral,
    "Benchmark Script": rates,
    "Stress Testing": no_errors,
    "1. Use Appropriate Adapters": overkill,
    "2. Enable Connection Pooling": no_options,
    "3. Monitor Performance": logged,
}
WARNINGS: dict[str, str] = {"1. Use Appropriate Adapters": "pinecone"}


def test_the_document_is_as_its_author_wrote_it() -> None:
    digest = hashlib.sha256(PAGE.read_bytes()).hexdigest()
    assert digest == DIGEST, "a formatter has rewritten the blocks, or the document has a new version"


def test_every_block_has_a_check() -> None:
    assert len(BLOCKS) == 23
    assert [block.heading for block in BLOCKS] == list(CHECKS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.heading)
async def test_block(block: Block, names: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code = block.code
    if block.heading == "Stress Testing":
        # As written the block runs for a minute. Its function is run as written; only the call is shorter.
        assert code.count("duration_seconds=60)\n") == 1
        code = code.replace("duration_seconds=60)\n", "duration_seconds=1)\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await run(code, block.name, names)
    expected = WARNINGS.get(block.heading)
    assert bool(caught) == bool(expected), [str(warning.message) for warning in caught]
    assert all(str(expected) in str(warning.message) for warning in caught)
    outcome = CHECKS[block.heading](names, capsys.readouterr().out)
    if inspect.iscoroutine(outcome):
        await outcome
