"""Namespaces: nothing done in one is seen in another, whatever they are called."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import numpy as np
from hypothesis import given

from axon.core.clock import ManualClock
from axon.core.filter.ast import Contains, Eq, Field, FilterNode, Gt, In, Prefix, any_of
from axon.core.models import Touch
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests, property_settings
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search
from axon.testing.strategies import NASTY_STRINGS, any_names

_QUERY = np.array([1, 1], np.float32)


class IsolationTests(AdapterTests):
    """Two namespaces with the same ids."""

    async def both(self, adapter: StorageAdapter) -> None:
        """Fill two namespaces with different entries under the same ids."""
        for name in ("one", "two"):
            ids = ("a", "b") if name == "one" else ("a", "b", "c")
            await adapter.put_many(
                name, [make_entry(id, text=f"fox {name}", embedding=[1, 1], tags=[name]) for id in ids]
            )

    async def test_reads_see_their_own_namespace_only(self, adapter: StorageAdapter) -> None:
        await self.both(adapter)
        for name, ids in (("one", ["a", "b"]), ("two", ["a", "b", "c"])):
            text = f"fox {name}"
            found = await adapter.get_many(name, ["a", "b", "c"])
            assert [entry and entry.text for entry in found] == [
                text if id in ids else None for id in ("a", "b", "c")
            ]
            walked = await scan_all(adapter, name)
            assert [(entry.id, entry.text) for entry in walked] == [(id, text) for id in ids]
            assert await count_exactly(adapter, name) == len(ids)
            for hits in (await search(adapter, name, _QUERY), await search(adapter, name)):
                assert sorted((hit.entry.id, hit.entry.text) for hit in hits) == [(id, text) for id in ids]
            if adapter.capabilities.text_search:
                assert sorted(ids_of(await search(adapter, name, text="fox one two"))) == ids

    async def test_deleting_in_one_namespace_leaves_the_other(self, adapter: StorageAdapter) -> None:
        await self.both(adapter)
        assert await adapter.delete_many("one", ["a", "b", "c"]) == 2
        assert await count_exactly(adapter, "one") == 0
        assert [entry.id for entry in await scan_all(adapter, "two")] == ["a", "b", "c"]

    async def test_clearing_one_namespace_leaves_the_other(self, adapter: StorageAdapter) -> None:
        await self.both(adapter)
        await adapter.bind_embedder("two", "model")
        await adapter.clear("one")
        assert await scan_all(adapter, "one") == []
        assert await search(adapter, "one", _QUERY) == []
        assert await adapter.namespaces() == ["two"]
        assert len(await search(adapter, "two", _QUERY)) == 3
        assert await adapter.bind_embedder("two", "another") == "model"

    async def test_touching_in_one_namespace_leaves_the_other(
        self, adapter: StorageAdapter, clock: ManualClock
    ) -> None:
        await self.both(adapter)
        await adapter.touch_many("one", [Touch("a", clock.now_us(), 5), Touch("c", clock.now_us(), 5)])
        counts = [entry.access_count for name in ("one", "two") for entry in await scan_all(adapter, name)]
        assert counts == [5, 0, 0, 0, 0]

    async def test_no_filter_reaches_another_namespace(self, adapter: StorageAdapter) -> None:
        await self.both(adapter)
        wide: list[FilterNode] = [
            any_of([Eq(Field("id"), "c"), Contains(Field("tags"), ("two",))]),
            In(Field("namespace", is_metadata=True), ("two",)),
            Eq(Field("namespace", is_metadata=True), "two"),
            Prefix(Field("id"), "c"),
            Eq(Field("id"), "c' OR '1'='1"),
            Contains(Field("tags"), ("one' OR '1'='1", "*"), "any"),
        ]
        for node in wide:
            assert await scan_all(adapter, "one", node) == []
            assert await search(adapter, "one", _QUERY, node=node) == []
            assert await count_exactly(adapter, "one", node) == 0
        assert await count_exactly(adapter, "one", Gt(Field("importance"), 0.1)) == 2


class NameTests(AdapterTests):
    """Names are literals."""

    async def test_every_name_is_a_namespace_of_its_own(self, adapter: StorageAdapter) -> None:
        for place, name in enumerate(NASTY_STRINGS):
            await adapter.put_many(name, [make_entry("a", text=f"number {place}", embedding=[1, 0])])
        assert await adapter.namespaces() == sorted(NASTY_STRINGS)
        for place, name in enumerate(NASTY_STRINGS):
            assert [entry.text for entry in await scan_all(adapter, name)] == [f"number {place}"], name
        for place, name in enumerate(NASTY_STRINGS):
            await adapter.clear(name)
            assert await adapter.namespaces() == sorted(NASTY_STRINGS[place + 1 :]), f"clearing {name!r}"

    @given(any_names, any_names)
    @property_settings(0.5)
    async def test_any_two_names_are_two_namespaces(
        self, adapter: StorageAdapter, one: str, other: str
    ) -> None:
        prefix = self.fresh_namespace()
        await adapter.put_many(prefix + one, [make_entry(other, text="first")])
        await adapter.put_many(prefix + other, [make_entry(one, text="second")])
        if one != other:
            await adapter.clear(prefix + one)
            assert await adapter.get_many(prefix + one, [other]) == [None]
        assert_same((await adapter.get_many(prefix + other, [one]))[0], make_entry(one, text="second"))
        await adapter.clear(prefix + other)

    async def test_names_and_ids_do_not_run_together(self, adapter: StorageAdapter) -> None:
        pairs = [
            ("a", "b:c"),
            ("a:b", "c"),
            ("a", "b"),
            ("a:", "b"),
            ("a", ":b"),
            ("ab", "c"),
            ("a", "bc"),
            ("a\0b", "c"),
        ]
        for namespace, id in pairs:
            await adapter.put_many(namespace, [make_entry(id, text=f"{namespace!r} {id!r}")])
        for namespace, id in pairs:
            wanted = make_entry(id, text=f"{namespace!r} {id!r}")
            assert_same((await adapter.get_many(namespace, [id]))[0], wanted)

    async def test_every_tag_is_a_literal(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(f"{n}", tags=[tag]) for n, tag in enumerate(NASTY_STRINGS)])
        for place, tag in enumerate(NASTY_STRINGS):
            found = await scan_all(adapter, NS, Contains(Field("tags"), (tag,)))
            assert [entry.id for entry in found] == [f"{place}"], f"tag {tag!r}"

    async def test_every_metadata_key_and_value_is_a_literal(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(
            NS, [make_entry(f"{n}", metadata={name: name}) for n, name in enumerate(NASTY_STRINGS)]
        )
        for place, name in enumerate(NASTY_STRINGS):
            node = Eq(Field(name, is_metadata=True), name)
            assert [entry.id for entry in await scan_all(adapter, NS, node)] == [f"{place}"], f"key {name!r}"

    async def test_every_id_and_session_filters_as_a_literal(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(name, session_id=name) for name in NASTY_STRINGS])
        for name in NASTY_STRINGS:
            for field in ("id", "session_id"):
                found = await scan_all(adapter, NS, Eq(Field(field), name))
                assert [entry.id for entry in found] == [name], f"{field} {name!r}"


class NamespaceTests(AdapterTests):
    """Listing, clearing and binding."""

    async def test_only_namespaces_with_entries_are_named(self, adapter: StorageAdapter) -> None:
        assert await adapter.namespaces() == []
        await adapter.get_many("read", ["a"])
        await scan_all(adapter, "walked")
        await adapter.delete_many("deleted", ["a"])
        await adapter.bind_embedder("bound", "model")
        for name in ("b", "a", "ä", "B"):
            await adapter.put_many(name, [make_entry("x")])
        assert await adapter.namespaces() == ["B", "a", "b", "ä"]
        await adapter.delete_many("b", ["x"])
        assert await adapter.namespaces() == ["B", "a", "ä"]

    async def test_clearing_removes_everything(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(f"{n}", text="fox", embedding=[1, n]) for n in range(50)])
        await adapter.clear(NS)
        await adapter.clear(NS)
        await adapter.clear("never written")
        assert await adapter.get_many(NS, ["1"]) == [None]
        assert await count_exactly(adapter, NS) == 0
        assert await search(adapter, NS) == []
        assert await search(adapter, NS, text="fox") == []
        await adapter.put_many(NS, [make_entry("1", embedding=[0, 1])])
        assert ids_of(await search(adapter, NS, _QUERY)) == ["1"]

    async def test_the_first_embedder_bound_stays(self, adapter: StorageAdapter) -> None:
        assert await adapter.bind_embedder(NS, None) is None
        assert await adapter.bind_embedder(NS, "first/model@1#3") == "first/model@1#3"
        assert await adapter.bind_embedder(NS, "second") == "first/model@1#3"
        assert await adapter.bind_embedder(NS, None) == "first/model@1#3"
        assert await adapter.bind_embedder("other", "second") == "second"
        await adapter.put_many(NS, [make_entry("a")])
        await adapter.delete_many(NS, ["a"])
        assert await adapter.bind_embedder(NS, "third") == "first/model@1#3"
        await adapter.clear(NS)
        assert await adapter.bind_embedder(NS, None) is None
        assert await adapter.bind_embedder(NS, "fourth") == "fourth"
