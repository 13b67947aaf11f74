"""Opening, closing, coming back."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import numpy as np
import pytest

from axon.core.clock import ManualClock, to_datetime
from axon.core.models import Touch
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterFactory, AdapterTests
from axon.testing.adapter_crud import full_entry
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search


class LifetimeTests(AdapterTests):
    """``open``, ``aclose``, ``stats``, and durability."""

    async def test_opening_and_closing_twice_does_nothing(self, make_adapter: AdapterFactory) -> None:
        adapter = make_adapter()
        await adapter.open()
        await adapter.put_many(NS, [make_entry("a")])
        await adapter.open()
        assert await count_exactly(adapter, NS) == 1
        await adapter.aclose()
        await adapter.aclose()

    async def test_closing_what_was_never_opened_does_nothing(self, make_adapter: AdapterFactory) -> None:
        await make_adapter().aclose()

    async def test_stats_count_the_entries(self, adapter: StorageAdapter) -> None:
        before = await adapter.stats()
        assert before.backend
        assert before.entries in (0, None)
        await adapter.put_many("one", [make_entry(id, embedding=[1, 0]) for id in "abc"])
        await adapter.put_many("two", [make_entry("a")])
        await adapter.put_many("one", [make_entry("a", embedding=[1, 0])])
        await adapter.delete_many("one", ["b"])
        after = await adapter.stats()
        assert after.entries in (3, None)
        assert after.bytes is None or after.bytes >= 0

    def test_capabilities_are_stated(self, make_adapter: AdapterFactory) -> None:
        stated = make_adapter().capabilities
        assert stated.max_batch >= 1

    @pytest.fixture
    async def reopened(self, make_adapter: AdapterFactory, clock: ManualClock) -> StorageAdapter:
        """Write, close, and open anew; a store that does not outlive its object is simply read again."""
        first = make_adapter()
        await first.open()
        await first.put_many(
            NS,
            [full_entry(), make_entry("old", embedding=[1, 0, 0, 0]), make_entry("gone"), make_entry("hit")],
        )
        await first.put_many(NS, [make_entry("old", text="new fox", embedding=[0, 0, 0, 1], tags=["t"])])
        await first.delete_many(NS, ["gone"])
        await first.touch_many(NS, [Touch("hit", clock.now_us() + 9, 3)])
        await first.bind_embedder(NS, "model")
        await first.put_many("cleared", [make_entry("a")])
        await first.clear("cleared")
        await first.aclose()
        if not first.capabilities.durable:
            await first.open()
            return first
        second = make_adapter()
        await second.open()
        return second

    async def test_everything_is_there_after_reopening(
        self, reopened: StorageAdapter, clock: ManualClock
    ) -> None:
        full, old, gone, hit = await reopened.get_many(NS, ["full", "old", "gone", "hit"])
        assert_same(full, full_entry())
        assert_same(old, make_entry("old", text="new fox", embedding=[0, 0, 0, 1], tags=["t"]))
        assert gone is None
        assert_same(hit, make_entry("hit", access_count=3, last_accessed_at=to_datetime(clock.now_us() + 9)))
        assert sorted(entry.id for entry in await scan_all(reopened, NS)) == ["full", "hit", "old"]
        assert await reopened.namespaces() == [NS]
        assert await reopened.bind_embedder(NS, "other") == "model"
        found = await search(reopened, NS, np.array([0, 0, 0, 1], np.float32), k=1)
        assert ids_of(found) == ["old"]
        if reopened.capabilities.text_search:
            assert ids_of(await search(reopened, NS, text="fox")) == ["old"]
        await reopened.aclose()

    async def test_a_reopened_store_takes_writes(self, reopened: StorageAdapter) -> None:
        await reopened.put_many(
            NS, [make_entry("old", text="newer"), make_entry("more", embedding=[0, 1, 0, 0])]
        )
        assert await reopened.delete_many(NS, ["full", "hit"]) == 2
        assert sorted(entry.id for entry in await scan_all(reopened, NS)) == ["more", "old"]
        await reopened.aclose()

    async def test_a_second_object_sees_what_the_first_acknowledged(
        self, make_adapter: AdapterFactory
    ) -> None:
        first, second = make_adapter(), make_adapter()
        await first.open()
        await second.open()
        shared = first.capabilities.durable
        await second.put_many(NS, [make_entry("theirs", embedding=[1, 0])])
        for step in range(3):
            await first.put_many(NS, [make_entry(f"{step}", text=f"fox {step}", embedding=[0, 1])])
            found = (await second.get_many(NS, [f"{step}"]))[0]
            assert (found is not None) == shared
            assert (f"{step}" in ids_of(await search(second, NS, np.array([0, 1], np.float32)))) == shared
        await first.delete_many(NS, ["0"])
        await first.put_many(NS, [make_entry("1", text="changed")])
        texts = {entry.id: entry.text for entry in await scan_all(second, NS)}
        assert texts == ({"1": "changed", "2": "fox 2"} if shared else {}) | {"theirs": "some text"}
        await first.clear(NS)
        assert await count_exactly(second, NS) == (0 if shared else 1)
        await first.aclose()
        await second.aclose()
