"""``axon demo --config FILE`` on real servers: three tiers in three backends, and nothing left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from axon import MemoryConfig
from axon.core.clock import SystemClock
from axon.core.registry import build_adapter
from tests.cli.running import demo, section, write_notes
from tests.servers import chroma_server, qdrant_server, redis_server
from tests.servers.process import free_port

# The contract server speaks plain HTTP.
pytestmark = pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection:UserWarning")

CONFIG = """
[ephemeral]
adapter_type = "redis"
adapter_config = { url = "redis://${AXON_TEST_REDIS}", namespace = "NAME" }

[session]
adapter_type = "qdrant"
adapter_config = { url = "${AXON_TEST_QDRANT}", api_key = "${AXON_TEST_KEY}", collection_name = "NAME", timeout = 60 }

[persistent]
adapter_type = "chroma"
adapter_config = { host = "127.0.0.1", port = "${AXON_TEST_CHROMA}", collection_name = "NAME", timeout = 60 }
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    variables = {
        "AXON_TEST_REDIS": redis_server.plain().url.removeprefix("redis://"),
        "AXON_TEST_QDRANT": qdrant_server.shared_server().url,
        "AXON_TEST_CHROMA": str(chroma_server.shared_server().port),
        "AXON_TEST_KEY": f"key-{uuid4().hex}",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    name = f"test-{uuid4().hex}"
    path = tmp_path / "memory.toml"
    path.write_text(CONFIG.replace("NAME", name), encoding="utf-8")
    yield path
    chroma_server.shared_server().drop(name)
    qdrant_server.shared_server().drop(name)


async def namespaces(path: Path) -> list[list[str]]:
    """What each tier still holds."""
    found = []
    for policy in MemoryConfig.from_file(path).tiers:
        adapter = build_adapter(policy, SystemClock())
        await adapter.open()
        found.append(await adapter.namespaces())
        await adapter.aclose()
    return found


def test_three_tiers_on_three_servers(config: Path, environment: dict[str, str]) -> None:
    run = demo("--config", config, "--limit", "28", "-k", "2")
    assert run.returncode == 0, run.stderr + run.stdout
    stored, compared, reopened = (section(run.stdout, number) for number in (1, 3, 4))
    flat = " ".join(stored.split())
    assert "ephemeral in redis (Redis" in flat
    assert "session in qdrant (Qdrant server)" in flat
    assert "persistent in chroma (Chroma" in flat
    assert "recall = LangChain = LlamaIndex: all agree" in compared
    assert "both processes ask what outlives them: ephemeral, session, persistent" in reopened
    found = "ephemeral [1-9][0-9]*, session [1-9][0-9]*, persistent [1-9][0-9]*"
    assert re.search(f"opened the memory and found: {found}", reopened)
    assert reopened.count("yes") >= 3
    assert "NO" not in compared + reopened
    asked = [
        each
        for each in qdrant_server.shared_server().requests()
        if each["key"] == environment["AXON_TEST_KEY"]
    ]
    assert asked, "the key came from the environment"
    assert environment["AXON_TEST_KEY"] not in run.stdout + run.stderr
    assert asyncio.run(namespaces(config)) == [[], [], []], "the demo's namespace was cleared"


def test_what_is_kept_is_named(config: Path, environment: dict[str, str], tmp_path: Path) -> None:
    notes = write_notes(tmp_path / "notes")
    run = demo("--config", config, "--input", notes, "--keep", "--local")
    assert run.returncode == 0, run.stderr
    name = run.stdout.split()[-1].rstrip(".")
    assert name.startswith("axon-demo-")
    # None of the notes has the importance of the session tier.
    assert asyncio.run(namespaces(config)) == [[name], [], [name]]


def test_a_server_that_is_not_there_is_an_error_without_a_secret(
    config: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    run = demo(
        "--config", config, "--input", write_notes(tmp_path / "notes"),
        AXON_TEST_REDIS=f":s3cret@127.0.0.1:{free_port()}",
    )  # fmt: skip
    assert run.returncode == 1
    assert "axon demo: " in run.stderr
    assert "Traceback" not in run.stderr
    assert "s3cret" not in run.stdout + run.stderr
    assert environment["AXON_TEST_KEY"] not in run.stdout + run.stderr
