"""Searching by vector: what is found, how near it is said to be, what is never found."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.clock import ManualClock
from axon.core.filter.ast import EVERYTHING, NOTHING, Contains, Eq, Field, FilterNode, Gte
from axon.core.models import MemoryEntry, SearchRequest, Vector
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests, property_settings
from axon.testing.entries import START_US, assert_same, make_entry
from axon.testing.exact import ids_of, search
from axon.testing.generate import DIMS
from axon.testing.oracle import Oracle, cosine
from axon.testing.strategies import vectors

TOLERANCE = 1e-3
"""How far a backend's cosine may be from the true one (pitfall D3)."""


def vector(*numbers: float) -> Vector:
    """Make a float32 vector."""
    return np.array(numbers, np.float32)


def scattered(count: int, dims: int = 16, seed: int = 7) -> list[MemoryEntry]:
    """Make entries with random vectors of random lengths, the same ones each time."""
    random = np.random.default_rng(seed)
    rows = random.standard_normal((count, dims)) * random.uniform(0.1, 10, (count, 1))
    return [
        make_entry(f"id {n}", text=f"text {n}", embedding=row, tags=["rare"] if n == count // 2 else ["common"],
                   importance=n / count, metadata={"n": n, "third": n % 3 == 0})
        for n, row in enumerate(rows)
    ]  # fmt: skip


class VectorSearchTests(AdapterTests):
    """``search_many`` with vectors."""

    async def test_what_was_stored_is_found_by_its_own_vector(self, adapter: StorageAdapter) -> None:
        entries = scattered(50)
        await adapter.put_many(NS, entries)
        for entry in entries[::7]:
            hit = (await search(adapter, NS, entry.embedding, k=1))[0]
            assert_same(hit.entry, entry)
            assert hit.similarity == pytest.approx(1.0, abs=TOLERANCE)
            assert hit.text_score is None

    async def test_the_nearest_are_found_best_first(self, adapter: StorageAdapter) -> None:
        entries = scattered(300)
        await adapter.put_many(NS, entries)
        for query in (entry.embedding for entry in scattered(5, seed=8)):
            assert query is not None
            true = {
                entry.id: cosine(query, entry.embedding) for entry in entries if entry.embedding is not None
            }
            hits = await search(adapter, NS, query, k=10)
            assert ids_of(hits) == sorted(true, key=lambda id: -true[id])[:10]
            for hit in hits:
                assert hit.similarity == pytest.approx(true[hit.entry.id], abs=TOLERANCE)

    @given(st.lists(st.none() | vectors(), max_size=8), vectors(), st.integers(1, 10))
    @property_settings()
    async def test_similarity_is_the_cosine(
        self, adapter: StorageAdapter, stored: list[Vector | None], query: Vector, k: int
    ) -> None:
        namespace = self.fresh_namespace()
        model = Oracle(ManualClock(START_US))
        entries = [make_entry(f"{n}", embedding=each) for n, each in enumerate(stored)]
        model.put(namespace, entries)
        await adapter.put_many(namespace, entries)
        true = model.similarities(namespace, EVERYTHING, query)
        hits = await search(adapter, namespace, query, k=k)
        assert len(hits) == min(k, len(true))
        assert len(set(ids_of(hits))) == len(hits)
        best = sorted(true.values(), reverse=True)[: len(hits)]
        for hit, wanted in zip(hits, best, strict=True):
            assert hit.similarity is not None
            assert -1.0 <= hit.similarity <= 1.0
            assert hit.similarity == pytest.approx(true[hit.entry.id], abs=TOLERANCE)
            assert hit.similarity == pytest.approx(wanted, abs=TOLERANCE), "a nearer entry was left out"

    @pytest.mark.parametrize("factor", [1e-4, 1.0, 250.0])
    async def test_the_length_of_a_query_does_not_matter(
        self, adapter: StorageAdapter, factor: float
    ) -> None:
        entries = scattered(20)
        await adapter.put_many(NS, entries)
        query = entries[3].embedding
        assert query is not None
        plain = await search(adapter, NS, query)
        scaled = await search(adapter, NS, (query * np.float32(factor)).astype(np.float32))
        assert ids_of(scaled) == ids_of(plain)
        for one, other in zip(plain, scaled, strict=True):
            assert one.similarity == pytest.approx(other.similarity, abs=TOLERANCE)

    async def test_the_query_is_left_as_it_was(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, scattered(5, dims=3))
        query = vector(3, 4, 0)
        await search(adapter, NS, query)
        assert query.tolist() == [3.0, 4.0, 0.0]

    async def test_vectors_without_direction_are_no_nearer_than_any(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(
            NS, [make_entry("zero", embedding=[0, 0]), make_entry("same", embedding=[0, 1])]
        )
        hits = await search(adapter, NS, vector(0, 1))
        assert ids_of(hits)[0] == "same"
        for hit in await search(adapter, NS, vector(0, 0)):
            assert hit.similarity is None or hit.similarity == pytest.approx(0.0, abs=TOLERANCE)

    async def test_entries_without_a_vector_are_not_found_by_one(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("text only"), make_entry("both", embedding=[1, 0])])
        assert ids_of(await search(adapter, NS, vector(1, 0), k=5)) == ["both"]
        await adapter.put_many(NS, [make_entry("both", text="no longer")])
        assert await search(adapter, NS, vector(1, 0), k=5) == []

    async def test_a_new_vector_replaces_the_old_one(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("a", embedding=[1, 0]), make_entry("b", embedding=[0.8, 0.6])])
        await adapter.put_many(NS, [make_entry("a", embedding=[0, 1])])
        hits = await search(adapter, NS, vector(1, 0), k=5)
        assert ids_of(hits) == ["b", "a"]
        assert hits[1].similarity == pytest.approx(0.0, abs=TOLERANCE)

    async def test_deleted_entries_are_not_found(self, adapter: StorageAdapter) -> None:
        entries = scattered(40)
        await adapter.put_many(NS, entries)
        gone = {entry.id for entry in entries[::2]}
        await adapter.delete_many(NS, list(gone))
        found = ids_of(await search(adapter, NS, entries[0].embedding, k=40))
        assert sorted(found) == sorted(entry.id for entry in entries if entry.id not in gone)

    async def test_k_beyond_the_entries_returns_them_all(self, adapter: StorageAdapter) -> None:
        entries = scattered(12)
        await adapter.put_many(NS, entries)
        for k in (1, 11, 12, 13, 1000):
            assert len(await search(adapter, NS, entries[0].embedding, k=k)) == min(k, 12)

    async def test_opposite_vectors_are_found_too(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry("far", embedding=[-1, 0])])
        hits = await search(adapter, NS, vector(1, 0))
        assert [hit.similarity for hit in hits] == [pytest.approx(-1.0, abs=TOLERANCE)]

    async def test_equal_vectors_come_in_a_fixed_order(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [make_entry(f"{n}", embedding=[1, 1]) for n in range(30)])
        first = ids_of(await search(adapter, NS, vector(1, 1), k=7))
        assert len(set(first)) == 7
        for _ in range(3):
            assert ids_of(await search(adapter, NS, vector(1, 1), k=7)) == first


