"""Walking: every page in order, every entry once, whatever else goes on."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from axon.core.clock import ManualClock, to_datetime
from axon.core.filter.ast import EVERYTHING, NOTHING, Contains, Field, Gte
from axon.core.models import MemoryEntry, Touch
from axon.core.ports import OrderBy, StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests
from axon.testing.entries import START_US, make_entry
from axon.testing.exact import count_exactly, scan_all
from axon.testing.oracle import ORDER_KEYS

ORDERS: tuple[OrderBy, ...] = ("id", "created_at", "updated_at", "accessed_at", "importance")


def mixed(count: int = 25) -> list[MemoryEntry]:
    """Make entries whose orders all differ and all have ties."""
    ids = ["é", "e\u0301", "A", "a", "\uffff", "😀", "10", "9", "a\0", "*"]
    return [
        make_entry(
            ids[n] if n < len(ids) else f"id {n * 7 % 31:02}",
            created_at=to_datetime(START_US + n * 7 % 5),
            updated_at=to_datetime(START_US + 1_000_000 + n * 11 % 6),
            importance=(n * 3 % 8) / 8,
            access_count=n % 2,
            last_accessed_at=to_datetime(START_US + n * 5 % 7) if n % 2 else None,
            tags=["even"] if n % 2 == 0 else [],
        )
        for n in range(count)
    ]


def assert_ordered(entries: list[MemoryEntry], order_by: OrderBy, descending: bool) -> None:
    """Fail unless keys are in order and ties are broken by id, in one direction throughout."""
    keys: list[tuple[Any, str]] = [(ORDER_KEYS[order_by](entry.record), entry.id) for entry in entries]
    if not descending or order_by == "id":
        assert keys == sorted(keys, reverse=descending)
        return
    ids_up = all(one[0] > two[0] or (one[0] == two[0] and one[1] < two[1]) for one, two in pairwise(keys))
    ids_down = all(one > two for one, two in pairwise(keys))
    assert ids_up or ids_down, keys


class ScanTests(AdapterTests):
    """``scan`` and ``count``."""

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("order_by", ORDERS)
    async def test_pages_of_any_size_follow_the_order(
        self, adapter: StorageAdapter, order_by: OrderBy, descending: bool
    ) -> None:
        entries = mixed()
        await adapter.put_many(NS, entries)
        walks = [
            await scan_all(adapter, NS, order_by=order_by, descending=descending, limit=limit)
            for limit in (1, 3, 24, 25, 26)
        ]
        assert_ordered(walks[0], order_by, descending)
        assert sorted(entry.id for entry in walks[0]) == sorted(entry.id for entry in entries)
        for walk in walks[1:]:
            assert [entry.id for entry in walk] == [entry.id for entry in walks[0]]

    async def test_the_oldest_come_first_unless_asked_otherwise(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, mixed())
        page = await adapter.scan(NS, EVERYTHING)
        assert_ordered(page.entries, "created_at", False)
        assert len(page.entries) == 25
        assert page.cursor is None

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("order_by", ORDERS)
    async def test_pages_of_a_filter_follow_the_order(
        self, adapter: StorageAdapter, order_by: OrderBy, descending: bool
    ) -> None:
        await adapter.put_many(NS, mixed())
        even = Contains(Field("tags"), ("even",))
        found = await scan_all(adapter, NS, even, order_by=order_by, descending=descending, limit=4)
        assert_ordered(found, order_by, descending)
        assert sorted(entry.id for entry in found) == sorted(entry.id for entry in mixed()[::2])

    async def test_an_empty_walk_ends_at_once(self, adapter: StorageAdapter) -> None:
        for namespace in ("never written", NS):
            page = await adapter.scan(namespace, EVERYTHING)
            assert (page.entries, page.cursor) == ([], None)
            await adapter.put_many(NS, [make_entry("a")])
            await adapter.delete_many(NS, ["a"])
        await adapter.put_many(NS, [make_entry("a")])
        page = await adapter.scan(NS, NOTHING)
        assert (page.entries, page.cursor) == ([], None)

    async def test_a_long_walk_sees_everything_once(self, adapter: StorageAdapter) -> None:
        size = 2_500
        await adapter.put_many(
            NS, [make_entry(f"{n:05}", created_at=to_datetime(START_US + n // 3)) for n in range(size)]
        )
        walk = await scan_all(adapter, NS)
        assert [entry.id for entry in walk] == [f"{n:05}" for n in range(size)]

    @pytest.mark.parametrize("order_by", ["id", "created_at", "importance"])
    async def test_what_stays_is_seen_once_while_others_come_and_go(
        self, adapter: StorageAdapter, order_by: OrderBy
    ) -> None:
        def numbered(name: str, n: int) -> MemoryEntry:
            return make_entry(f"{n:03} {name}", created_at=to_datetime(START_US + n), importance=n / 100)

        stay = [numbered("stays", n) for n in range(0, 100, 2)]
        await adapter.put_many(NS, stay + [numbered("goes", n) for n in range(1, 100, 4)])
        seen: list[str] = []
        cursor: str | None = None
        for step in range(100):
            page = await adapter.scan(NS, EVERYTHING, order_by=order_by, cursor=cursor, limit=4)
            seen += [entry.id for entry in page.entries]
            cursor = page.cursor
            if cursor is None:
                break
            await adapter.put_many(NS, [numbered("comes", n) for n in (step * 7 % 100, step * 31 % 100)])
            await adapter.delete_many(
                NS, [f"{step * 4 + 1:03} goes", f"{97 - step * 4:03} goes", *seen[-1:]][:2]
            )
        assert cursor is None, "the walk did not end"
        assert [id for id in seen if id.endswith("stays")] == [entry.id for entry in stay]
        assert len(seen) == len(set(seen))
        assert seen == sorted(seen)

    async def test_a_walk_goes_on_when_its_last_entry_is_deleted(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(f"{n}") for n in range(6)])
        first = await adapter.scan(NS, EVERYTHING, order_by="id", limit=3)
        await adapter.delete_many(NS, [entry.id for entry in first.entries])
        rest = await adapter.scan(NS, EVERYTHING, order_by="id", cursor=first.cursor, limit=9)
        assert [entry.id for entry in rest.entries] == ["3", "4", "5"]

    async def test_touched_entries_move_in_the_order_of_access(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await adapter.put_many(
            NS, [make_entry(id, created_at=to_datetime(START_US + n)) for n, id in enumerate("abc")]
        )
        await adapter.touch_many(NS, [Touch("a", clock.now_us() + 10)])
        assert [entry.id for entry in await scan_all(adapter, NS, order_by="accessed_at")] == ["b", "c", "a"]

    async def test_counting_agrees_with_walking(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, mixed())
        for node in (EVERYTHING, NOTHING, Contains(Field("tags"), ("even",)), Gte(Field("importance"), 0.5)):
            walk = await scan_all(adapter, NS, node)
            assert await count_exactly(adapter, NS, node) == len(walk)
            assert await adapter.count(NS, node) >= len(walk)
        assert await adapter.count(NS, EVERYTHING) == 25
        assert await adapter.count("never written", EVERYTHING) == 0
