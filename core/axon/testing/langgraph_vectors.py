"""Searches by meaning: what is embedded, what is found, in which order."""

from __future__ import annotations

import math
from typing import Any

import pytest
from langgraph.store.base import BaseStore, PutOp

from axon.testing.langgraph_base import StoreFactory, StoreTests, index_of, keys

_NS = ("vectors",)


class VectorTests(StoreTests):
    """A store that embeds the field ``text``."""

    async def test_a_put_embeds(self, indexed: BaseStore) -> None:
        """What is nearest to the query comes first."""
        await indexed.aput(_NS, "near", {"text": "aaab"})
        await indexed.aput(_NS, "far", {"text": "zzzz"})
        await indexed.aput(_NS, "between", {"text": "aazz"})
        assert keys(await indexed.asearch(_NS, query="a")) == ["near", "between", "far"]

    async def test_another_put_embeds_again(self, indexed: BaseStore) -> None:
        """The old text is no longer found."""
        await indexed.aput(_NS, "k", {"text": "aaaa"})
        await indexed.aput(_NS, "other", {"text": "mmmm"})
        await indexed.aput(_NS, "k", {"text": "zzzz"})
        found = {item.key: item.score for item in await indexed.asearch(_NS, query="a")}
        assert found == {"k": pytest.approx(0.0, abs=1e-6), "other": pytest.approx(0.0, abs=1e-6)}
        assert (await indexed.asearch(_NS, query="z"))[0].key == "k"

    async def test_a_deleted_item_is_not_found(self, indexed: BaseStore) -> None:
        """Its vector goes with it."""
        await indexed.aput(_NS, "k", {"text": "aaaa"})
        await indexed.adelete(_NS, "k")
        assert await indexed.asearch(_NS, query="a") == []

    async def test_equal_texts_in_one_batch(self, indexed: BaseStore) -> None:
        """Each item has its vector."""
        await indexed.abatch([PutOp(_NS, str(n), {"text": "same"}) for n in range(3)])
        found = await indexed.asearch(_NS, query="same")
        assert sorted(keys(found)) == ["0", "1", "2"]
        assert [item.score for item in found] == [pytest.approx(1.0, abs=1e-6)] * 3

    async def test_equal_texts_in_one_item(self, make_store: StoreFactory) -> None:
        """They count once."""
        store = make_store(index=index_of("notes[*]"))
        await store.aput(_NS, "k", {"notes": ["same", "same", "other"]})
        found = await store.asearch(_NS, query="same")
        assert {item.key: item.score for item in found} == {"k": pytest.approx(1.0, abs=1e-5)}

    async def test_scores_are_cosines(self, indexed: BaseStore) -> None:
        """From 1 for the same direction down to 0 for letters that do not occur."""
        await indexed.abatch(
            [PutOp(_NS, text, {"text": text}) for text in ("ab", "aabb", "abcd", "ac", "xyz")]
        )
        scores = {item.key: item.score for item in await indexed.asearch(_NS, query="ab")}
        assert scores == {
            "ab": pytest.approx(1.0, abs=1e-5),
            "aabb": pytest.approx(1.0, abs=1e-5),
            "abcd": pytest.approx(1 / math.sqrt(2), abs=1e-5),
            "ac": pytest.approx(0.5, abs=1e-5),
            "xyz": pytest.approx(0.0, abs=1e-5),
        }

    async def test_scores_only_where_a_query_ranks(self, indexed: BaseStore) -> None:
        """A plain search has none."""
        await indexed.aput(_NS, "k", {"text": "a"})
        assert [item.score for item in await indexed.asearch(_NS)] == [None]

    @pytest.mark.parametrize(
        ("filter", "found"),
        [({"colour": "red"}, ["a", "c"]), ({"size": {"$gt": 1}}, ["b", "c"]), ({"deep": {"x": 1}}, ["c"])],
        ids=repr,
    )
    async def test_a_filter_comes_before_the_query(
        self, indexed: BaseStore, filter: dict[str, Any], found: list[str]
    ) -> None:
        """However far the items it lets through are from the query."""
        await indexed.abatch(
            [PutOp(_NS, f"closest {n}", {"text": "q" * (n + 1), "size": 0}) for n in range(30)]
        )
        await indexed.aput(_NS, "a", {"text": "qqx", "colour": "red", "size": 1})
        await indexed.aput(_NS, "b", {"text": "qx", "colour": "blue", "size": 2})
        await indexed.aput(_NS, "c", {"text": "qxx", "colour": "red", "size": 3, "deep": {"x": 1}})
        assert keys(await indexed.asearch(_NS, query="q", filter=filter, limit=5)) == found

    async def test_a_query_looks_only_below_the_prefix(self, indexed: BaseStore) -> None:
        """Nearer items elsewhere are not shown."""
        await indexed.aput(("a", "x"), "near", {"text": "q"})
        await indexed.aput(("b",), "far", {"text": "qxyz"})
        assert keys(await indexed.asearch(("b",), query="q")) == ["far"]
        assert keys(await indexed.asearch((), query="q")) == ["near", "far"]


