from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon.core.errors import (
    AdapterTimeout,
    AdapterUnavailable,
    ConfigError,
    CorruptStoreError,
    EmbeddingError,
    EmptyTextError,
    SchemaVersionError,
)
from axon.core.portal import run_blocking
from axon.core.ports import EmbedderSpec
from axon.embedders import EmbeddingCache, from_callable
from axon.embedders.cache import disk_key, text_key
from axon.embedders.cache_file import CacheFile, _inherited


def open_files() -> set[str]:
    return {os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")}


@pytest.fixture
async def cache(tmp_path: Path) -> AsyncIterator[EmbeddingCache]:
    async with EmbeddingCache(tmp_path / "cache") as made:
        yield made


class Foreign:
    """Somebody else's embedder."""

    def __init__(self, model: str) -> None:
        self.model = model
        self.calls = 0

    async def embed(self, text: str) -> list[float]:
        self.calls += 1
        return [float(len(text)), float(len(self.model))]


async def test_get_embedding_asks_once_and_then_reads(cache: EmbeddingCache, counting: Any) -> None:
    assert await cache.get_embedding("abc", counting()) == [3.0, 97.0, 1.0]
    again = counting()
    assert await cache.get_embedding("abc", again) == [3.0, 97.0, 1.0]
    assert again.calls == []


async def test_get_embedding_survives_the_object(tmp_path: Path, counting: Any) -> None:
    async with EmbeddingCache(tmp_path) as cache:
        await cache.get_embedding("abc", counting())
    again = counting()
    async with EmbeddingCache(tmp_path) as cache:
        await cache.get_embedding("abc", again)
    assert again.calls == []


async def test_get_embedding_takes_anybodys_embedder_and_tells_models_apart(cache: EmbeddingCache) -> None:
    first, second = Foreign("one"), Foreign("other")
    for _ in range(2):
        assert await cache.get_embedding("abc", first) == [3.0, 3.0]
        assert await cache.get_embedding("abc", second) == [3.0, 5.0]
    assert (first.calls, second.calls) == (1, 1)


async def test_get_embedding_refuses_blank_text_and_nonsense(cache: EmbeddingCache) -> None:
    class Broken:
        async def embed(self, text: str) -> list[float]:
            return [float("nan")]

    with pytest.raises(EmptyTextError):
        await cache.get_embedding("  ", Broken())
    with pytest.raises(EmbeddingError, match="NaN"):
        await cache.get_embedding("abc", Broken())
    assert await cache.get_many(
        [disk_key(EmbedderSpec(provider="x", model=""), text_key("document", "abc"))], None
    ) == [None]


@pytest.mark.parametrize(
    "other",
    [
        {"provider": "q"},
        {"model": "n"},
        {"revision": "2"},
        {"dims": 3},
        # The same letters, split differently.
        {"provider": "pm", "model": ""},
    ],
)
def test_a_hit_needs_the_same_model(other: dict[str, Any]) -> None:
    same: dict[str, Any] = {"provider": "p", "model": "m", "revision": "1", "dims": 2}
    key = text_key("document", "text")
    assert disk_key(EmbedderSpec(**same), key) == disk_key(EmbedderSpec(**same, max_batch=1), key)
    assert disk_key(EmbedderSpec(**same), key) != disk_key(EmbedderSpec(**{**same, **other}), key)


def test_a_hit_needs_the_same_kind_and_text() -> None:
    assert text_key("document", "text") != text_key("query", "text")
    assert text_key("document", "text") != text_key("document", "text ")


async def test_an_embedder_reads_and_fills_the_cache(cache: EmbeddingCache, counting: Any) -> None:
    await counting(cache=cache).embed_array(["a", "bb"])
    other = counting(cache=cache)
    np.testing.assert_array_equal(await other.embed_array(["bb", "ccc", "a"]), other.rows(["bb", "ccc", "a"]))
    assert other.calls == [["ccc"]]
    await counting(cache=cache).embed("ccc")
    newer = counting(cache=cache, revision="2")
    await newer.embed("ccc")
    assert newer.calls == [["ccc"]]
    asked = counting(cache=cache)
    await asked.embed_query("ccc")
    assert asked.kinds == ["query"]


async def test_a_disk_hit_is_kept_in_memory_read_only(cache: EmbeddingCache, counting: Any) -> None:
    await counting(cache=cache).embed("abc")
    embedder = counting(cache=cache)
    handed = await embedder.embed_array(["abc"])
    handed[:] = 0
    await cache.clear()
    assert await embedder.embed("abc") == [3.0, 97.0, 1.0]
    assert embedder.calls == []


async def test_concurrent_singles_share_reads_and_calls(cache: EmbeddingCache, counting: Any) -> None:
    embedder = counting(cache=cache)
    await asyncio.gather(*(embedder.embed(f"{i}") for i in range(300)))
    assert [len(call) for call in embedder.calls] == [256, 44]


async def test_a_model_of_unknown_dimensions_is_found_again(cache: EmbeddingCache) -> None:
    calls: list[list[str]] = []

    async def model(texts: list[str]) -> list[list[float]]:
        calls.append(texts)
        return [[float(len(text)), 1.0] for text in texts]

    await from_callable(model, name="m", cache=cache).embed("abc")
    assert await from_callable(model, name="m", cache=cache).embed("abc") == [3.0, 1.0]
    assert calls.count(["abc"]) == 1
    assert await cache.get_embedding("abc", from_callable(model, name="m")) == [3.0, 1.0]
    assert calls.count(["abc"]) == 1


async def test_vectors_come_back_bit_by_bit_over_many_transactions(cache: EmbeddingCache) -> None:
    rows = np.random.default_rng(1).standard_normal((1500, 5)).astype(np.float32)
    keys = [text_key("document", str(i)) for i in range(1500)]
    await cache.put_many(list(zip(keys, rows, strict=True)))
    found = await cache.get_many([*keys, text_key("document", "absent")], 5)
    assert found[-1] is None
    np.testing.assert_array_equal(np.stack([row for row in found if row is not None]), rows)
    with pytest.raises(ValueError, match="read-only"):
        found[0][0] = 1.0  # type: ignore[index]  # it is there


async def test_the_file_holds_no_text(cache: EmbeddingCache, counting: Any) -> None:
    await counting(cache=cache).embed("a very private sentence")
    await cache.aclose()
    assert all(b"private" not in path.read_bytes() for path in cache.cache_dir.iterdir())


async def test_closing_leaves_no_file_open_and_use_opens_again(cache: EmbeddingCache, counting: Any) -> None:
    await cache.get_embedding("abc", counting())
    assert str(cache.path) in open_files()
    cache.close()
    cache.close()
    assert str(cache.path) not in open_files()
    again = counting()
    await cache.get_embedding("abc", again)
    assert again.calls == []


@pytest.mark.parametrize("content", [b"this is no database, but long enough to be read as one" * 100, None])
async def test_a_damaged_file_says_delete_me_and_deleting_helps(
    tmp_path: Path, counting: Any, content: Any
) -> None:
    cache = EmbeddingCache(tmp_path)
    embedder = counting()
    if content is None:
        connection = sqlite3.connect(cache.path)
        connection.execute("CREATE TABLE embeddings (something TEXT)")
        connection.close()
    else:
        cache.path.write_bytes(content)
    with pytest.raises(CorruptStoreError, match=r"delete the file") as caught:
        await cache.get_embedding("abc", embedder)
    assert str(cache.path) in str(caught.value)
    assert embedder.calls == []
    cache.close()
    cache.path.unlink()
    await cache.get_embedding("abc", embedder)
    cache.close()


@pytest.mark.parametrize("blob", [b"", b"abc", b"12345678"])
async def test_a_damaged_vector_is_found_out(cache: EmbeddingCache, counting: Any, blob: bytes) -> None:
    embedder = counting(cache=cache)
    await embedder.embed("abc")
    await cache.aclose()
    connection = sqlite3.connect(cache.path)
    with connection:
        connection.execute("UPDATE embeddings SET vector = ?", (blob,))
    connection.close()
    with pytest.raises(CorruptStoreError, match="delete the file"):
        await counting(cache=cache).embed("abc")


async def test_a_file_of_a_newer_version_is_left_alone(cache: EmbeddingCache, counting: Any) -> None:
    connection = sqlite3.connect(cache.path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SchemaVersionError, match="version 99"):
        await cache.get_embedding("abc", counting())


async def test_a_folder_that_cannot_be_made_or_opened(tmp_path: Path, counting: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot make the cache folder"):
        EmbeddingCache(tmp_path / "file" / "cache")
    cache = EmbeddingCache(tmp_path / "cache")
    cache.path.mkdir()
    with pytest.raises(AdapterUnavailable, match="cannot be used"):
        await cache.get_embedding("abc", counting())


def test_a_file_locked_for_too_long_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.embedders.cache_file._BUSY_SECONDS", 0.05)
    file = CacheFile(tmp_path / "cache.sqlite3")
    file.write([(b"key", b"1234")])
    holder = sqlite3.connect(file.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(AdapterTimeout, match="stayed locked"):
        file.write([(b"key", b"5678")])
    assert file.read([b"key"]) == [b"1234"]
    holder.close()
    file.close()


WRITER = """
import asyncio, sys
from axon.embedders import EmbeddingCache
import numpy as np
async def main(folder, name):
    async with EmbeddingCache(folder) as cache:
        for i in range(20):
            await cache.put_many([(f"{name}/{i}/{j}".encode(), np.full(2, i, np.float32)) for j in range(10)])
asyncio.Runner().run(main(*sys.argv[1:]))
"""


def test_several_processes_share_one_file(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*arguments, name], stderr=subprocess.PIPE) for name in ("x", "y", "z")]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, b"")
    keys = [f"{name}/{i}/{j}".encode() for name in ("x", "y", "z") for i in range(20) for j in range(10)]
    cache = EmbeddingCache(tmp_path)
    assert all(row is not None for row in run_blocking(cache.get_many(keys, 2)))
    cache.close()


def read_in_child(file: CacheFile, answers: Any) -> None:
    inherited, finalizer = file._connection, file._finalizer
    assert finalizer is not None
    answers.put(
        (file.read([b"key"]), file._connection is not inherited, inherited in _inherited, finalizer.alive)
    )
    file.close()


def test_a_forked_child_opens_a_connection_of_its_own(tmp_path: Path) -> None:
    file = CacheFile(tmp_path / "cache.sqlite3")
    file.write([(b"key", b"1234")])
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=read_in_child, args=(file, answers))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and answers.get() == ([b"1234"], True, True, False)
    file.write([(b"key", b"5678")])
    assert file.read([b"key"]) == [b"5678"]
    file.close()
