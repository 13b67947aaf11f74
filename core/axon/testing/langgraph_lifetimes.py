"""How long items live: stated, by default, renewed by reads, and never seen after their end."""

from __future__ import annotations

import pytest
from langgraph.store.base import BaseStore, PutOp

from axon.testing.langgraph_base import StoreFactory, StoreTests, index_of, keys, there

_NS = ("lifetimes",)


class LifetimeTests(StoreTests):
    """Items that end."""

    async def test_an_item_ends(self, store: BaseStore) -> None:
        """Before any sweep it is gone from every read."""
        await store.aput(_NS, "k", {"v": 1}, ttl=self.lifetime)
        assert await store.aget(_NS, "k", refresh_ttl=False) is not None
        await self.elapse(1.1)
        assert await store.aget(_NS, "k") is None
        assert await store.asearch(_NS) == []
        assert await store.asearch(_NS, filter={"v": 1}) == []
        assert await store.alist_namespaces() == []

    async def test_a_fraction_of_a_minute(self, store: BaseStore) -> None:
        """Lifetimes are not rounded."""
        await store.aput(_NS, "short", {}, ttl=0.5 * self.lifetime)
        await store.aput(_NS, "long", {}, ttl=1.5 * self.lifetime)
        await self.elapse(0.75)
        assert keys(await store.asearch(_NS, refresh_ttl=False)) == ["long"]
        await self.elapse(1.0)
        assert await store.asearch(_NS) == []

    async def test_the_default_of_the_store(self, mortal: BaseStore) -> None:
        """Puts that state nothing have it."""
        await mortal.aput(_NS, "k", {})
        await self.elapse(1.1)
        assert await mortal.aget(_NS, "k") is None

    async def test_a_put_overrides_the_default(self, mortal: BaseStore) -> None:
        """By a number, or by None for no end."""
        await mortal.aput(_NS, "longer", {}, ttl=3 * self.lifetime)
        await mortal.aput(_NS, "for ever", {}, ttl=None)
        await mortal.aput(_NS, "default", {})
        await self.elapse(1.5)
        assert sorted(keys(await mortal.asearch(_NS, refresh_ttl=False))) == ["for ever", "longer"]
        await self.elapse(2.0)
        assert keys(await mortal.asearch(_NS)) == ["for ever"]

    async def test_a_get_renews(self, mortal: BaseStore) -> None:
        """The item lives from there on, and is unchanged otherwise."""
        await mortal.aput(_NS, "k", {"v": 1})
        before = there(await mortal.aget(_NS, "k", refresh_ttl=False))
        await self.elapse(0.6)
        assert there(await mortal.aget(_NS, "k")) == before
        await self.elapse(0.6)
        assert there(await mortal.aget(_NS, "k", refresh_ttl=False)) == before
        await self.elapse(0.6)
        assert await mortal.aget(_NS, "k") is None

    async def test_a_search_renews_what_it_returns(self, mortal: BaseStore) -> None:
        """And nothing else."""
        await mortal.aput(_NS, "returned", {"v": 1})
        await mortal.aput(_NS, "left out", {"v": 2})
        await self.elapse(0.6)
        assert keys(await mortal.asearch(_NS, filter={"v": 1})) == ["returned"]
        await self.elapse(0.6)
        assert keys(await mortal.asearch(_NS, refresh_ttl=False)) == ["returned"]

    async def test_a_put_begins_anew(self, mortal: BaseStore) -> None:
        """With the lifetime it states."""
        await mortal.aput(_NS, "k", {"v": 1})
        await self.elapse(0.6)
        await mortal.aput(_NS, "k", {"v": 2})
        await self.elapse(0.6)
        assert there(await mortal.aget(_NS, "k", refresh_ttl=False)).value == {"v": 2}

    async def test_reads_that_do_not_renew(self, mortal: BaseStore, make_store: StoreFactory) -> None:
        """By the call, or by the configuration of the store."""
        await mortal.aput(_NS, "k", {})
        await self.elapse(0.6)
        assert await mortal.aget(_NS, "k", refresh_ttl=False) is not None
        assert len(await mortal.asearch(_NS, refresh_ttl=False)) == 1
        await self.elapse(0.6)
        assert await mortal.aget(_NS, "k") is None
        store = make_store(ttl={"default_ttl": self.lifetime, "refresh_on_read": False})
        await store.aput(_NS, "other", {})
        await self.elapse(0.6)
        assert await store.aget(_NS, "other") is not None
        await self.elapse(0.6)
        assert await store.aget(_NS, "other") is None

    async def test_a_read_does_not_bring_back_what_has_ended(self, mortal: BaseStore) -> None:
        """However often it is asked for."""
        await mortal.aput(_NS, "k", {})
        await self.elapse(1.1)
        assert await mortal.aget(_NS, "k", refresh_ttl=True) is None
        assert await mortal.asearch(_NS, refresh_ttl=True) == []
        assert await mortal.aget(_NS, "k") is None

    async def test_the_end_comes_before_limit_and_offset(self, store: BaseStore) -> None:
        """What has ended takes up no place on a page."""
        await store.abatch([PutOp(_NS, f"short {n}", {}, ttl=self.lifetime) for n in range(10)])
        await store.abatch([PutOp(_NS, f"long {n}", {}) for n in range(10)])
        await self.elapse(1.1)
        pages = [keys(await store.asearch(_NS, limit=4, offset=offset)) for offset in (0, 4, 8, 12)]
        assert [len(page) for page in pages] == [4, 4, 2, 0]
        assert sorted(key for page in pages for key in page) == [f"long {n}" for n in range(10)]

    async def test_an_item_put_after_its_end_is_new(self, mortal: BaseStore) -> None:
        """Swept or not, the old one does not count."""
        await mortal.aput(_NS, "k", {"v": 1})
        first = there(await mortal.aget(_NS, "k"))
        await self.elapse(1.1)
        await mortal.aput(_NS, "k", {"v": 2})
        second = there(await mortal.aget(_NS, "k"))
        assert second.value == {"v": 2}
        assert second.created_at > first.created_at

    async def test_a_sweep_leaves_the_living_alone(self, mortal: BaseStore) -> None:
        """And may be repeated."""
        await mortal.aput(_NS, "gone", {})
        await mortal.aput(_NS, "stays", {}, ttl=None)
        await self.elapse(1.1)
        await self.sweep(mortal)
        await self.sweep(mortal)
        assert keys(await mortal.asearch(_NS)) == ["stays"]

    async def test_lifetimes_of_embedded_items(self, make_store: StoreFactory) -> None:
        """All vectors of an item live as long as it does."""
        store = make_store(index=index_of("text[*]"), ttl={"default_ttl": self.lifetime})
        await store.aput(_NS, "renewed", {"text": ["xxx", "needle"]})
        await store.aput(_NS, "ends", {"text": ["needle", "yyy"]})
        await self.elapse(0.6)
        assert await store.aget(_NS, "renewed") is not None
        await self.elapse(0.6)
        found = await store.asearch(_NS, query="needle")
        assert {item.key: item.score for item in found} == {"renewed": pytest.approx(1.0, abs=1e-5)}