class TailTests(StoreTests):
    """Items without a vector, in a store that has vectors."""

    async def test_index_false_takes_the_vector_away(self, indexed: BaseStore) -> None:
        """An item that was embedded before is ranked no more."""
        await indexed.aput(_NS, "k", {"text": "aaaa"})
        await indexed.aput(_NS, "other", {"text": "ab"})
        await indexed.aput(_NS, "k", {"text": "aaaa"}, index=False)
        found = await indexed.asearch(_NS, query="a")
        assert keys(found) == ["other", "k"]
        assert found[1].score is None

    async def test_what_has_no_vector_comes_last(self, indexed: BaseStore) -> None:
        """Without a score, whether the field is missing or the put said so."""
        await indexed.aput(_NS, "no field", {"title": "aaaa"})
        await indexed.aput(_NS, "not indexed", {"text": "aaaa"}, index=False)
        await indexed.aput(_NS, "far", {"text": "zzzz"})
        found = await indexed.asearch(_NS, query="a")
        assert keys(found)[0] == "far"
        assert {item.key: item.score for item in found[1:]} == {"no field": None, "not indexed": None}

    async def test_pages_with_unranked_items_end(self, indexed: BaseStore) -> None:
        """Each item is on exactly one page, the ranked ones on the first."""
        await indexed.abatch([PutOp(_NS, f"ranked {n}", {"text": "a" * (n + 1) + "b"}) for n in range(7)])
        await indexed.abatch([PutOp(_NS, f"unranked {n}", {}) for n in range(8)])
        seen: list[str] = []
        for offset in range(0, 30, 4):
            seen += keys(await indexed.asearch(_NS, query="b", limit=4, offset=offset))
        assert len(seen) == len(set(seen)) == 15
        assert all(key.startswith("ranked") for key in seen[:7])


class FieldTests(StoreTests):
    """Which texts of a value are embedded."""

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("text", {"text": "needle", "other": "zzz"}),
            ("a.b", {"a": {"b": "needle", "c": "zzz"}}),
            ("a[0]", {"a": ["needle", "zzz"]}),
            ("a[-1]", {"a": ["zzz", "needle"]}),
            ("a[*].b", {"a": [{"b": "zzz"}, {"b": "needle"}, {"c": "xxx"}]}),
            ("a[*]", {"a": ["yyy", "needle"]}),
        ],
    )
    async def test_paths(self, make_store: StoreFactory, field: str, value: dict[str, Any]) -> None:
        """The text that lies there is what the item is found by."""
        store = make_store(index=index_of(field))
        await store.aput(_NS, "k", value)
        await store.aput(_NS, "elsewhere", {"wrong": "needle"})
        found = await store.asearch(_NS, query="needle")
        assert keys(found) == ["k", "elsewhere"]
        assert [item.score for item in found] == [pytest.approx(1.0, abs=1e-5), None]

    async def test_the_whole_value(self, make_store: StoreFactory) -> None:
        """The path ``$`` embeds all of it."""
        store = make_store(index=index_of("$"))
        await store.aput(_NS, "a", {"x": "aaaaaaaaaa"})
        await store.aput(_NS, "z", {"x": "zzzzzzzzzz"})
        found = await store.asearch(_NS, query="zz")
        assert keys(found) == ["z", "a"]

    async def test_the_best_of_several_texts_counts(self, make_store: StoreFactory) -> None:
        """And the item is shown once."""
        store = make_store(index=index_of("title", "notes[*]"))
        await store.aput(_NS, "several", {"title": "xxx", "notes": ["yyy", "needle", "zzz"]})
        await store.aput(_NS, "one", {"title": "needlework"})
        await store.aput(_NS, "none", {"body": "needle"})
        found = await store.asearch(_NS, query="needle")
        assert keys(found) == ["several", "one", "none"]
        assert found[0].score == pytest.approx(1.0, abs=1e-5)
        assert keys(await store.asearch(_NS, query="needle", limit=1, offset=1)) == ["one"]

    async def test_fewer_texts_leave_no_vector_behind(self, make_store: StoreFactory) -> None:
        """What is no longer in the value is no longer found."""
        store = make_store(index=index_of("notes[*]"))
        await store.aput(_NS, "k", {"notes": ["aaa", "bbb", "ccc"]})
        await store.aput(_NS, "k", {"notes": ["aaa"]})
        found = await store.asearch(_NS, query="c")
        assert {item.key: item.score for item in found} == {"k": pytest.approx(0.0, abs=1e-6)}
        await store.adelete(_NS, "k")
        assert await store.asearch(_NS, query="a") == []

    async def test_a_put_names_its_own_paths(self, indexed: BaseStore) -> None:
        """Instead of those of the store."""
        await indexed.aput(_NS, "own", {"text": "zzz", "title": "needle"}, index=["title"])
        await indexed.aput(_NS, "store's", {"text": "needle?", "title": "zzz"})
        found = {item.key: item.score for item in await indexed.asearch(_NS, query="needle")}
        assert found == {"own": pytest.approx(1.0, abs=1e-5), "store's": pytest.approx(1.0, abs=1e-5)}
        found = {item.key: item.score for item in await indexed.asearch(_NS, query="z")}
        assert found == {"own": pytest.approx(0.0, abs=1e-6), "store's": pytest.approx(0.0, abs=1e-6)}

    async def test_text_in_any_language(self, indexed: BaseStore) -> None:
        """Embedding it changes nothing of the value."""
        value = {"text": "这是中文 これは日本語 이건 한국어 مرحبا 🎯"}
        await indexed.aput(_NS, "k", value)
        assert (await indexed.asearch(_NS, query="これは"))[0].value == value
