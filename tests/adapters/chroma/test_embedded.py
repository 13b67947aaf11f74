"""What the conformance suite does not cover of Chroma's embedded form."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb import Collection
from chromadb.api.client import Client

from axon.adapters._chroma.shelf import Shelf
from axon.adapters.chroma import ChromaAdapter
from axon.core.adapter_options import ChromaOptions
from axon.core.clock import to_datetime
from axon.core.errors import (
    AdapterError,
    AdapterUnavailable,
    ConfigError,
    CorruptEntryError,
    EmbeddingMismatchError,
    MissingDependencyError,
)
from axon.core.filter.ast import EVERYTHING, Field, Gt
from axon.core.models import MemoryEntry, SearchRequest
from axon.core.policies import PersistentPolicy

NS = "n"


def entry(id: str, **fields: Any) -> MemoryEntry:
    return MemoryEntry("text", id=id, created_at=to_datetime(1_700_000_000_000_000), **fields)


@pytest.fixture
async def adapter(tmp_path: Path) -> AsyncIterator[ChromaAdapter]:
    adapter = ChromaAdapter(ChromaOptions(path=str(tmp_path)))
    await adapter.open()
    yield adapter
    await adapter.aclose()


def collections_of(adapter: ChromaAdapter) -> Any:
    return adapter._session._connection.client  # type: ignore[union-attr]


async def test_concurrent_writes_are_joined(adapter: ChromaAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    upsert = Shelf.upsert

    def counted(self: Shelf, ids: list[str], *rest: Any) -> None:
        sizes.append(len(ids))
        upsert(self, ids, *rest)

    monkeypatch.setattr(Shelf, "upsert", counted)
    await asyncio.gather(*(adapter.put_many(NS, [entry(f"{n}")]) for n in range(300)))
    assert sum(sizes) == 300
    assert len(sizes) <= 10


async def test_a_batch_beyond_the_limit_of_chroma_is_split(adapter: ChromaAdapter) -> None:
    await adapter.put_many(NS, [entry(f"{n}", embedding=[1.0, n]) for n in range(5_462)])
    assert await adapter.count(NS, EVERYTHING) == 5_462


async def test_numbers_of_an_older_version_vanish(adapter: ChromaAdapter) -> None:
    await adapter.put_many(NS, [entry("a", metadata={"x": 5, "y": 1}, embedding=[1, 0])])
    await adapter.put_many(NS, [entry("a", metadata={"y": 2}, embedding=[1, 0])])
    assert await adapter.count(NS, Gt(Field("x", is_metadata=True), 1)) == 0
    raw = collections_of(adapter).list_collections()[0].get(include=["metadatas"])["metadatas"][0]
    assert {key for key in raw if key.startswith("n:")} == {"n:y"}


async def test_an_entry_has_as_few_keys_and_tokens_as_its_filters_need(adapter: ChromaAdapter) -> None:
    plain = entry("a", tags=["red"], metadata={"source": "web", "year": 2020}, embedding=[1, 0])
    ends = entry("b", expires_at=to_datetime(4_000_000_000_000_000), embedding=[2, 0])
    await adapter.put_many(NS, [plain, ends])
    found = collections_of(adapter).list_collections()[0].get(ids=["a", "b"], include=["metadatas"])
    keys = {id: set(metadata) for id, metadata in zip(found["ids"], found["metadatas"], strict=True)}
    always = {"payload", "tokens", "importance", "created_at"}
    assert keys == {"a": {*always, "n:year"}, "b": {*always, "expires_at", "vector"}}
    assert len(found["metadatas"][found["ids"].index("a")]["tokens"]) == 6


async def test_what_an_older_version_had_beyond_the_new_one_vanishes(adapter: ChromaAdapter) -> None:
    later = to_datetime(4_000_000_000_000_000)
    old = entry(
        "a", expires_at=later, updated_at=later, access_count=3, last_accessed_at=later, embedding=[2, 0]
    )
    await adapter.put_many(NS, [old])
    new = entry("a", embedding=[1, 0])
    await adapter.put_many(NS, [new])
    assert await adapter.get_many(NS, ["a"]) == [new]
    raw = collections_of(adapter).list_collections()[0].get(include=["metadatas"])["metadatas"][0]
    assert set(raw) == {"payload", "tokens", "importance", "created_at"}


class Calls:
    """What Chroma's collections are asked, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        for name in ("get", "query", "upsert", "count", "delete"):
            monkeypatch.setattr(Collection, name, self._noted(name, getattr(Collection, name)))
        find = Client.get_collection
        monkeypatch.setattr(Client, "get_collection", self._noted("find", find))

    def _noted(self, name: str, original: Any) -> Any:
        def call(asked: Any, *args: Any, **kwargs: Any) -> Any:
            self.names.append(name)
            return original(asked, *args, **kwargs)

        return call


