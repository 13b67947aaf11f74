"""Many callers at once: tasks, threads, loops, and callers that give up."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import numpy as np

from axon.core.clock import ManualClock
from axon.core.models import MemoryEntry, Touch
from axon.core.portal import run_blocking
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests
from axon.testing.entries import make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search

T = TypeVar("T")


def version(id: str, n: int) -> MemoryEntry:
    """Make version ``n`` of an entry: every part of it tells which one it is."""
    return make_entry(
        id, text=f"v{n}", metadata={"v": n}, tags=[f"v{n}"], embedding=[n, 1, 0], access_count=n
    )


def assert_whole(entry: MemoryEntry | None) -> int:
    """Fail if parts of the entry belong to different versions; return the version."""
    assert entry is not None
    n = entry.access_count
    assert (entry.text, entry.metadata, entry.tags) == (f"v{n}", {"v": n}, [f"v{n}"])
    assert entry.embedding is not None
    assert entry.embedding.tolist() == [n, 1, 0]
    return n


async def in_own_loop(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine in a new event loop in another thread, and close that loop."""

    async def main() -> T:
        return await work()

    def run() -> T:
        with asyncio.Runner() as runner:
            return runner.run(main())

    return await asyncio.to_thread(run)


class ConcurrencyTests(AdapterTests):
    """Nothing is lost, torn, or stuck."""

    async def test_gathered_writes_all_arrive(self, adapter: StorageAdapter) -> None:
        await asyncio.gather(*(adapter.put_many(NS, [version(f"{n}", n)]) for n in range(200)))
        assert [
            assert_whole(entry) for entry in await adapter.get_many(NS, [f"{n}" for n in range(200)])
        ] == list(range(200))
        assert await count_exactly(adapter, NS) == 200

    async def test_gathered_writes_of_one_id_leave_one_whole_version(self, adapter: StorageAdapter) -> None:
        await asyncio.gather(*(adapter.put_many(NS, [version("a", n), version("b", n)]) for n in range(60)))
        a, b = await adapter.get_many(NS, ["a", "b"])
        assert assert_whole(a) in range(60)
        assert assert_whole(b) in range(60)
        assert len(await scan_all(adapter, NS)) == 2
        hits = await search(adapter, NS, np.array([1, 1, 0], np.float32))
        assert sorted(ids_of(hits)) == ["a", "b"]

    async def test_a_read_in_the_same_tick_sees_the_write_before_it(self, adapter: StorageAdapter) -> None:
        for n in range(20):
            writing = asyncio.ensure_future(adapter.put_many(NS, [version("a", n)]))
            reading = asyncio.ensure_future(adapter.get_many(NS, ["a"]))
            await writing
            assert assert_whole((await reading)[0]) == n

    async def test_writes_in_one_tick_keep_their_order(self, adapter: StorageAdapter) -> None:
        for n in range(1, 60, 3):
            await asyncio.gather(
                adapter.put_many(NS, [version("a", n)]),
                adapter.delete_many(NS, ["a"]),
                adapter.put_many(NS, [version("a", n + 1)]),
            )
            assert assert_whole((await adapter.get_many(NS, ["a"]))[0]) == n + 1

    async def test_readers_never_see_half_a_write(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [version("a", 0)])

        async def write() -> None:
            for n in range(1, 60):
                await adapter.put_many(NS, [version("a", n)])

        async def read() -> None:
            last = 0
            for _ in range(60):
                found = assert_whole((await adapter.get_many(NS, ["a"]))[0])
                assert found >= last
                last = found
                for hit in await search(adapter, NS, np.array([1, 1, 0], np.float32), k=3):
                    assert_whole(hit.entry)

        await asyncio.gather(write(), read(), read())
        assert assert_whole((await adapter.get_many(NS, ["a"]))[0]) == 59

    async def test_a_thousand_reads_at_once_succeed(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [version(f"{n}", n) for n in range(10)])
        query = np.array([1, 0, 0], np.float32)
        reads = (adapter.get_many(NS, [f"{n % 10}"]) for n in range(600))
        searches = (search(adapter, NS, query, k=2) for _ in range(400))
        answers = await asyncio.gather(asyncio.gather(*reads), asyncio.gather(*searches))
        assert [assert_whole(found[0]) for found in answers[0]] == [n % 10 for n in range(600)]
        assert {tuple(ids_of(hits)) for hits in answers[1]} == {("9", "8")}

    async def test_gathered_touches_are_all_counted(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await adapter.put_many(NS, [make_entry("a")])
        await asyncio.gather(*(adapter.touch_many(NS, [Touch("a", clock.now_us() + n)]) for n in range(100)))
        assert (await scan_all(adapter, NS))[0].access_count == 100

    async def test_gathered_bindings_agree(self, adapter: StorageAdapter) -> None:
        bound = await asyncio.gather(*(adapter.bind_embedder(NS, f"model {n}") for n in range(30)))
        assert len(set(bound)) == 1

    async def test_one_object_serves_several_loops_in_turn(self, adapter: StorageAdapter) -> None:
        async def step(n: int) -> list[str]:
            await adapter.put_many(NS, [version(f"{n}", n)])
            found = await adapter.get_many(NS, [f"{each}" for each in range(n + 1)])
            hits = await search(adapter, NS, np.array([n, 1, 0], np.float32), k=1)
            assert [assert_whole(entry) for entry in found] == list(range(n + 1))
            return ids_of(hits)

        for n in range(0, 9, 3):
            assert await step(n) == [f"{n}"]
            assert await in_own_loop(partial(step, n + 1)) == [f"{n + 1}"]
            assert await asyncio.to_thread(run_blocking, step(n + 2)) == [f"{n + 2}"]

    async def test_one_object_serves_several_loops_at_once(self, adapter: StorageAdapter) -> None:
        async def fill(worker: int) -> None:
            for n in range(25):
                await adapter.put_many(NS, [version(f"{worker} {n}", n), version("shared", n)])
                await search(adapter, NS, np.array([1, 1, 0], np.float32), k=3)
                assert_whole((await adapter.get_many(NS, ["shared"]))[0])

        await asyncio.gather(*(in_own_loop(partial(fill, worker)) for worker in range(4)))
        assert await count_exactly(adapter, NS) == 101
        for entry in await scan_all(adapter, NS):
            assert_whole(entry)

    async def test_a_cancelled_write_is_whole_or_absent(self, adapter: StorageAdapter) -> None:
        for n in range(20):
            writing = asyncio.ensure_future(adapter.put_many(NS, [version("a", n), version("b", n)]))
            for _ in range(n % 4):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            await adapter.put_many(NS, [version("c", n)])
            found = [entry for entry in await adapter.get_many(NS, ["a", "b"]) if entry is not None]
            assert len({assert_whole(entry) for entry in found}) <= 1
            assert len(found) in (0, 2)
        assert assert_whole((await adapter.get_many(NS, ["c"]))[0]) == 19

    async def test_a_cancelled_read_leaves_the_others_alone(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [version(f"{n}", n) for n in range(50)])
        query = np.array([1, 1, 0], np.float32)
        for patience in range(5):
            tasks = [asyncio.ensure_future(search(adapter, NS, query, k=1)) for _ in range(8)]
            for _ in range(patience):
                await asyncio.sleep(0)
            tasks[0].cancel()
            tasks[5].cancel()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            kept = [answer for place, answer in enumerate(answers) if place not in (0, 5)]
            assert all(isinstance(answer, list) and ids_of(answer) == ["1"] for answer in kept)
