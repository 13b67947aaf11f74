"""Searches without a query: filters, limits, pages."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.store.base import BaseStore, PutOp

from axon.testing.langgraph_base import StoreTests, keys, there

_NS = ("search",)


async def _fill(store: BaseStore, **values: dict[str, Any]) -> None:
    await store.abatch([PutOp(_NS, key, value) for key, value in values.items()])


async def _matching(store: BaseStore, filter: dict[str, Any]) -> str:
    """Name the items that a filter lets through, each by one letter, in order of the alphabet."""
    return "".join(sorted(keys(await store.asearch(_NS, filter=filter, limit=50))))


class PageTests(StoreTests):
    """Limits, offsets and order."""

    async def test_a_limit_of_zero_finds_nothing(self, store: BaseStore) -> None:
        """And is no error."""
        await _fill(store, a={})
        assert await store.asearch(_NS, limit=0) == []

    async def test_an_offset_beyond_the_end_finds_nothing(self, store: BaseStore) -> None:
        """Also just behind the last item."""
        await _fill(store, a={}, b={})
        assert len(await store.asearch(_NS, offset=1)) == 1
        assert await store.asearch(_NS, offset=2) == []
        assert await store.asearch(_NS, offset=1000) == []

    async def test_ten_items_by_default(self, store: BaseStore) -> None:
        """As the contract says."""
        await store.abatch([PutOp(_NS, str(n), {}) for n in range(15)])
        assert len(await store.asearch(_NS)) == 10

    @pytest.mark.parametrize("query", ["", "  "])
    async def test_an_empty_query_is_none(self, store: BaseStore, query: str) -> None:
        """It finds what a search without a query finds."""
        await _fill(store, a={"text": "x"}, b={"text": "y"})
        assert sorted(keys(await store.asearch(_NS, query=query))) == ["a", "b"]

    async def test_a_query_without_an_index_loses_no_item(self, store: BaseStore) -> None:
        """Whether or not the store ranks by words."""
        await _fill(store, a={"text": "green tea"}, b={"text": "coffee"})
        assert sorted(keys(await store.asearch(_NS, query="tea"))) == ["a", "b"]

    @pytest.mark.parametrize("filter", [None, {"odd": {"$ne": 2}}, {"deep": {"odd": 1}}], ids=repr)
    async def test_pages_show_each_item_once(self, store: BaseStore, filter: dict[str, Any] | None) -> None:
        """In whatever order, as long as nothing is written meanwhile."""
        await store.abatch([PutOp(_NS, str(n), {"deep": {"odd": n % 2}}) for n in range(46)])
        seen: list[str] = []
        while page := await store.asearch(_NS, filter=filter, limit=10, offset=len(seen)):
            seen += keys(page)
            assert len(seen) <= 46
        wanted = [str(n) for n in range(46) if n % 2 or filter is None or "odd" in filter]
        assert sorted(seen) == sorted(wanted)

    async def test_the_latest_write_comes_first(self, store: BaseStore) -> None:
        """Of items that no query ranks."""
        for key in ("a", "b", "c"):
            await store.aput(_NS, key, {})
            await self.elapse(0.01)
        await store.aput(_NS, "a", {"again": True})
        assert keys(await store.asearch(_NS)) == ["a", "c", "b"]


class FilterTests(StoreTests):
    """What the contract says about filters."""

    @pytest.mark.parametrize(
        ("condition", "matching"),
        [
            (2, "b"),
            ({"$eq": 2}, "b"),
            ({"$ne": 2}, "acd"),
            ({"$gt": 2}, "cd"),
            ({"$gte": 2}, "bcd"),
            ({"$lt": 2}, "a"),
            ({"$lte": 2}, "ab"),
            ({"$gt": 1, "$lt": 10}, "bc"),
        ],
        ids=repr,
    )
    async def test_each_operator(self, store: BaseStore, condition: Any, matching: str) -> None:
        """Numbers compare as numbers: 10 is more than 9."""
        await _fill(store, a={"n": 1}, b={"n": 2}, c={"n": 9}, d={"n": 10})
        assert await _matching(store, {"n": condition}) == matching

    async def test_several_keys_mean_and(self, store: BaseStore) -> None:
        """All of them have to hold."""
        await _fill(store, a={"x": 1, "y": 1}, b={"x": 1, "y": 2}, c={"x": 2, "y": 2})
        assert await _matching(store, {"x": 1, "y": 2}) == "b"
        assert await _matching(store, {}) == "abc"

    async def test_a_dict_goes_into_a_dict(self, store: BaseStore) -> None:
        """Its keys are compared one by one, to any depth."""
        await _fill(
            store,
            a={"user": {"role": "admin", "name": {"last": "Ada"}}},
            b={"user": {"role": "guest", "name": {"last": "Bob"}}},
            c={"user": "admin"},
            d={},
        )
        assert await _matching(store, {"user": {"role": "admin"}}) == "a"
        assert await _matching(store, {"user": {"name": {"last": "Bob"}, "role": "guest"}}) == "b"
        assert await _matching(store, {"user": {"role": "guest", "name": {"last": "Ada"}}}) == ""

    async def test_operators_inside_a_dict(self, store: BaseStore) -> None:
        """They mean there what they mean outside."""
        await _fill(store, a={"user": {"age": 30}}, b={"user": {"age": 40}}, c={"user": {"age": 50}})
        assert await _matching(store, {"user": {"age": {"$gt": 30, "$lte": 40}}}) == "b"
        assert await _matching(store, {"user": {"age": {"$ne": 30}}}) == "bc"

    async def test_a_list_compares_whole(self, store: BaseStore) -> None:
        """In order, and with nothing more."""
        await _fill(
            store, a={"l": ["x"]}, b={"l": ["x", "y"]}, c={"l": ["y", "x"]}, d={"l": "x"}, e={"l": []}
        )
        assert await _matching(store, {"l": ["x"]}) == "a"
        assert await _matching(store, {"l": ["x", "y"]}) == "b"
        assert await _matching(store, {"l": []}) == "e"

    async def test_types_are_kept_apart(self, store: BaseStore) -> None:
        """A text is no number, and 2 is 2.0."""
        await _fill(store, a={"v": 1}, b={"v": "1"}, d={"v": 1.0}, e={"v": "x"})
        assert await _matching(store, {"v": 1}) == "ad"
        assert await _matching(store, {"v": "1"}) == "b"
        assert await _matching(store, {"v": "x"}) == "e"

    async def test_true_is_not_one(self, store: BaseStore) -> None:
        """As in JSON."""
        await _fill(store, a={"v": 1}, b={"v": True}, c={"v": 0}, d={"v": False})
        assert await _matching(store, {"v": True}) == "b"
        assert await _matching(store, {"v": 1}) == "a"
        assert await _matching(store, {"v": False}) == "d"

    async def test_order_between_types_is_false(self, store: BaseStore) -> None:
        """And no error."""
        await _fill(store, a={"v": 5}, b={"v": "5"}, c={"v": None}, d={"v": [5]}, e={"v": True})
        assert await _matching(store, {"v": {"$gt": 1}}) == "a"
        assert await _matching(store, {"v": {"$gte": "1"}}) == "b"

    async def test_a_missing_key_has_no_order(self, store: BaseStore) -> None:
        """Such an item is passed over."""
        await _fill(store, a={"n": 5}, b={}, c={"n": None})
        for operator in ("$gt", "$gte", "$lt", "$lte"):
            assert await _matching(store, {"n": {operator: 5}}) == ("a" if operator.endswith("e") else "")

    async def test_a_missing_key_is_not_equal(self, store: BaseStore) -> None:
        """So ``$ne`` finds it."""
        await _fill(store, a={"n": 5}, b={}, c={"n": 6})
        assert await _matching(store, {"n": 5}) == "a"
        assert await _matching(store, {"n": {"$ne": 5}}) == "bc"

    @pytest.mark.parametrize(
        "key", ["access-level", "2nd", "a b", "größe", "a'b", 'a"b', "$x"[1:], "a\\b", "%"]
    )
    async def test_any_key_filters(self, store: BaseStore, key: str) -> None:
        """Whatever characters it has."""
        await _fill(store, a={key: 1}, b={key: 2})
        assert await _matching(store, {key: 1}) == "a"
        assert await _matching(store, {key: {"$gt": 1}}) == "b"

    @pytest.mark.parametrize(
        "key", ["id", "tags", "importance", "tier", "session_id", "created_at", "text", "metadata", "key"]
    )
    async def test_names_that_a_backend_may_use_filter_too(self, store: BaseStore, key: str) -> None:
        """A filter key is a key of the value, and nothing else."""
        await _fill(store, a={key: ["draft"]}, b={key: "draft"}, c={key: 0.5}, d={})
        assert await _matching(store, {key: ["draft"]}) == "a"
        assert await _matching(store, {key: "draft"}) == "b"
        assert await _matching(store, {key: 0.5}) == "c"

    @pytest.mark.parametrize(
        "text",
        ["'; DROP TABLE store; --", '" OR "1"="1', "' OR '1'='1", "%", "_", "*", "x\\", "$eq", "{}", "\n"],
    )
    async def test_values_are_data(self, store: BaseStore, text: str) -> None:
        """None is read as part of a query."""
        await _fill(store, a={"v": text}, b={"v": "x"}, c={})
        assert await _matching(store, {"v": text}) == "a"
        assert await _matching(store, {"v": text + " "}) == ""
        assert there(await store.aget(_NS, "b")).value == {"v": "x"}

    async def test_an_unknown_operator_is_an_error(self, store: BaseStore) -> None:
        """It is never passed over."""
        await _fill(store, a={"n": 1})
        with pytest.raises(ValueError, match=r"\$near"):
            await store.asearch(_NS, filter={"n": {"$near": 1}})


class SupersetTests(StoreTests):
    """What filters can do here beyond the contract; a store without it declares so."""

    async def test_in_and_nin(self, store: BaseStore) -> None:
        """One of several, none of several."""
        await _fill(store, a={"v": "x"}, b={"v": "y"}, c={"v": 3}, d={})
        assert await _matching(store, {"v": {"$in": ["x", 3]}}) == "ac"
        assert await _matching(store, {"v": {"$nin": ["x", 3]}}) == "bd"
        assert await _matching(store, {"v": {"$in": []}}) == ""
        assert await _matching(store, {"v": {"$nin": []}}) == "abcd"

    async def test_and_or_not(self, store: BaseStore) -> None:
        """Nested to any depth, beside plain keys."""
        await _fill(store, a={"x": 1, "y": 1}, b={"x": 1, "y": 2}, c={"x": 2, "y": 2}, d={"x": 3})
        assert await _matching(store, {"$or": [{"x": 2}, {"y": 1}]}) == "ac"
        assert await _matching(store, {"$and": [{"x": 1}, {"y": {"$gt": 1}}]}) == "b"
        assert await _matching(store, {"$not": {"x": 1}}) == "cd"
        assert await _matching(store, {"x": 1, "$not": {"$or": [{"y": 1}, {"y": 3}]}}) == "b"

    async def test_contains(self, store: BaseStore) -> None:
        """A list that holds a value."""
        await _fill(store, a={"l": ["x", "y"]}, b={"l": ["y"]}, c={"l": "x"}, d={})
        assert await _matching(store, {"l": {"$contains": "x"}}) == "a"
        assert await _matching(store, {"l": {"$contains": "y"}}) == "ab"

    async def test_a_dotted_key_is_a_path(self, store: BaseStore) -> None:
        """Where no key is called so."""
        await _fill(store, a={"user": {"access-level": 3}}, b={"user": {"access-level": 1}}, c={"user": 3})
        assert await _matching(store, {"user.access-level": 3}) == "a"
        assert await _matching(store, {"user.access-level": {"$lt": 3}}) == "b"
        assert await _matching(store, {"user.access-level": {"$ne": 3}}) == "bc"

    async def test_a_literal_dotted_key_wins(self, store: BaseStore) -> None:
        """Over the path that it could also be."""
        await _fill(store, a={"x.y": 1, "x": {"y": 2}}, b={"x": {"y": 1}}, c={"x": {"y": 2}})
        assert await _matching(store, {"x.y": 1}) == "ab"
        assert await _matching(store, {"x.y": 2}) == "c"

    async def test_paths_in_or_and_not(self, store: BaseStore) -> None:
        """What a backend cannot check is never dropped."""
        await _fill(
            store, a={"u": {"r": 1}, "n": 1}, b={"u": {"r": 2}, "n": 1}, c={"u": {"r": 2}, "n": 2}, d={}
        )
        assert await _matching(store, {"$or": [{"u.r": 1}, {"n": 2}]}) == "ac"
        assert await _matching(store, {"$not": {"u": {"r": 2}}}) == "ad"
        assert await _matching(store, {"n": 1, "$not": {"u.r": {"$in": [1, 3]}}}) == "b"