async def test_a_new_collection_is_read_before_it_is_written(
    adapter: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
    assert calls.names.index("get") < calls.names.index("upsert")


async def test_a_search_is_one_question(adapter: ChromaAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    await adapter.put_many(NS, [entry(f"{n}", embedding=[1, n]) for n in range(20)])
    query = np.array([1, 0], np.float32)
    await adapter.search_many(NS, [SearchRequest(EVERYTHING, 10, query)])
    calls = Calls(monkeypatch)
    await adapter.search_many(NS, [SearchRequest(EVERYTHING, 10, query)] * 3)
    assert calls.names == ["query"]


async def test_a_namespace_filled_anew_by_another_adapter_is_noticed(
    adapter: ChromaAdapter, tmp_path: Path
) -> None:
    await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
    query = np.array([1, 0], np.float32)
    await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, query)])
    other = ChromaAdapter(ChromaOptions(path=str(tmp_path)))
    await other.open()
    await other.clear(NS)
    await other.put_many(NS, [entry("b", embedding=[1, 0, 0])])
    hits = await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, np.array([1, 0, 0], np.float32))])
    assert [hit.entry.id for hit in hits[0]] == ["b"]
    await adapter.put_many(NS, [entry("c", embedding=[0, 1, 0])])
    await other.clear(NS)
    await other.put_many(NS, [entry("d", embedding=[1, 0])])
    with pytest.raises(EmbeddingMismatchError):
        await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, np.array([1, 0, 0], np.float32))])
    with pytest.raises(EmbeddingMismatchError):
        await adapter.put_many(NS, [entry("e", embedding=[0, 1, 0])])
    await other.aclose()


async def test_vectors_come_back_to_the_bit_after_indexing(adapter: ChromaAdapter) -> None:
    random = np.random.default_rng(3)
    rows = random.standard_normal((1_200, 8)) * 10.0 ** random.integers(-12, 12, (1_200, 1))
    vectors = rows.astype(np.float32)
    vectors[::2] /= np.linalg.norm(vectors[::2].astype(np.float64), axis=1, keepdims=True)
    await adapter.put_many(NS, [entry(f"{n}", embedding=row) for n, row in enumerate(vectors)])
    found = await adapter.get_many(NS, [f"{n}" for n in range(1_200)])
    assert all(
        each is not None and np.array_equal(each.embedding, row)  # type: ignore[arg-type]
        for each, row in zip(found, vectors, strict=True)
    )
    hit = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, vectors[7])]))[0][0]
    assert (hit.entry.id, hit.similarity) == ("7", pytest.approx(1.0, abs=1e-5))


@pytest.mark.parametrize("exact", [False, True])
async def test_searches_find_the_nearest_of_thousands(tmp_path: Path, exact: bool) -> None:
    random = np.random.default_rng(4)
    rows = random.standard_normal((2_000, 32)).astype(np.float32)
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    adapter = ChromaAdapter(ChromaOptions(path=str(tmp_path), exact=exact))
    await adapter.open()
    await adapter.put_many(NS, [entry(f"{n}", embedding=row) for n, row in enumerate(rows)])
    queries = random.standard_normal((20, 32)).astype(np.float32)
    answers = await adapter.search_many(NS, [SearchRequest(EVERYTHING, 10, query) for query in queries])
    await adapter.aclose()
    found = 0
    for query, hits in zip(queries, answers, strict=True):
        best = {f"{n}" for n in np.argsort(-(units @ query))[:10]}
        found += len(best.intersection(hit.entry.id for hit in hits))
    assert found == 200 if exact else found >= 198


async def test_exact_does_not_ask_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = ChromaAdapter(ChromaOptions(path=str(tmp_path), exact=True))
    await adapter.open()
    await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
    monkeypatch.delattr(Shelf, "nearest")
    query = np.array([1, 0], np.float32)
    assert len((await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, query)]))[0]) == 1
    await adapter.aclose()


async def test_an_index_that_loses_sight_of_entries_is_not_trusted(
    adapter: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    await adapter.put_many(NS, [entry(f"{n}", embedding=[1, n]) for n in range(5)])
    nearest = Shelf.nearest
    monkeypatch.setattr(Shelf, "nearest", lambda self, *asked: [each[:2] for each in nearest(self, *asked)])
    query = np.array([1, 0], np.float32)
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 4, query)]))[0]
    assert [hit.entry.id for hit in hits] == ["0", "1", "2", "3"]


async def test_chroma_is_never_called_on_the_loop(
    adapter: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    read, write = Shelf.read, Shelf.write

    def noted(original: Any) -> Any:
        def call(self: Shelf, use: Any) -> Any:
            threads.add(threading.current_thread().name)
            return original(self, use)

        return call

    monkeypatch.setattr(Shelf, "read", noted(read))
    monkeypatch.setattr(Shelf, "write", noted(write))
    await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
    await adapter.get_many(NS, ["a"])
    await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, np.array([1, 0], np.float32))])
    await adapter.scan(NS, EVERYTHING)
    assert threads == {"axon-chroma_0"}


