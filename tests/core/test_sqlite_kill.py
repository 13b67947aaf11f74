"""kill -9 while a process writes to a SQLite file: every acknowledged entry is there after reopening, none is torn."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from axon import MemoryConfig, MemorySystem
from axon.adapters.sqlite import SqliteAdapter
from axon.core.adapter_options import SqliteOptions
from axon.core.models import MemoryEntry
from axon.testing.exact import scan_all
from tests.core import killed_writer
from tests.core.killed_writer import BATCH, NAMESPACE, is_whole

ROUNDS = 5
WRITER = Path(killed_writer.__file__)
Acknowledged = dict[str, list[int]]


def kill_after(file: Path, way: str, first: int, lines: int) -> Acknowledged:
    """Let a writer acknowledge so many lines, kill it, and return everything it acknowledged."""
    command = [sys.executable, str(WRITER), str(file), way, str(first)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stderr is not None
    said = [writer.stdout.readline() for _ in range(lines)]
    writer.kill()
    # Not communicate(): it reads past what the buffer of readline() still holds.
    rest, errors = writer.stdout.read(), writer.stderr.read()
    writer.wait(timeout=60)
    writer.stdout.close()
    writer.stderr.close()
    assert writer.returncode == -signal.SIGKILL, f"the writer ended by itself: {errors}"
    found: Acknowledged = defaultdict(list)
    for line in "".join([*said, rest]).splitlines(keepends=True):
        if line.endswith("\n"):
            kind, number = line.split()
            found[kind].append(int(number))
    assert len(found["stored"]) >= lines // 3 > 0, "the writer was killed before it wrote"
    return found


def assert_kept(
    entries: dict[str, MemoryEntry], acknowledged: Acknowledged, unheard: frozenset[int] = frozenset()
) -> None:
    """Fail unless all is as acknowledged; ``unheard`` may have been deleted without a word of it."""
    deleted = set(acknowledged["deleted"])
    lost = [n for n in acknowledged["stored"] if f"{n}" not in entries and n not in deleted | unheard]
    assert lost == [], "acknowledged entries are lost"
    assert [n for n in deleted if f"{n}" in entries] == [], "deleted entries are back"
    for id, entry in entries.items():
        number = entry.metadata["n"] if id == "latest" else int(id)
        assert is_whole(entry, number), f"entry {id} is torn: {entry!r}"


async def test_batches_survive_whole(tmp_path: Path) -> None:
    file, dice, first = tmp_path / "memory.db", random.Random(5), 0
    for _ in range(ROUNDS):
        acknowledged = kill_after(file, "batches", first, dice.randint(9, 400))
        adapter = SqliteAdapter(SqliteOptions(path=str(file)))
        await adapter.open()
        entries = {entry.id: entry for entry in await scan_all(adapter, NAMESPACE)}
        latest, heard = entries["latest"].metadata["n"], acknowledged["latest"][-1]
        assert latest in (heard, heard + BATCH)
        assert_kept(entries, acknowledged, frozenset(n - back for n in (heard, latest) for back in (1, 2)))
        numbers = {int(id) for id in entries if id != "latest" and int(id) >= first}
        for start in range(first, latest + 1, BATCH):
            kept = sum(n in numbers for n in range(start, start + BATCH))
            assert kept in (BATCH, BATCH - 2), f"the batch at {start} is there in part: {kept} of {BATCH}"
        assert max(numbers) < latest + BATCH
        first = latest + BATCH
        await adapter.aclose()


async def test_concurrent_stores_survive(tmp_path: Path) -> None:
    file, dice, first = tmp_path / "memory.db", random.Random(7), 0
    for _ in range(ROUNDS):
        acknowledged = kill_after(file, "concurrently", first, dice.randint(3, 300))
        async with MemorySystem(MemoryConfig.local(file), namespace=NAMESPACE) as memory:
            entries = {entry.id: entry async for entry in memory.scan()}
            assert_kept(entries, acknowledged)
            assert await memory.count() == len(entries)
            last = acknowledged["stored"][-1]
            found = await memory.recall(entries[f"{last}"].text.split(" ü")[0], k=5, mode="text")
            assert f"{last}" in [result.entry.id for result in found]
            first = max(map(int, entries)) + 1


@pytest.mark.parametrize("way", ["batches", "concurrently"])
async def test_a_killed_writer_leaves_a_file_that_can_be_written(tmp_path: Path, way: str) -> None:
    file = tmp_path / "memory.db"
    kill_after(file, way, 0, 20)
    async with MemorySystem(MemoryConfig.local(file), namespace="another") as memory:
        id = await memory.store("after the crash", importance=0.9)
        assert (await memory.recall("after the crash"))[0].entry.id == id
