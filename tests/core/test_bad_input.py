"""Bad input is a typed error that says what to do, raised before anything is written."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon import Filter, MemoryConfig, MemorySystem
from axon.core.errors import (
    AdapterUnavailable,
    AxonError,
    ConfigError,
    CorruptStoreError,
    EmbeddingError,
    EmbeddingMismatchError,
    EmptyTextError,
    InvalidFilterError,
    InvalidInputError,
    SchemaVersionError,
    UnsupportedFilterError,
)
from axon.core.policies import PersistentPolicy, SessionPolicy

NAN = float("nan")
RIGHT = np.ones(384, np.float32)

BAD_STORES: list[tuple[dict[str, Any], type[AxonError], str]] = [
    ({"text": ""}, EmptyTextError, "blank"),
    ({"text": " \n\t"}, EmptyTextError, "blank"),
    ({"text": 3}, InvalidInputError, "string"),
    ({"text": "a\ud800"}, InvalidInputError, "surrogate"),
    ({"text": "a", "importance": 1.5}, InvalidInputError, r"\[0, 1\]"),
    ({"text": "a", "importance": -0.1}, InvalidInputError, r"\[0, 1\]"),
    ({"text": "a", "importance": NAN}, InvalidInputError, r"\[0, 1\]"),
    ({"text": "a", "importance": True}, InvalidInputError, "number"),
    ({"text": "a", "importance": "high"}, InvalidInputError, "number"),
    ({"text": "a", "embedding": [1.0, 2.0]}, EmbeddingMismatchError, "2 dimensions"),
    ({"text": "a", "embedding": [NAN] * 384}, EmbeddingError, "NaN"),
    ({"text": "a", "embedding": np.full(384, np.inf)}, EmbeddingError, "infinity"),
    ({"text": "a", "embedding": "vector"}, EmbeddingError, "numbers"),
    ({"text": "a", "embedding": np.ones((2, 384))}, EmbeddingError, "shape"),
    ({"text": "a", "tier": "eternal"}, InvalidInputError, "no tier 'eternal'"),
    ({"text": "a", "tier": []}, InvalidInputError, "names no tier"),
    ({"text": "a", "tags": "work"}, InvalidInputError, "list"),
    ({"text": "a", "tags": [""]}, InvalidInputError, "non-empty"),
    ({"text": "a", "tags": [3]}, InvalidInputError, "string"),
    ({"text": "a", "metadata": {"when": object()}}, InvalidInputError, "not JSON"),
    ({"text": "a", "metadata": {"x": NAN}}, InvalidInputError, "no such number"),
    ({"text": "a", "metadata": {1: "x"}}, InvalidInputError, "keys must be strings"),
    ({"text": "a", "metadata": {"x": (1, 2)}}, InvalidInputError, "not JSON"),
    ({"text": "a", "metadata": ["x"]}, InvalidInputError, "mapping"),
    ({"text": "a", "id": ""}, InvalidInputError, "non-empty"),
    ({"text": "a", "id": 7}, InvalidInputError, "string"),
    ({"text": "a", "ttl": 0}, InvalidInputError, "above 0"),
    ({"text": "a", "ttl": NAN}, InvalidInputError, "above 0"),
    ({"text": "a", "session_id": ""}, InvalidInputError, "session_id"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), BAD_STORES)
async def test_store_refuses_and_writes_nothing(
    memory: MemorySystem, arguments: dict[str, Any], error: type[AxonError], words: str
) -> None:
    await memory.store("something good", embedding=RIGHT)
    with pytest.raises(error, match=words):
        await memory.store(**arguments)
    assert await memory.count() == 1


@pytest.mark.parametrize(("arguments", "error", "words"), BAD_STORES)
async def test_bulk_store_names_the_item_and_writes_nothing(
    memory: MemorySystem, arguments: dict[str, Any], error: type[AxonError], words: str
) -> None:
    await memory.store("something good", embedding=RIGHT)
    good = {"text": "fine", "embedding": RIGHT}
    with pytest.raises(error, match=r"item 1: .*nothing of this call was stored") as caught:
        await memory.bulk_store([good, arguments, good])
    assert (caught.value.index, caught.value.stored) == (1, 0)
    assert await memory.count() == 1


async def test_bulk_store_tells_how_many_earlier_batches_were_stored(memory: MemorySystem) -> None:
    with pytest.raises(EmptyTextError, match=r"item 7: .*6 items before it were stored") as caught:
        await memory.bulk_store((f"text {n}" if n != 7 else " " for n in range(10)), batch_size=3)
    assert (caught.value.index, caught.value.stored) == (7, 6)
    assert await memory.count() == 6


@pytest.mark.parametrize(
    "arguments",
    [
        {"items": ["a", "b"], "ids": ["1"]},
        {"items": ["a", "b"], "embeddings": np.ones((1, 384), np.float32)},
        {"items": ["a", "b"], "embeddings": np.ones((2, 3), np.float32)},
        {"items": ["a", "b"], "embeddings": [[1.0], [1.0, 2.0]]},
        {"items": [{"txt": "a"}]},
        {"items": [{"tags": ["a"]}]},
        {"items": [4]},
        {"items": "one text"},
        {"items": ["a"], "batch_size": 0},
    ],
)
async def test_bulk_store_refuses_what_does_not_fit(memory: MemorySystem, arguments: dict[str, Any]) -> None:
    with pytest.raises((InvalidInputError, EmbeddingError)):
        await memory.bulk_store(**arguments)
    assert await memory.count() == 0


async def test_bulk_store_of_a_generator_reports_missing_ids(memory: MemorySystem) -> None:
    with pytest.raises(InvalidInputError, match="no id"):
        await memory.bulk_store((text for text in ("a", "b")), ids=["1"])
    assert await memory.count() == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"query": ""}, EmptyTextError),
        ({"query": "a", "k": 0}, InvalidInputError),
        ({"query": "a", "k": 2.5}, InvalidInputError),
        ({"query": "a", "k": True}, InvalidInputError),
        ({"query": "a", "tier": "eternal"}, InvalidInputError),
        ({"query": "a", "mode": "telepathy"}, InvalidInputError),
        ({"query": "a", "min_score": 2}, InvalidInputError),
        ({"query": "a", "text_weight": -1}, InvalidInputError),
        ({"query": RIGHT, "mode": "text"}, InvalidInputError),
        ({"query": [1.0, 2.0]}, EmbeddingMismatchError),
        ({"query": [NAN] * 384}, EmbeddingError),
        ({"query": "a", "filter": {"x": {"$like": "y"}}}, UnsupportedFilterError),
        ({"query": "a", "filter": {"$nor": [{"x": 1}]}}, UnsupportedFilterError),
        ({"query": "a", "filter": {"$or": []}}, InvalidFilterError),
        ({"query": "a", "filter": {"created_at": {"$gt": "yesterday"}}}, InvalidFilterError),
        ({"query": "a", "filter": 3}, InvalidFilterError),
    ],
)
async def test_recall_refuses(
    memory: MemorySystem, arguments: dict[str, Any], error: type[AxonError]
) -> None:
    await memory.store("something good", embedding=RIGHT)
    with pytest.raises(error):
        await memory.recall(**arguments)


@pytest.mark.parametrize(
    "changes", [{"importance": 2}, {"text": " "}, {"tags": "x"}, {"metadata": {"x": {1}}}, {"ttl": -1}]
)
async def test_update_refuses_and_changes_nothing(memory: MemorySystem, changes: dict[str, Any]) -> None:
    id = await memory.store("something good", tags=["a"], metadata={"x": 1})
    before = await memory.get(id)
    with pytest.raises((InvalidInputError, EmptyTextError)):
        await memory.update(id, **changes)
    assert await memory.get(id) == before


async def test_forget_refuses_an_empty_filter(memory: MemorySystem) -> None:
    await memory.store("something good")
    for nothing in (None, {}, Filter()):
        with pytest.raises(InvalidInputError, match="clear"):
            await memory.forget(filter=nothing)
    assert await memory.count() == 1


@pytest.mark.parametrize(
    ("adapter_type", "adapter_config", "words"),
    [
        ("memroy", {"x": 1}, "did you mean 'memory'"),
        ("sqlite", {"pth": "x.db"}, "did you mean 'path'"),
        ("sqlite", {"path": "x.db", "synchronous": "sometimes"}, "synchronous"),
        ("sqlite", {"path": "x.db", "collection": "a; DROP TABLE x"}, "collection"),
        ("redis", {"max_conections": 5}, "did you mean 'max_connections'"),
        ("redis", {"max_connections": 0}, "max_connections"),
    ],
)
def test_adapter_config_is_checked_when_the_policy_is_made(
    adapter_type: str, adapter_config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        SessionPolicy(adapter_type=adapter_type, adapter_config=adapter_config)


def test_an_adapter_without_its_needed_option_is_refused_when_the_memory_is_made() -> None:
    with pytest.raises(ConfigError, match="path"):
        MemorySystem(MemoryConfig(persistent=PersistentPolicy(adapter_type="sqlite")))


@pytest.mark.parametrize("field", ["ttl", "maxentries", "adapter"])
def test_a_policy_refuses_unknown_fields(field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        SessionPolicy(**{field: 1})


def test_an_empty_namespace_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="namespace"):
        MemorySystem(namespace="")
    with pytest.raises(InvalidInputError, match="namespace"):
        MemorySystem().scope("")


async def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path / "missing" / "memory.db", tmp_path):
        with pytest.raises(AdapterUnavailable, match="folder"):
            await MemorySystem(MemoryConfig.local(path)).store("something")


async def test_a_database_from_a_newer_version(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    async with MemorySystem(MemoryConfig.local(path)) as memory:
        await memory.store("something", importance=0.9)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(SchemaVersionError, match="upgrade"):
        await MemorySystem(MemoryConfig.local(path)).count()


async def test_a_corrupt_file_and_a_foreign_one(tmp_path: Path) -> None:
    corrupt = tmp_path / "corrupt.db"
    corrupt.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    with pytest.raises(CorruptStoreError, match="another path"):
        await MemorySystem(MemoryConfig.local(corrupt)).count()
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("PRAGMA application_id=1234")
        connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    with pytest.raises(CorruptStoreError, match="another application"):
        await MemorySystem(MemoryConfig.local(foreign)).count()
