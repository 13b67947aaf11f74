"""What the conformance suite does not cover of the SQLite adapter: several processes, damage, locks, files."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from axon import MemoryConfig, MemorySystem
from axon.adapters.sqlite import SqliteAdapter
from axon.core.adapter_options import SqliteOptions
from axon.core.clock import to_datetime
from axon.core.errors import AdapterTimeout, CorruptEntryError
from axon.core.filter.ast import EVERYTHING
from axon.core.models import MemoryEntry, Touch
from axon.core.policies import PersistentPolicy

NS = "n"


def entry(id: str, text: str = "text") -> MemoryEntry:
    return MemoryEntry(text, id=id, created_at=to_datetime(1_700_000_000_000_000))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory.db"


async def opened(path: Path, **options: object) -> SqliteAdapter:
    adapter = SqliteAdapter(SqliteOptions(path=str(path), **options))  # type: ignore[arg-type]
    await adapter.open()
    return adapter


async def ids(adapter: SqliteAdapter) -> list[str]:
    return [each.id for each in (await adapter.scan(NS, EVERYTHING, order_by="id")).entries]


async def test_two_adapters_on_one_file_see_each_other(path: Path) -> None:
    one, two = await opened(path), await opened(path)
    await one.put_many(NS, [entry("a", "old"), entry("b")])
    assert await ids(two) == ["a", "b"]
    await two.put_many(NS, [entry("a", "new"), entry("c")])
    await two.delete_many(NS, ["b"])
    assert await ids(one) == ["a", "c"]
    assert (await one.get_many(NS, ["a"]))[0].text == "new"  # type: ignore[union-attr]
    await one.put_many(NS, [entry("b", "again")])
    assert await ids(two) == ["a", "b", "c"]
    await two.clear(NS)
    assert await ids(one) == []
    assert await one.bind_embedder(NS, "first") == "first"
    assert await two.bind_embedder(NS, "second") == "first"
    await one.aclose()
    await two.aclose()


async def test_interleaved_writers_agree_with_the_file(path: Path) -> None:
    adapters = [await opened(path), await opened(path)]
    for number in range(200):
        writer = adapters[number % 2]
        await writer.put_many(NS, [entry(f"{number % 30}", f"version {number}")])
        if number % 7 == 0:
            await adapters[(number + 1) % 2].delete_many(NS, [f"{(number * 3) % 30}"])
    fresh = await opened(path)
    expected = {each.id: each.text for each in (await fresh.scan(NS, EVERYTHING)).entries}
    for adapter in adapters:
        assert {each.id: each.text for each in (await adapter.scan(NS, EVERYTHING)).entries} == expected
        await adapter.aclose()
    await fresh.aclose()


async def test_another_process_sees_what_was_committed(path: Path) -> None:
    async with MemorySystem(MemoryConfig.local(path)) as memory:
        await memory.store("written by the first process", importance=0.9)
        script = (
            "import asyncio, sys\nfrom axon import MemoryConfig, MemorySystem\n"
            "async def main():\n"
            "    async with MemorySystem(MemoryConfig.local(sys.argv[1])) as memory:\n"
            "        print((await memory.recall('first process'))[0].text)\n"
            "        await memory.store('written by the second process', importance=0.9)\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-c", script, str(path)]
        answer = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "written by the first process"
        assert (await memory.recall("second process"))[0].text == "written by the second process"


async def test_one_damaged_row_does_not_hide_its_neighbours(path: Path) -> None:
    adapter = await opened(path)
    await adapter.put_many(NS, [entry(id, f"text {id}") for id in "abc"])
    await adapter.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE memories_entries SET record = x'01ff00' WHERE id = 'b'")
    connection.close()
    adapter = await opened(path)
    assert await ids(adapter) == ["a", "c"]
    with pytest.raises(CorruptEntryError, match="'b'") as caught:
        await adapter.get_many(NS, ["a", "b"])
    assert caught.value.entry_id == "b"
    assert (await adapter.stats()).details["corrupt_entries"] == ["b"]
    await adapter.put_many(NS, [entry("b", "mended")])
    assert await ids(adapter) == ["a", "b", "c"]
    await adapter.aclose()


async def test_a_damaged_row_can_be_deleted(path: Path) -> None:
    adapter = await opened(path)
    await adapter.put_many(NS, [entry("a")])
    await adapter.aclose()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE memories_entries SET record = x''")
    connection.close()
    adapter = await opened(path)
    assert await adapter.delete_many(NS, ["a"]) == 1
    assert await adapter.get_many(NS, ["a"]) == [None]
    await adapter.aclose()


async def test_a_locked_file_is_a_timeout_and_nothing_is_written(path: Path) -> None:
    adapter = await opened(path, busy_timeout=0.05)
    await adapter.put_many(NS, [entry("a")])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(AdapterTimeout, match="busy_timeout"):
        await adapter.put_many(NS, [entry("b")])
    other.execute("COMMIT")
    other.close()
    assert await ids(adapter) == ["a"]
    await adapter.put_many(NS, [entry("b")])
    assert await ids(adapter) == ["a", "b"]
    await adapter.aclose()


async def test_a_writer_waits_for_another_process_to_finish(path: Path) -> None:
    adapter = await opened(path, busy_timeout=30)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(adapter.put_many(NS, [entry("a")]))
    await asyncio.sleep(0)
    assert not writing.done()
    threading.Thread(target=other.execute, args=("COMMIT",)).start()
    await writing
    assert await ids(adapter) == ["a"]
    await adapter.aclose()
    other.close()


@pytest.mark.parametrize("synchronous", ["normal", "full"])
async def test_concurrent_writes_of_one_id_keep_the_order_of_their_calls(
    path: Path, synchronous: str
) -> None:
    adapter = await opened(path, synchronous=synchronous)
    for round in range(20):
        await asyncio.gather(*(adapter.put_many(NS, [entry("x", f"{round}.{n}")]) for n in range(10)))
        assert (await adapter.get_many(NS, ["x"]))[0].text == f"{round}.9"  # type: ignore[union-attr]
    await adapter.aclose()
    adapter = await opened(path)
    assert (await adapter.get_many(NS, ["x"]))[0].text == "19.9"  # type: ignore[union-attr]
    await adapter.aclose()


async def test_collections_in_one_file_share_nothing(path: Path) -> None:
    one, two = await opened(path, collection="one"), await opened(path, collection="two")
    await one.put_many(NS, [entry("a")])
    await two.put_many(NS, [entry("b")])
    assert (await ids(one), await ids(two)) == (["a"], ["b"])
    await one.clear(NS)
    assert (await ids(one), await ids(two)) == ([], ["b"])
    await one.aclose()
    await two.aclose()


async def test_access_statistics_survive_and_end_with_the_entry(path: Path) -> None:
    adapter = await opened(path)
    await adapter.put_many(NS, [entry("a"), entry("b")])
    await adapter.touch_many(NS, [Touch("a", 1_700_000_001_000_000, 3), Touch("gone", 1, 1)])
    await adapter.aclose()
    adapter = await opened(path)
    found = (await adapter.get_many(NS, ["a"]))[0]
    assert found is not None
    assert (found.access_count, found.record.accessed_us) == (3, 1_700_000_001_000_000)
    await adapter.put_many(NS, [entry("a", "written anew")])
    await adapter.aclose()
    adapter = await opened(path)
    assert (await adapter.get_many(NS, ["a"]))[0].access_count == 0  # type: ignore[union-attr]
    await adapter.aclose()


async def test_the_log_is_folded_away_when_the_file_is_closed(path: Path) -> None:
    policy = PersistentPolicy(adapter_type="sqlite", adapter_config={"path": str(path)})
    async with MemorySystem(MemoryConfig(persistent=policy)) as memory:
        await memory.bulk_store(f"text {n}" for n in range(100))
    assert _log_size(path) == 0


def _log_size(path: Path) -> int:
    wal = Path(f"{path}-wal")
    return wal.stat().st_size if wal.exists() else 0


async def test_opening_and_closing_many_times_leaks_no_descriptor(path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    adapter = await opened(path)
    await adapter.aclose()
    before = descriptors()
    for _ in range(100):
        adapter = await opened(path)
        await adapter.put_many(NS, [entry("a")])
        await adapter.aclose()
    assert descriptors() <= before + 5
