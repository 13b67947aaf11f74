"""Searching by words, and by words and vector together; for adapters that can."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import numpy as np
import pytest

from axon.core.filter.ast import EVERYTHING, Contains, Field
from axon.core.models import Hit, SearchRequest
from axon.core.ports import StorageAdapter
from axon.testing.adapter_base import NS, AdapterTests
from axon.testing.adapter_search import TOLERANCE, vector
from axon.testing.entries import make_entry
from axon.testing.exact import ids_of, search

SYNTAX = (
    '"', "'", "fox AND", "NOT", "fox*", "*", "^fox", "text:fox", "(fox", "fox)", "fox -bear", "{fox}", "NEAR(fox", "%",
    "\\", "\0", "fox\0bear", "@text:{fox}", "|", "~fox", "; DROP TABLE", "fox OR bear", "- -", "🦊", "...", " ", "\n",
)  # fmt: skip
"""Queries that some search language would read as syntax, or refuse."""

ANIMALS = (
    "the red fox jumps",
    "a brown bear sleeps",
    "the bear sees the fox",
    "rain in spring",
    "Ünïcode naïve café",
)


async def filled(adapter: StorageAdapter) -> None:
    """Store the animals under ids "0" to "4", with vectors along the axes."""
    rows = np.eye(len(ANIMALS), dtype=np.float32)
    await adapter.put_many(
        NS, [make_entry(f"{n}", text=text, embedding=rows[n]) for n, text in enumerate(ANIMALS)]
    )


class TextSearchTests(AdapterTests):
    """Requests that carry text. An adapter without text search shows that it says so."""

    async def words(self, adapter: StorageAdapter, text: str, k: int = 10) -> list[Hit]:
        """Search by words; where the adapter cannot, return no hits."""
        return await search(adapter, NS, text=text, k=k)

    @pytest.fixture
    def can(self, adapter: StorageAdapter) -> bool:
        """Whether the adapter claims to search texts."""
        return adapter.capabilities.text_search

    async def test_words_find_the_texts_that_hold_them(self, adapter: StorageAdapter, can: bool) -> None:
        await filled(adapter)
        found = await self.words(adapter, "fox")
        assert sorted(ids_of(found)) == (["0", "2"] if can else [])
        for hit in found:
            assert hit.text_score is not None
            assert hit.text_score > 0.0
            assert hit.similarity is None
        assert await self.words(adapter, "elephant") == []

    async def test_more_of_the_words_score_higher(self, adapter: StorageAdapter, can: bool) -> None:
        await filled(adapter)
        found = await self.words(adapter, "fox bear")
        assert ids_of(found)[:1] == (["2"] if can else [])
        assert sorted(ids_of(found)) == (["0", "1", "2"] if can else [])
        scores = [hit.text_score or 0.0 for hit in found]
        assert scores == sorted(scores, reverse=True)

    async def test_case_does_not_matter(self, adapter: StorageAdapter, can: bool) -> None:
        await filled(adapter)
        assert sorted(ids_of(await self.words(adapter, "FOX"))) == (["0", "2"] if can else [])

    async def test_k_bounds_the_hits(self, adapter: StorageAdapter, can: bool) -> None:
        await adapter.put_many(NS, [make_entry(f"{n}", text="fox " * (n + 1)) for n in range(20)])
        for k in (1, 7, 20, 100):
            assert len(await self.words(adapter, "fox", k)) == (min(k, 20) if can else 0)

    @pytest.mark.parametrize("query", SYNTAX, ids=ascii)
    async def test_nothing_in_a_query_is_syntax(self, adapter: StorageAdapter, can: bool, query: str) -> None:
        await filled(adapter)
        found = set(ids_of(await self.words(adapter, query)))
        named = {
            f"{n}"
            for n, text in enumerate(ANIMALS)
            if any(word in query for word in ("fox", "bear") if word in text)
        }
        assert found == (named if can else set())

    async def test_the_index_follows_rewrites_and_deletions(self, adapter: StorageAdapter, can: bool) -> None:
        await filled(adapter)
        await self.words(adapter, "fox")
        await adapter.put_many(
            NS, [make_entry("0", text="a grey wolf"), make_entry("new", text="another fox")]
        )
        await adapter.delete_many(NS, ["2"])
        assert sorted(ids_of(await self.words(adapter, "fox"))) == (["new"] if can else [])
        assert sorted(ids_of(await self.words(adapter, "wolf"))) == (["0"] if can else [])
        await adapter.clear(NS)
        assert await self.words(adapter, "fox wolf bear") == []

    async def test_filters_hold_for_words_too(self, adapter: StorageAdapter, can: bool) -> None:
        await adapter.put_many(
            NS, [make_entry(f"{n}", text="fox", tags=["t"] if n == 90 else []) for n in range(100)]
        )
        hits = await search(adapter, NS, text="fox", k=3, node=Contains(Field("tags"), ("t",)))
        assert ids_of(hits) == (["90"] if can else [])


class HybridSearchTests(AdapterTests):
    """Requests that carry both a vector and text."""

    async def test_both_channels_contribute_with_both_signals(self, adapter: StorageAdapter) -> None:
        await filled(adapter)
        hits = await search(adapter, NS, vector(0, 0, 0, 1, 0), text="fox", k=1)
        by_id = {hit.entry.id: hit for hit in hits}
        assert "3" in by_id, "the nearest vector is missing"
        assert by_id["3"].similarity == pytest.approx(1.0, abs=TOLERANCE)
        if adapter.capabilities.text_search:
            assert len(by_id) == 2
            assert by_id["3"].text_score == 0.0
            other = by_id.get("0") or by_id["2"]
            assert other.similarity == pytest.approx(0.0, abs=TOLERANCE)
            assert other.text_score is not None
            assert other.text_score > 0.0

    async def test_each_channel_gives_at_most_k(self, adapter: StorageAdapter) -> None:
        rows = np.eye(40, dtype=np.float32)
        await adapter.put_many(
            NS, [make_entry(f"{n}", text="fox" if n < 20 else "bear", embedding=rows[n]) for n in range(40)]
        )
        for k in (1, 5, 40):
            hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, k, rows[30], "fox")]))[0]
            assert len(set(ids_of(hits))) == len(hits) <= 2 * k
            assert "30" in ids_of(hits)

    async def test_an_entry_without_a_vector_is_found_by_its_words(self, adapter: StorageAdapter) -> None:
        await adapter.put_many(
            NS, [make_entry("words", text="fox"), make_entry("far", text="bear", embedding=[0, 1])]
        )
        hits = {hit.entry.id: hit for hit in await search(adapter, NS, vector(1, 0), text="fox")}
        assert ("words" in hits) == adapter.capabilities.text_search
        if "words" in hits:
            assert hits["words"].similarity is None

    async def test_statistics_describe_the_namespace(self, adapter: StorageAdapter) -> None:
        await filled(adapter)
        found = await adapter.text_statistics(NS, "fox elephant")
        if found is not None:
            assert found.rows == len(ANIMALS)
            assert found.words >= len(ANIMALS)
            assert sorted(found.frequency.values()) == [0, 2]