class RequestTests(AdapterTests):
    """The shapes of a call."""

    async def test_an_empty_namespace_answers_each_request(self, adapter: StorageAdapter) -> None:
        requests = [SearchRequest(EVERYTHING, 5, vector(1, 0)), SearchRequest(EVERYTHING, 5)]
        assert await adapter.search_many("never written", requests) == [[], []]
        assert await adapter.namespaces() == []

    async def test_several_requests_are_answered_in_order(self, adapter: StorageAdapter) -> None:
        entries = scattered(60)
        await adapter.put_many(NS, [*entries, make_entry("no vector")])
        nodes: list[FilterNode] = [EVERYTHING, Contains(Field("tags"), ("rare",)), EVERYTHING, NOTHING]
        requests = [
            SearchRequest(nodes[n % 4], 1 + n % 5, None if n == 9 else entries[n].embedding)
            for n in range(12)
        ]
        together = await adapter.search_many(NS, requests)
        singly = [(await adapter.search_many(NS, [request]))[0] for request in requests]
        for request, one, other in zip(requests, together, singly, strict=True):
            assert sorted(ids_of(one)) == sorted(ids_of(other))
            if request.vector is not None and request.filter is EVERYTHING:
                assert ids_of(one) == ids_of(other)

    async def test_a_request_without_query_returns_any_that_match(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, [*scattered(20), make_entry("bare", metadata={"third": True})])
        third: FilterNode = Eq(Field("third", is_metadata=True), True)
        assert len(await search(adapter, NS, k=5)) == 5
        assert len(set(ids_of(await search(adapter, NS, k=50)))) == 21
        assert len(await search(adapter, NS, k=50, node=third)) == 8
        assert {hit.similarity for hit in await search(adapter, NS, k=50)} == {None}

    async def test_hits_are_whole_entries(self, adapter: StorageAdapter) -> None:
        wanted = make_entry(
            "a", text="t", tags=["x"], metadata={"k": [1, None]}, embedding=[3, 4], session_id="s", keyed=True
        )
        await adapter.put_many(NS, [wanted])
        assert_same((await search(adapter, NS, vector(1, 1)))[0].entry, wanted)
        assert_same((await search(adapter, NS))[0].entry, wanted)


class FilteredSearchTests(AdapterTests):
    """Filters come before the best k are chosen."""

    async def test_one_rare_match_is_found(self, adapter: StorageAdapter) -> None:
        entries = scattered(400)
        await adapter.put_many(NS, entries)
        rare = Contains(Field("tags"), ("rare",))
        for query in (entry.embedding for entry in scattered(5, seed=9)):
            assert ids_of(await search(adapter, NS, query, k=5, node=rare)) == ["id 200"]

    async def test_enough_matches_fill_k(self, adapter: StorageAdapter) -> None:
        entries = scattered(400)
        await adapter.put_many(NS, entries)
        important = Gte(Field("importance"), 0.875)
        hits = await search(adapter, NS, entries[0].embedding, k=10, node=important)
        assert len(hits) == 10
        assert min(hit.entry.importance for hit in hits) >= 0.875

    async def test_the_best_of_the_matching_are_found(self, adapter: StorageAdapter) -> None:
        entries = scattered(300)
        await adapter.put_many(NS, entries)
        third = Eq(Field("third", is_metadata=True), True)
        for query in (entry.embedding for entry in scattered(4, seed=10)):
            assert query is not None
            true = {e.id: cosine(query, e.embedding) for e in entries[::3] if e.embedding is not None}
            hits = await search(adapter, NS, query, k=7, node=third)
            assert ids_of(hits) == sorted(true, key=lambda id: -true[id])[:7]

    async def test_nothing_matches_nothing(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(NS, scattered(10, dims=DIMS))
        assert await search(adapter, NS, vector(1, 0, 0, 0), node=NOTHING) == []
        assert await search(adapter, NS, node=NOTHING) == []
