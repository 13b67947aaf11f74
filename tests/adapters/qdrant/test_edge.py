"""Qdrant's embedded engine in this process: one process per folder, its own folder, nothing lost when it is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from qdrant_client.models import PointStruct

from axon.adapters._qdrant import edge_store
from axon.adapters._qdrant.edge_store import EdgeStore
from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions, read_options
from axon.core.errors import AdapterUnavailable, ConfigError, MissingDependencyError
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest
from axon.testing.entries import make_entry

NS = "n"
KILLED_AFTER = 300

WRITER = """
import asyncio, itertools, sys
import numpy as np
from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.testing.entries import make_entry

async def main():
    adapter = QdrantAdapter(QdrantOptions(path=sys.argv[1], engine="edge"))
    await adapter.open()
    for n in itertools.count():
        await adapter.put_many("n", [make_entry(f"{n}", embedding=[n, 1]), make_entry(f"text {n}")])
        print(n, flush=True)

asyncio.run(main())
"""

OPENER = """
import asyncio, sys
from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.errors import AdapterUnavailable
try:
    asyncio.run(QdrantAdapter(QdrantOptions(path=sys.argv[1], engine="edge")).open())
except AdapterUnavailable as error:
    print(error)
"""


def at(folder: Path) -> QdrantAdapter:
    return QdrantAdapter(QdrantOptions(path=str(folder), engine="edge"))


@pytest.fixture
async def adapter(tmp_path: Path) -> AsyncIterator[QdrantAdapter]:
    adapter = at(tmp_path)
    await adapter.open()
    yield adapter
    await adapter.aclose()


def acknowledged_until_killed(folder: Path) -> list[str]:
    """Let a process write until it has acknowledged enough, kill it, and return all that it acknowledged."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    with writer.stdout as said:
        heard = [said.readline() for _ in range(KILLED_AFTER)]
        writer.kill()
        # Not the last line, which may be torn.
        heard += said.read().splitlines(keepends=True)[:-1]
    assert writer.wait(60) == -signal.SIGKILL
    assert len(heard) >= KILLED_AFTER
    return [line.strip() for line in heard]


def said_by_a_second_process(folder: Path) -> str:
    command = [sys.executable, "-c", OPENER, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    acknowledged = acknowledged_until_killed(tmp_path)
    adapter = at(tmp_path)
    await adapter.open()
    for kind in ("", "text "):
        found = await adapter.get_many(NS, [kind + number for number in acknowledged])
        assert [number for number, entry in zip(acknowledged, found, strict=True) if entry is None] == []
    await adapter.aclose()


async def test_a_second_process_is_refused(adapter: QdrantAdapter, tmp_path: Path) -> None:
    assert "another process" in said_by_a_second_process(tmp_path)


async def test_adapters_of_one_process_share_a_folder(adapter: QdrantAdapter, tmp_path: Path) -> None:
    await adapter.put_many(NS, [make_entry("a", embedding=[1, 0])])
    other = at(tmp_path)
    await other.open()
    assert (await other.get_many(NS, ["a"]))[0] is not None
    await other.aclose()
    assert await adapter.count(NS, EVERYTHING) == 1


async def test_neither_engine_opens_what_the_other_wrote(tmp_path: Path) -> None:
    for first, second in (("edge", "client"), ("client", "edge")):
        path = str(tmp_path / first)
        written = QdrantAdapter(read_options("qdrant", {"path": path, "engine": first}))
        refused = QdrantAdapter(read_options("qdrant", {"path": path, "engine": second}))
        await written.open()
        await written.put_many(NS, [make_entry("a", embedding=[1, 0])])
        with pytest.raises(ConfigError, match=f"engine='{first}'"):
            await refused.open()
        await written.aclose()
        with pytest.raises(ConfigError, match=f"engine='{first}'"):
            await refused.open()


async def test_a_collection_that_was_not_made_to_the_end_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / edge_store.FOLDER / "axon_2" / "shard").mkdir(parents=True)
    adapter = at(tmp_path)
    await adapter.open()
    await adapter.put_many(NS, [make_entry("a", embedding=[1, 0])])
    query = SearchRequest(EVERYTHING, 1, np.array([1, 0], np.float32))
    assert (await adapter.search_many(NS, [query]))[0][0].entry.id == "a"
    await adapter.aclose()


def test_the_log_is_written_to_its_place_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge_store, "FLUSH_AFTER", 10)
    store = EdgeStore(str(tmp_path))
    store.create_collection("c", {})
    for number, unflushed in ((6, 6), (3, 9), (3, 0), (1, 1)):
        points = [PointStruct(id=str(uuid4()), vector={}, payload={}) for _ in range(number)]
        store.upsert("c", points, wait=True)
        assert store.unflushed == unflushed
    store.close()


async def test_stats_name_the_engine(adapter: QdrantAdapter) -> None:
    stats = await adapter.stats()
    assert (stats.backend, stats.details["exact"]) == ("Qdrant's embedded engine", True)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"engine": "edge"}, "needs a path"),
        ({"engine": "edge", "url": "http://localhost"}, "needs a path"),
        ({"engine": "edge", "path": "p", "hnsw_ef": 10}, "no index"),
        ({"engine": "edge", "path": "p", "hnsw": {"m": 4}}, "no index"),
        ({"engine": "edge", "path": "p", "quantization": {"scalar": {"type": "int8"}}}, "no index"),
    ],
)
def test_options_that_would_do_nothing_are_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        read_options("qdrant", options)


def test_the_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.adapters.qdrant.find_spec", lambda name: name != "qdrant_edge" or None)
    with pytest.raises(MissingDependencyError, match=r"axon-integrations\[qdrant-edge\]"):
        QdrantAdapter(QdrantOptions(path="p", engine="edge"))
    QdrantAdapter(QdrantOptions(path="p"))


async def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AdapterUnavailable):
        await at(tmp_path / "file" / "below").open()