async def test_names_of_collections_are_ones_that_chroma_takes(adapter: ChromaAdapter) -> None:
    for namespace in ("a/b", "..", "ä" * 400, "\0"):
        await adapter.put_many(namespace, [entry("a")])
    names = [each.name for each in collections_of(adapter).list_collections()]
    assert len(names) == 4
    assert all(re.fullmatch(r"axon-[0-9a-f]{32}-texts", name) for name in names)
    assert await adapter.namespaces() == sorted(["a/b", "..", "ä" * 400, "\0"])


async def test_a_damaged_entry_is_named(adapter: ChromaAdapter) -> None:
    await adapter.put_many(NS, [entry("good", embedding=[1, 0]), entry("bad", embedding=[1, 0])])
    collections_of(adapter).list_collections()[0].update(ids=["bad"], metadatas=[{"payload": "nonsense"}])
    assert (await adapter.get_many(NS, ["good"]))[0] is not None
    with pytest.raises(CorruptEntryError, match="'bad'") as caught:
        await adapter.get_many(NS, ["bad"])
    assert caught.value.entry_id == "bad"


async def test_adapters_in_memory_do_not_share_data_though_chroma_does() -> None:
    one, two = ChromaAdapter(), ChromaAdapter()
    await one.open()
    await two.open()
    await one.put_many(NS, [entry("a")])
    assert await two.count(NS, EVERYTHING) == 0
    assert await two.namespaces() == []


SECOND_PROCESS = """
import asyncio, sys
from axon.adapters.chroma import ChromaAdapter
from axon.core.adapter_options import ChromaOptions
from axon.core.errors import AdapterUnavailable
try:
    asyncio.run(ChromaAdapter(ChromaOptions(path=sys.argv[1])).open())
except AdapterUnavailable as error:
    print(error)
"""


async def test_a_second_process_is_refused(adapter: ChromaAdapter, tmp_path: Path) -> None:
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SECOND_PROCESS, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "another process" in run.stdout, run.stderr


NO_NETWORK = """
import asyncio, os, socket, sys
def refuse(*args, **kwargs):
    raise SystemExit(f"the network was asked for: {args}")
socket.getaddrinfo = refuse
connect = socket.socket.connect
def connect_locally(self, address):
    return connect(self, address) if self.family == socket.AF_UNIX else refuse(address)
socket.socket.connect = connect_locally
from axon import MemoryConfig, MemorySystem
from axon.core.policies import PersistentPolicy
async def main():
    policy = PersistentPolicy(adapter_type="chroma", adapter_config={"path": sys.argv[1]})
    async with MemorySystem(MemoryConfig(persistent=policy)) as memory:
        await memory.store("the deploy key is rotated monthly")
        print(len(await memory.recall("deploy key")))
asyncio.run(main())
print(sorted(os.listdir(os.environ["HOME"])))
"""


def test_no_model_is_downloaded_and_nothing_reported(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    run = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, str(tmp_path / "data")],
        capture_output=True,
        text=True,
        timeout=120,
        env={"HOME": str(home), "PYTHONPATH": ":".join(sys.path)},
    )
    assert run.stdout.split("\n")[:2] == ["1", "[]"], run.stderr


async def test_chroma_cannot_embed_by_itself(adapter: ChromaAdapter) -> None:
    await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
    collection: Any = adapter._session.room(NS).vectors.find()  # type: ignore[union-attr]
    with pytest.raises(AdapterError, match="give it vectors"):
        collection.upsert(ids=["b"], documents=["text"])
    with pytest.raises(AdapterError, match="give it vectors"):
        collection.query(query_texts=["text"])


async def test_folders_and_options_that_cannot_work_are_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    with pytest.raises(AdapterUnavailable, match="folder"):
        await ChromaAdapter(ChromaOptions(path=str(file))).open()
    with pytest.raises(ConfigError, match="path is for the embedded engine"):
        PersistentPolicy(adapter_type="chroma", adapter_config={"host": "h", "path": "p"})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.adapters.chroma.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"axon-integrations\[chroma\]"):
        ChromaAdapter()


async def test_cycles_of_opening_and_closing_leave_no_threads(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    for _ in range(20):
        adapter = ChromaAdapter(ChromaOptions(path=str(tmp_path)))
        await adapter.open()
        await adapter.put_many(NS, [entry("a", embedding=[1, 0])])
        await adapter.aclose()
    # Only what is new: adapters of earlier tests, in memory, end with the garbage collector.
    new = set(threading.enumerate()) - before
    assert [each.name for each in new if each.name.startswith("axon-chroma")] == []
    # The loop's own pool, in which adapters open and close, may have grown.
    assert len(new) <= 8
