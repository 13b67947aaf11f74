"""Putting, getting and deleting: what an item is, and what it is not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from langgraph.store.base import BaseStore

from axon.testing.langgraph_base import StoreTests, keys, there

_NS = ("items", "of one user")


class ItemTests(StoreTests):
    """Single items."""

    async def test_put_get_delete(self, store: BaseStore) -> None:
        """The whole life of an item."""
        await store.aput(_NS, "k", {"text": "hello"})
        item = there(await store.aget(_NS, "k"))
        assert (item.namespace, item.key, item.value) == (_NS, "k", {"text": "hello"})
        await store.adelete(_NS, "k")
        assert await store.aget(_NS, "k") is None
        assert await store.asearch(_NS) == []

    async def test_what_is_not_there(self, store: BaseStore) -> None:
        """Getting gives None, deleting does nothing."""
        assert await store.aget(_NS, "missing") is None
        await store.adelete(_NS, "missing")
        await store.aput(_NS, "k", {})
        assert await store.aget(_NS, "missing") is None
        assert await store.aget(_NS[:1], "k") is None
        assert await store.aget((*_NS, "deeper"), "k") is None

    async def test_a_put_replaces_the_whole_value(self, store: BaseStore) -> None:
        """Nothing of the old one stays."""
        await store.aput(_NS, "k", {"old": 1, "both": 1})
        await store.aput(_NS, "k", {"new": 2, "both": 2})
        assert there(await store.aget(_NS, "k")).value == {"new": 2, "both": 2}
        assert len(await store.asearch(_NS)) == 1

    async def test_created_at_stays_and_updated_at_moves(self, store: BaseStore) -> None:
        """However often the item is put."""
        await store.aput(_NS, "k", {"v": 1})
        first = there(await store.aget(_NS, "k"))
        await self.elapse(0.01)
        await store.aput(_NS, "k", {"v": 2})
        second = there(await store.aget(_NS, "k"))
        assert second.created_at == first.created_at
        assert second.updated_at > first.updated_at
        found = (await store.asearch(_NS))[0]
        assert (found.created_at, found.updated_at) == (second.created_at, second.updated_at)

    async def test_an_item_put_again_after_it_was_deleted_is_new(self, store: BaseStore) -> None:
        """Its life begins anew."""
        await store.aput(_NS, "k", {"v": 1})
        first = there(await store.aget(_NS, "k"))
        await store.adelete(_NS, "k")
        await self.elapse(0.01)
        await store.aput(_NS, "k", {"v": 1})
        assert there(await store.aget(_NS, "k")).created_at > first.created_at

    async def test_times_know_their_zone(self, store: BaseStore) -> None:
        """Both can be compared with any aware time."""
        await store.aput(_NS, "k", {})
        item = there(await store.aget(_NS, "k"))
        assert item.created_at.utcoffset() == item.updated_at.utcoffset() == timedelta(0)
        assert item.created_at < datetime.now(UTC) + timedelta(days=1)

    async def test_what_is_handed_out_is_a_copy(self, store: BaseStore) -> None:
        """Changing it changes nothing in the store."""
        await store.aput(_NS, "k", {"list": [1], "deep": {"list": [1]}})
        got = there(await store.aget(_NS, "k"))
        got.value["list"].append(2)
        (await store.asearch(_NS))[0].value["deep"]["list"].append(2)
        assert there(await store.aget(_NS, "k")).value == {"list": [1], "deep": {"list": [1]}}

    async def test_what_is_handed_in_is_copied(self, store: BaseStore) -> None:
        """Changing it afterwards changes nothing in the store."""
        value: dict[str, Any] = {"list": [1]}
        await store.aput(_NS, "k", value)
        value["list"].append(2)
        value["more"] = 1
        assert there(await store.aget(_NS, "k")).value == {"list": [1]}

    @pytest.mark.parametrize(
        "value",
        [
            {},
            {"": "", " ": " "},
            {"none": None, "true": True, "one": 1, "float": 1.5, "text": "1"},
            {"deep": {"list": [{"of": [[], {}, [None]]}]}},
            {"größe": "Ünïcödé", "日本語": "テキスト", "emoji": "🦜"},
            {"created_at": "mine", "id": 3, "tags": ["a"], "text": ["b"], "embedding": [0.5], "$eq": 1},
            {"_axon.mine": 1, "a.b": {"c.d": 2}, "zero\0": "\0", "newline\n": "\n"},
        ],
        ids=["empty", "blank", "types", "nested", "unicode", "names", "characters"],
    )
    async def test_a_value_comes_back_exactly(self, store: BaseStore, value: dict[str, Any]) -> None:
        """Any JSON under any keys, with the same types."""
        await store.aput(_NS, "k", value)
        assert repr(there(await store.aget(_NS, "k")).value) == repr(value)
        assert (await store.asearch(_NS))[0].value == value

    @pytest.mark.parametrize("key", ["", " ", "a.b", "a/b", "a:b", '"]', "\\", "%", "ключ", "🦜", "x" * 300])
    async def test_any_string_is_a_key(self, store: BaseStore, key: str) -> None:
        """It comes back unchanged, and is nobody else's."""
        await store.aput(_NS, key, {"v": 1})
        await store.aput(_NS, key + "x", {"v": 2})
        await store.adelete(_NS, key + "x")
        assert there(await store.aget(_NS, key)).key == key
        assert keys(await store.asearch(_NS)) == [key]

    async def test_namespace_and_key_are_kept_apart(self, store: BaseStore) -> None:
        """The same labels, cut elsewhere, are another item."""
        places = [
            (("a", "b"), "c"),
            (("a",), "b"),
            (("a", "b", "c"), "d"),
            (("a", "bc"), "d"),
            (("ab", "c"), "d"),
        ]
        await asyncio.gather(*(store.aput(place, key, {"at": n}) for n, (place, key) in enumerate(places)))
        found = await asyncio.gather(*(store.aget(place, key) for place, key in places))
        assert [there(item).value["at"] for item in found] == list(range(len(places)))

    async def test_a_get_leaves_no_trace(self, store: BaseStore) -> None:
        """Asking for what is not there makes no namespace."""
        assert await store.aget(("never", "written"), "k") is None
        assert await store.asearch(("never", "searched")) == []
        await store.adelete(("never", "deleted"), "k")
        assert await store.alist_namespaces() == []

    async def test_a_list_of_labels_is_a_namespace(self, store: BaseStore) -> None:
        """As it comes from JSON."""
        labels: Any = ["a", "b"]
        await store.aput(labels, "k", {"v": 1})
        assert there(await store.aget(labels, "k")).namespace == ("a", "b")
        assert there(await store.aget(("a", "b"), "k")).value == {"v": 1}
        prefix: Any = ["a"]
        assert keys(await store.asearch(prefix)) == ["k"]
        assert await store.alist_namespaces(prefix=prefix) == [("a", "b")]
        await store.adelete(labels, "k")
        assert await store.aget(("a", "b"), "k") is None
