"""Namespaces: which exist, which may be written, where one ends and the next begins."""

from __future__ import annotations

from typing import Any

import pytest
from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchOp,
)

from axon.testing.langgraph_base import StoreTests, keys

_BAD_LABELS: list[tuple[Any, ...]] = [("a.b",), ("a", ""), ("a", "nul\0"), (1,), ("a", None)]
_BAD_TO_WRITE: list[tuple[Any, ...]] = [(), ("langgraph",), ("langgraph", "x"), *_BAD_LABELS]
_LITERAL = ["a%", "a_", "a*", "a?", "a[b]", "a\\", 'a"', "a'", "a/", "a\n", "A", "ab", "a b", "日本"]


async def _fill(store: BaseStore, *places: tuple[str, ...]) -> None:
    await store.abatch([PutOp(place, "k", {"at": list(place)}) for place in places])


class ListingTests(StoreTests):
    """Which namespaces exist."""

    async def test_an_empty_store_has_none(self, store: BaseStore) -> None:
        """Whatever is asked."""
        assert await store.alist_namespaces() == []
        assert await store.alist_namespaces(prefix=("a",), max_depth=1) == []

    async def test_prefix_and_suffix(self, store: BaseStore) -> None:
        """Alone and together."""
        await _fill(store, ("a", "b", "c"), ("a", "x"), ("b", "c"), ("a", "x", "c"))
        assert await store.alist_namespaces() == [("a", "b", "c"), ("a", "x"), ("a", "x", "c"), ("b", "c")]
        assert await store.alist_namespaces(prefix=("a", "x")) == [("a", "x"), ("a", "x", "c")]
        assert await store.alist_namespaces(suffix=("c",)) == [("a", "b", "c"), ("a", "x", "c"), ("b", "c")]
        assert await store.alist_namespaces(prefix=("a",), suffix=("x", "c")) == [("a", "x", "c")]
        assert await store.alist_namespaces(prefix=("a", "x", "c", "d")) == []

    async def test_wildcards(self, store: BaseStore) -> None:
        """A star stands for exactly one label."""
        await _fill(store, ("a", "x", "c"), ("a", "y", "d"), ("b", "x", "c"), ("a",))
        assert await store.alist_namespaces(prefix=("*", "x")) == [("a", "x", "c"), ("b", "x", "c")]
        assert await store.alist_namespaces(prefix=("a", "*")) == [("a", "x", "c"), ("a", "y", "d")]
        assert await store.alist_namespaces(suffix=("x", "*")) == [("a", "x", "c"), ("b", "x", "c")]
        assert await store.alist_namespaces(prefix=("*",), suffix=("*", "d")) == [("a", "y", "d")]

    async def test_max_depth_cuts_and_shows_each_once(self, store: BaseStore) -> None:
        """As in the example of the contract."""
        await _fill(
            store, ("a", "b", "c"), ("a", "b", "d", "e"), ("a", "b", "d", "i"), ("a", "b", "f"), ("a", "c")
        )
        assert await store.alist_namespaces(prefix=("a", "b"), max_depth=3) == [
            ("a", "b", "c"),
            ("a", "b", "d"),
            ("a", "b", "f"),
        ]
        assert await store.alist_namespaces(max_depth=1) == [("a",)]

    async def test_pages_of_namespaces(self, store: BaseStore) -> None:
        """Each namespace is on exactly one page."""
        places = [("page", f"{number:02}") for number in range(25)]
        await _fill(store, *places)
        pages = [await store.alist_namespaces(limit=10, offset=offset) for offset in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert [place for page in pages for place in page] == places

    async def test_a_namespace_ends_with_its_last_item(self, store: BaseStore) -> None:
        """Nothing stays behind."""
        await _fill(store, ("a",), ("b",))
        await store.aput(("a",), "second", {})
        await store.adelete(("a",), "k")
        assert await store.alist_namespaces() == [("a",), ("b",)]
        await store.adelete(("a",), "second")
        assert await store.alist_namespaces() == [("b",)]

    async def test_a_listing_matches_whole_labels(self, store: BaseStore) -> None:
        """One that only begins or ends alike is another."""
        await _fill(store, ("user", "ab"), ("users", "a"), ("user", "a"))
        assert await store.alist_namespaces(prefix=("user",)) == [("user", "a"), ("user", "ab")]
        assert await store.alist_namespaces(suffix=("a",)) == [("user", "a"), ("users", "a")]
        assert await store.alist_namespaces(prefix=("user", "a")) == [("user", "a")]

    async def test_a_listing_takes_labels_literally(self, store: BaseStore) -> None:
        """But for the star, which stands for any one label."""
        await _fill(store, *((label, "in") for label in _LITERAL))
        for label in _LITERAL:
            if label != "*":
                assert await store.alist_namespaces(prefix=(label,)) == [(label, "in")]


class PlaceTests(StoreTests):
    """Where searches look, and what may be written."""

    async def test_an_empty_prefix_finds_everything(self, store: BaseStore) -> None:
        """In all namespaces."""
        await _fill(store, ("a",), ("b", "c"), ("d", "e", "f"))
        assert sorted(item.namespace for item in await store.asearch(())) == [
            ("a",),
            ("b", "c"),
            ("d", "e", "f"),
        ]

    async def test_a_search_matches_whole_labels(self, store: BaseStore) -> None:
        """A prefix of labels, not of characters."""
        await _fill(store, ("user",), ("users",), ("user", "a"), ("user", "ab"), ("use",))
        assert sorted(item.namespace for item in await store.asearch(("user",))) == [
            ("user",),
            ("user", "a"),
            ("user", "ab"),
        ]
        assert [item.namespace for item in await store.asearch(("user", "a"))] == [("user", "a")]

    async def test_a_search_takes_labels_literally(self, store: BaseStore) -> None:
        """No label reaches into another's namespace."""
        await _fill(store, ("a",), *((label,) for label in _LITERAL))
        for label in ("a", *_LITERAL):
            assert [item.namespace for item in await store.asearch((label,))] == [(label,)]
            await store.adelete((label,), "k")
            assert keys(await store.asearch((label,))) == []

    async def test_a_star_is_no_wildcard_in_a_search(self, store: BaseStore) -> None:
        """Only listings have them."""
        await _fill(store, ("a", "x"), ("b", "x"), ("*", "x"))
        assert [item.namespace for item in await store.asearch(("*",))] == [("*", "x")]

    @pytest.mark.parametrize("namespace", _BAD_TO_WRITE, ids=repr)
    async def test_a_bad_namespace_is_not_written(self, store: BaseStore, namespace: tuple[Any, ...]) -> None:
        """Put refuses it, awaited and blocking."""
        with pytest.raises(InvalidNamespaceError):
            await store.aput(namespace, "k", {})
        with pytest.raises(InvalidNamespaceError):
            store.put(namespace, "k", {})

    @pytest.mark.parametrize("namespace", _BAD_TO_WRITE, ids=repr)
    async def test_a_batch_does_not_write_a_bad_namespace_either(
        self, store: BaseStore, namespace: tuple[Any, ...]
    ) -> None:
        """And writes nothing else of that batch."""
        with pytest.raises(InvalidNamespaceError):
            await store.abatch([PutOp(("good",), "k", {}), PutOp(namespace, "k", {})])
        assert await store.asearch(()) == []

    @pytest.mark.parametrize("namespace", _BAD_LABELS, ids=repr)
    async def test_a_batch_does_not_read_bad_labels(
        self, store: BaseStore, namespace: tuple[Any, ...]
    ) -> None:
        """In whichever operation they stand."""
        bad: list[Op] = [
            GetOp(namespace, "k"),
            SearchOp(namespace),
            PutOp(namespace, "k", None),
            ListNamespacesOp(match_conditions=(MatchCondition("prefix", namespace),)),
            ListNamespacesOp(match_conditions=(MatchCondition("suffix", namespace),)),
        ]
        for op in bad:
            with pytest.raises(InvalidNamespaceError):
                await store.abatch([op])

    async def test_the_forbidden_root_is_free_below_the_root(self, store: BaseStore) -> None:
        """Only the first label is reserved."""
        await _fill(store, ("mine", "langgraph"))
        assert await store.alist_namespaces() == [("mine", "langgraph")]
