"""Export and import keep everything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon import Filter, MemoryConfig, MemorySystem
from axon.core.errors import (
    AdapterUnavailable,
    CorruptEntryError,
    EmbeddingMismatchError,
    InvalidInputError,
    SchemaVersionError,
)
from axon.core.models import MemoryEntry
from axon.embedders.hashing import HashingEmbedder


async def filled(memory: MemorySystem) -> dict[str, MemoryEntry]:
    await memory.store("plain", importance=0.1)
    metadata = {"x": [1, 2.0, None, 2**70]}
    await memory.store("line\nbreak ü \x00", importance=0.9, tags=["a"], metadata=metadata, id="i d", ttl=1e6)
    await memory.store("own vector", embedding=np.linspace(-3, 5, 384), session_id="s")
    await memory.store("no vector", embed=False)
    await memory.recall("plain")
    await memory.maintain()
    return {entry.id: entry async for entry in memory.scan()}


async def test_round_trip_into_any_other_memory(memory: MemorySystem, tmp_path: Path) -> None:
    before = await filled(memory)
    report = await memory.export(tmp_path / "out.jsonl")
    assert report.entries == 4
    for config in (MemoryConfig.in_memory(), MemoryConfig.local(tmp_path / "other.db")):
        async with MemorySystem(config, namespace="elsewhere", clock=memory._runtime.clock) as other:
            assert (await other.import_(tmp_path / "out.jsonl")).entries == 4
            after = {entry.id: entry async for entry in other.scan()}
            assert after == before
            assert {id: entry.tier for id, entry in after.items()} == {
                id: entry.tier for id, entry in before.items()
            }
            assert [r.text for r in await other.recall("plain", k=1)] == ["plain"]
            await other.import_(tmp_path / "out.jsonl")
            assert await other.count() == 4


async def test_a_filter_and_a_tier_limit_the_export(memory: MemorySystem, tmp_path: Path) -> None:
    await filled(memory)
    assert (await memory.export(tmp_path / "a.jsonl", filter=Filter(tags=["a"]))).entries == 1
    assert (await memory.export(tmp_path / "b.jsonl", tier="ephemeral")).entries == 1


async def test_an_import_carries_the_embedders_name(memory: MemorySystem, tmp_path: Path) -> None:
    await filled(memory)
    await memory.export(tmp_path / "out.jsonl")
    other = MemorySystem(embedder=HashingEmbedder(dims=64))
    await other.import_(tmp_path / "out.jsonl")
    with pytest.raises(EmbeddingMismatchError):
        await other.recall("plain")


@pytest.mark.parametrize(
    ("lines", "error"),
    [
        ([], InvalidInputError),
        (["no json"], InvalidInputError),
        ([{"format": "other", "version": 1}], InvalidInputError),
        ([{"format": "axon-entries", "version": 99}], SchemaVersionError),
        ([{"format": "axon-entries", "version": 1}, "no json"], CorruptEntryError),
        ([{"format": "axon-entries", "version": 1}, {"id": "x"}], CorruptEntryError),
    ],
)
async def test_a_file_that_is_no_export_is_refused(
    memory: MemorySystem, tmp_path: Path, lines: list[Any], error: type[Exception]
) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    with pytest.raises(error):
        await memory.import_(path)
    assert await memory.count() == 0


async def test_paths_that_do_not_work(memory: MemorySystem, tmp_path: Path) -> None:
    with pytest.raises(AdapterUnavailable):
        await memory.export(tmp_path / "missing" / "out.jsonl")
    with pytest.raises(AdapterUnavailable):
        await memory.import_(tmp_path / "missing.jsonl")
