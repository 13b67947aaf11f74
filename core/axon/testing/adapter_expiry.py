"""Expiry: to the second, before any sweep, without leaving anything behind."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from axon.core.clock import ManualClock, to_datetime
from axon.core.filter.ast import EVERYTHING, Contains, Exists, Field
from axon.core.models import MemoryEntry, SearchRequest
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search

_QUERY = np.array([1, 0], np.float32)


class ExpiryTests(AdapterTests):
    """Entries with ``expires_at``."""

    async def expiring(self, adapter: StorageAdapter, clock: ManualClock) -> list[MemoryEntry]:
        """Store entries that expire after 2 seconds, after 5, and never."""
        now = to_datetime(clock.now_us())
        lives = {"two": now + timedelta(seconds=2), "five": now + timedelta(seconds=5), "never": None}
        made = [
            make_entry(id, text="fox", tags=["t"], embedding=[1, 0.1], created_at=now, expires_at=end)
            for id, end in lives.items()
        ]
        await adapter.put_many(NS, made)
        return made

    async def assert_alive(self, adapter: StorageAdapter, *alive: str) -> None:
        """Fail unless every way to read shows exactly the entries ``alive``."""
        tagged = Contains(Field("tags"), ("t",))
        found = await adapter.get_many(NS, ["two", "five", "never"])
        assert [entry.id for entry in found if entry is not None] == list(alive)
        for node in (EVERYTHING, tagged):
            assert sorted(entry.id for entry in await scan_all(adapter, NS, node)) == sorted(alive)
            assert await count_exactly(adapter, NS, node) == len(alive)
            assert sorted(ids_of(await search(adapter, NS, _QUERY, node=node))) == sorted(alive)
            assert sorted(ids_of(await search(adapter, NS, node=node))) == sorted(alive)
            if adapter.capabilities.text_search:
                assert sorted(ids_of(await search(adapter, NS, text="fox", node=node))) == sorted(alive)
                assert sorted(ids_of(await search(adapter, NS, _QUERY, text="fox", node=node))) == sorted(
                    alive
                )
        twice = await adapter.search_many(NS, [SearchRequest(EVERYTHING, 5, _QUERY)] * 2)
        assert [sorted(ids_of(hits)) for hits in twice] == [sorted(alive)] * 2

    async def test_entries_end_to_the_second_before_any_sweep(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        two, five, never = await self.expiring(adapter, clock)
        await self.elapse(clock, 1)
        await self.assert_alive(adapter, "two", "five", "never")
        assert_same((await adapter.get_many(NS, ["two"]))[0], two)
        await self.elapse(clock, 1)
        await self.assert_alive(adapter, "five", "never")
        await self.elapse(clock, 2)
        await self.assert_alive(adapter, "five", "never")
        assert_same((await adapter.get_many(NS, ["five"]))[0], five)
        await self.elapse(clock, 1)
        await self.assert_alive(adapter, "never")
        assert_same((await adapter.get_many(NS, ["never"]))[0], never)

    async def test_expired_entries_leave_room_for_k(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        soon = to_datetime(clock.now_us()) + timedelta(seconds=1)
        near = [make_entry(f"near {n}", text="fox", embedding=[1, 0], expires_at=soon) for n in range(50)]
        far = [make_entry(f"far {n}", text="fox bear bear", embedding=[1, 1 + n]) for n in range(8)]
        await adapter.put_many(NS, near + far)
        await self.elapse(clock, 1)
        wanted = [entry.id for entry in far[:5]]
        assert ids_of(await search(adapter, NS, _QUERY, k=5)) == wanted
        assert len(await search(adapter, NS, k=5)) == 5
        if adapter.capabilities.text_search:
            assert len(await search(adapter, NS, text="fox", k=5)) == 5

    async def test_what_expired_is_listed_until_deleted(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await self.expiring(adapter, clock)
        await adapter.put_many("other", [make_entry("never", expires_at=to_datetime(clock.now_us()))])
        assert await adapter.expired(NS) == []
        await self.elapse(clock, 5)
        listed = await adapter.expired(NS)
        if adapter.capabilities.native_ttl:
            assert listed == []
            return
        assert sorted(listed) == ["five", "two"]
        assert len(await adapter.expired(NS, limit=1)) == 1
        await adapter.delete_many(NS, listed)
        assert await adapter.expired(NS) == []
        await self.assert_alive(adapter, "never")

    async def test_what_expired_can_be_written_again(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await self.expiring(adapter, clock)
        await self.elapse(clock, 5)
        again = make_entry("two", text="another fox", tags=["t"], embedding=[0, 1])
        await adapter.put_many(NS, [again])
        await self.assert_alive(adapter, "two", "never")
        assert_same((await adapter.get_many(NS, ["two"]))[0], again)
        assert "two" not in await adapter.expired(NS)

    async def test_a_rewrite_sets_the_new_expiry(self, adapter: StorageAdapter, clock: ManualClock) -> None:
        await self.expiring(adapter, clock)
        later = to_datetime(clock.now_us()) + timedelta(seconds=4)
        shared: dict[str, Any] = {"text": "fox", "tags": ["t"], "embedding": [1, 0]}
        await adapter.put_many(
            NS, [make_entry("two", **shared), make_entry("never", expires_at=later, **shared)]
        )
        await self.elapse(clock, 3)
        await self.assert_alive(adapter, "two", "five", "never")
        await self.elapse(clock, 2)
        await self.assert_alive(adapter, "two")

    async def test_an_entry_written_too_late_is_not_shown(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        past = to_datetime(clock.now_us()) - timedelta(days=1)
        await adapter.put_many(NS, [make_entry("two", expires_at=past), make_entry("never")])
        assert await adapter.get_many(NS, ["two"]) == [None]
        assert [entry.id for entry in await scan_all(adapter, NS)] == ["never"]

    async def test_filters_read_the_time_of_expiry(self, adapter: StorageAdapter, clock: ManualClock) -> None:
        await self.expiring(adapter, clock)
        ends = Exists(Field("expires_at"))
        assert sorted(entry.id for entry in await scan_all(adapter, NS, ends)) == ["five", "two"]
        await self.elapse(clock, 2)
        assert [entry.id for entry in await scan_all(adapter, NS, ends)] == ["five"]
