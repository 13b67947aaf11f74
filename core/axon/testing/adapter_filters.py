"""Filters against the evaluator that defines them: fixed cases, then random ones."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

from collections import Counter
from datetime import timedelta

import numpy as np
from hypothesis import given, note
from hypothesis import strategies as st

from axon.core.clock import ManualClock, to_datetime
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    Contains,
    Eq,
    Exists,
    Field,
    FilterNode,
    Gt,
    Gte,
    In,
    IsEmpty,
    Lt,
    Lte,
    Ne,
    Nin,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.evaluate import matches
from axon.core.models import MemoryEntry, SearchRequest, Vector
from axon.core.ports import StorageAdapter
from axon.testing import generate
from axon.testing.adapter_base import NS, AdapterTests, property_settings
from axon.testing.adapter_search import TOLERANCE
from axon.testing.entries import START_US, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search
from axon.testing.filter_cases import ABSENT, FIXED_CASES, X
from axon.testing.oracle import Oracle
from axon.testing.strategies import corpora, filters, seeds, vectors

FILTERS_PER_SEED = 25

CHECKED: Counter[str] = Counter()
"""How many random (filter, corpus) cases were compared with the evaluator in this process, by backend."""


async def assert_filters(
    adapter: StorageAdapter, entries: list[MemoryEntry], node: FilterNode, wanted: list[str]
) -> None:
    """Store entries and fail unless counting, walking and searching by ``node`` find exactly ``wanted``."""
    await adapter.put_many(NS, entries)
    found = [entry.id for entry in await scan_all(adapter, NS, node)]
    assert sorted(found) == sorted(wanted)
    assert await count_exactly(adapter, NS, node) == len(wanted)
    assert sorted(ids_of(await search(adapter, NS, k=100, node=node))) == sorted(wanted)


class FixedFilterTests(AdapterTests):
    """Cases written out by hand."""

    async def test_every_fixed_case_on_metadata(self, adapter: StorageAdapter) -> None:
        values: list[object] = []
        for case in FIXED_CASES:
            if not any(repr(case.value) == repr(value) for value in values):
                values.append(case.value)
        names = {repr(value): f"{n}" for n, value in enumerate(values)}
        await adapter.put_many(
            NS,
            [
                make_entry(f"{n}", metadata={} if each is ABSENT else {"x": each})
                for n, each in enumerate(values)
            ],
        )
        wrong = []
        for case in FIXED_CASES:
            for node, answer in ((case.predicate, case.answer), (negate(case.predicate), not case.answer)):
                found = {entry.id for entry in await scan_all(adapter, NS, node)}
                if (names[repr(case.value)] in found) is not answer:
                    wrong.append(f"{type(node).__name__}: {case}")
        assert wrong == []

    async def test_a_key_never_stored_filters_too(self, adapter: StorageAdapter) -> None:
        await assert_filters(adapter, [make_entry("a"), make_entry("b", metadata={"y": 1})], Eq(X, 1), [])
        await assert_filters(adapter, [], Ne(X, 1), ["a", "b"])
        await assert_filters(adapter, [make_entry("c", metadata={"x": 1})], Eq(X, 1), ["c"])

    async def test_tags(self, adapter: StorageAdapter) -> None:
        tags = Field("tags")
        entries = [
            make_entry("none"),
            make_entry("a", tags=["a"]),
            make_entry("ba", tags=["b", "a"]),
            make_entry("ab", tags=["ab"]),
        ]
        cases: list[tuple[FilterNode, list[str]]] = [
            (Contains(tags, ("a",)), ["a", "ba"]),
            (Contains(tags, ("a", "b")), ["ba"]),
            (Contains(tags, ("a", "ab"), "any"), ["a", "ba", "ab"]),
            (Contains(tags, ()), []),
            (Contains(tags, (), "any"), []),
            (Contains(tags, ("A", "a*", "", None, 1), "any"), []),
            (negate(Contains(tags, ("a",))), ["none", "ab"]),
            (Eq(tags, ["b", "a"]), ["ba"]),
            (Eq(tags, ["a", "b"]), []),
            (Eq(tags, "a"), []),
            (Ne(tags, ["a"]), ["none", "ba", "ab"]),
            (In(tags, (["a"], ["ab"])), ["a", "ab"]),
            (IsEmpty(tags), ["none"]),
            (Exists(tags), ["none", "a", "ba", "ab"]),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)

    async def test_importance(self, adapter: StorageAdapter) -> None:
        field = Field("importance")
        entries = [make_entry(f"{value}", importance=value) for value in (0.0, 0.1, 0.3, 0.7, 1.0)]
        cases: list[tuple[FilterNode, list[str]]] = [
            (Gte(field, 0.7), ["0.7", "1.0"]),
            (Gt(field, 0.7), ["1.0"]),
            (Lt(field, 0.1), ["0.0"]),
            (Lte(field, 0.1), ["0.0", "0.1"]),
            (Eq(field, 1), ["1.0"]),
            (Eq(field, True), []),
            (Eq(field, "1"), []),
            (In(field, (0.3, 0, "0.7")), ["0.0", "0.3"]),
            (Ne(field, 0.3), ["0.0", "0.1", "0.7", "1.0"]),
            (Gt(field, "0"), []),
            (Lt(field, 10**400), ["0.0", "0.1", "0.3", "0.7", "1.0"]),
            (Gt(field, 10**400), []),
            (Exists(field), ["0.0", "0.1", "0.3", "0.7", "1.0"]),
            (Prefix(field, "0"), []),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)

    async def test_times(self, adapter: StorageAdapter) -> None:
        base = to_datetime(START_US)
        step = timedelta(microseconds=1)
        entries = [
            make_entry("past", created_at=base - step, updated_at=base),
            make_entry("now", created_at=base, updated_at=base, expires_at=base + timedelta(days=1)),
            make_entry("next", created_at=base + step),
            make_entry("year 1", created_at=base.replace(year=1), updated_at=base),
        ]
        created, updated, expires = Field("created_at"), Field("updated_at"), Field("expires_at")
        cases: list[tuple[FilterNode, list[str]]] = [
            (Gt(created, base), ["next"]),
            (Gte(created, base), ["now", "next"]),
            (Lt(created, base), ["past", "year 1"]),
            (Lte(created, base), ["past", "now", "year 1"]),
            (Eq(created, base), ["now"]),
            (Ne(created, base), ["past", "next", "year 1"]),
            (In(created, (base, base + step)), ["now", "next"]),
            (Nin(created, (base,)), ["past", "next", "year 1"]),
            (Gt(updated, base), ["next"]),
            (Eq(updated, base), ["past", "now", "year 1"]),
            (Exists(expires), ["now"]),
            (IsEmpty(expires), ["past", "next", "year 1"]),
            (Lt(expires, base + timedelta(days=2)), ["now"]),
            (Ne(expires, base), ["past", "now", "next", "year 1"]),
            (Gt(created, base.isoformat()), []),
            (Gt(created, 0), []),
            (Exists(created), ["past", "now", "next", "year 1"]),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)

    async def test_sessions_and_ids(self, adapter: StorageAdapter) -> None:
        session, id = Field("session_id"), Field("id")
        entries = [make_entry("a", session_id="s1"), make_entry("ab", session_id="S1"), make_entry("b")]
        cases: list[tuple[FilterNode, list[str]]] = [
            (Eq(session, "s1"), ["a"]),
            (Ne(session, "s1"), ["ab", "b"]),
            (Eq(session, None), []),
            (Ne(session, None), ["a", "ab", "b"]),
            (Exists(session), ["a", "ab"]),
            (IsEmpty(session), ["b"]),
            (Prefix(session, "s"), ["a"]),
            (TextMatch(session, "S", False), ["a", "ab"]),
            (In(session, ("S1", "s2")), ["ab"]),
            (Nin(session, ("S1", "s2")), ["a", "b"]),
            (Eq(id, "a"), ["a"]),
            (In(id, ("a", "b", "c")), ["a", "b"]),
            (Prefix(id, "a"), ["a", "ab"]),
            (TextMatch(id, "b"), ["ab", "b"]),
            (Gt(id, "a"), ["ab", "b"]),
            (Ne(id, 1), ["a", "ab", "b"]),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)

    async def test_combinations_nest(self, adapter: StorageAdapter) -> None:
        entries = [make_entry(f"{n}", metadata={"x": n, "odd": bool(n % 2)}) for n in range(6)]
        odd = Eq(Field("odd", is_metadata=True), True)
        cases: list[tuple[FilterNode, list[str]]] = [
            (all_of([Gte(X, 2), Lt(X, 5)]), ["2", "3", "4"]),
            (all_of([Eq(X, 1), Eq(X, 2)]), []),
            (any_of([Eq(X, 1), Eq(X, 2)]), ["1", "2"]),
            (all_of([odd, any_of([Lt(X, 2), Gt(X, 4)])]), ["1", "5"]),
            (negate(all_of([odd, any_of([Lt(X, 2), Gt(X, 4)])])), ["0", "2", "3", "4"]),
            (negate(any_of([odd, negate(Gt(X, 1))])), ["2", "4"]),
            (EVERYTHING, ["0", "1", "2", "3", "4", "5"]),
            (NOTHING, []),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)
        deep: FilterNode = Eq(X, 3)
        for level in range(40):
            deep = negate(any_of([negate(deep), Eq(X, -level)]))
        await assert_filters(adapter, entries, deep, ["3"])

    async def test_user_keys_named_like_fields_are_the_users(self, adapter: StorageAdapter) -> None:
        entries = [
            make_entry(
                "a",
                tags=["real"],
                importance=0.9,
                session_id="s",
                metadata={"tags": "mine", "importance": 7, "id": "b"},
            ),
            make_entry("b", metadata={"session_id": "s", "created_at": "never"}),
        ]
        cases: list[tuple[FilterNode, list[str]]] = [
            (Eq(Field("tags", is_metadata=True), "mine"), ["a"]),
            (Contains(Field("tags"), ("mine",)), []),
            (Gt(Field("importance", is_metadata=True), 1), ["a"]),
            (Gt(Field("importance"), 1), []),
            (Eq(Field("id"), "b"), ["b"]),
            (Eq(Field("id", is_metadata=True), "b"), ["a"]),
            (Eq(Field("session_id", is_metadata=True), "s"), ["b"]),
            (Exists(Field("created_at", is_metadata=True)), ["b"]),
        ]
        for node, wanted in cases:
            await assert_filters(adapter, entries, node, wanted)

    async def test_filters_follow_rewrites_and_deletions(self, adapter: StorageAdapter) -> None:
        red = Contains(Field("tags"), ("red",))
        await assert_filters(
            adapter,
            [make_entry("a", tags=["red"], metadata={"x": 1}), make_entry("b", tags=["red"])],
            red,
            ["a", "b"],
        )
        await assert_filters(adapter, [make_entry("a", metadata={"x": 2})], red, ["b"])
        await assert_filters(adapter, [], Eq(X, 1), [])
        await assert_filters(adapter, [], Eq(X, 2), ["a"])
        await adapter.delete_many(NS, ["b"])
        await assert_filters(adapter, [], red, [])
        await assert_filters(adapter, [], negate(red), ["a"])


class RandomFilterTests(AdapterTests):
    """Random filters on random corpora."""

    async def agree(
        self,
        adapter: StorageAdapter,
        clock: ManualClock,
        entries: list[MemoryEntry],
        nodes: list[FilterNode],
        query: Vector,
    ) -> None:
        """Store the entries in a namespace of their own and compare every filter with the evaluator."""
        namespace = self.fresh_namespace()
        model = Oracle(clock)
        model.put(namespace, entries)
        await adapter.put_many(namespace, entries)
        for node in nodes:
            note(f"filter: {node}")
            await _compare(adapter, model, namespace, node, query)
            CHECKED[self.backend] += 1
        await adapter.clear(namespace)

    @given(st.data(), corpora(), vectors())
    @property_settings(0.5)
    async def test_random_filters_agree_with_the_evaluator(
        self,
        adapter: StorageAdapter,
        clock: ManualClock,
        data: st.DataObject,
        entries: list[MemoryEntry],
        query: Vector,
    ) -> None:
        nodes = data.draw(st.lists(filters(entries), min_size=1, max_size=8))
        await self.agree(adapter, clock, entries, nodes, query)

    @given(seeds)
    @property_settings(2.2)
    async def test_many_more_random_filters_agree_with_the_evaluator(
        self, adapter: StorageAdapter, clock: ManualClock, seed: int
    ) -> None:
        choices = generate.SeededChoices(seed)
        entries = generate.corpus(choices)
        nodes = [generate.filter_tree(choices, entries) for _ in range(FILTERS_PER_SEED)]
        await self.agree(adapter, clock, entries, nodes, generate.vector(choices))


async def _compare(
    adapter: StorageAdapter, model: Oracle, namespace: str, node: FilterNode, query: Vector
) -> None:
    wanted = sorted(entry.id for entry in model.select(namespace, node))
    residual = adapter.compile(node).residual
    native = await adapter.count(namespace, node)
    assert native >= len(wanted), "the native part of a filter may let more through, never less"
    assert native == len(wanted) or residual != EVERYTHING
    found = await scan_all(adapter, namespace, node, order_by="id", limit=4)
    assert [entry.id for entry in found] == wanted
    assert all(matches(node, entry) for entry in found)
    requests = [SearchRequest(node, 100, query), SearchRequest(node, 100)]
    near, listed = await adapter.search_many(namespace, requests)
    assert sorted(hit.entry.id for hit in listed if matches(residual, hit.entry)) == wanted
    cosines = model.similarities(namespace, node, query)
    kept = [hit for hit in near if matches(residual, hit.entry)]
    assert sorted(ids_of(kept)) == sorted(cosines)
    for hit in kept:
        assert hit.similarity is not None
        assert np.isclose(hit.similarity, cosines[hit.entry.id], atol=TOLERANCE)
