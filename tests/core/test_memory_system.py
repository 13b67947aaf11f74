"""The memory as its users see it, in process and on a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from axon import Filter, MemoryConfig, MemorySystem, Tier
from axon.adapters.memory import MemoryAdapter
from axon.core.clock import ManualClock
from axon.core.errors import (
    AdapterUnavailable,
    EmbeddingError,
    EmbeddingMismatchError,
    InvalidInputError,
    UnknownEntryError,
)
from axon.core.models import MemoryInput
from axon.core.policies import PersistentPolicy, RankingPolicy, RoutingPolicy, SessionPolicy
from axon.core.telemetry import Operation, add_hook
from axon.embedders.hashing import HashingEmbedder


async def texts(memory: MemorySystem, **options: Any) -> list[str]:
    return [entry.text async for entry in memory.scan(**options)]


@pytest.mark.parametrize(
    ("importance", "tier"),
    [
        (0.0, "ephemeral"),
        (0.29, "ephemeral"),
        (0.3, "session"),
        (0.69, "session"),
        (0.7, "persistent"),
        (1.0, "persistent"),
        (None, "session"),
    ],
)
async def test_importance_routes(memory: MemorySystem, importance: float | None, tier: str) -> None:
    entry = await memory.get(await memory.store("a thought", importance=importance))
    assert entry is not None
    assert entry.tier == tier
    assert entry.importance == (0.5 if importance is None else importance)


async def test_a_tier_that_is_not_configured_passes_on_to_the_next_more_durable_one() -> None:
    memory = MemorySystem(
        MemoryConfig(session=SessionPolicy(), routing=RoutingPolicy(default_importance=0.1))
    )
    for importance in (None, 0.5, 0.9):
        entry = await memory.get(await memory.store("a thought", importance=importance))
        assert entry is not None
        assert entry.tier is Tier.SESSION
    assert memory.tiers == (Tier.SESSION,)


async def test_several_tiers_are_chosen_from_by_importance(memory: MemorySystem) -> None:
    entry = await memory.get(await memory.store("a", importance=0.1, tier=["session", "persistent"]))
    assert entry is not None
    assert entry.tier is Tier.SESSION


async def test_everything_that_was_stored_comes_back(memory: MemorySystem, clock: ManualClock) -> None:
    vector = np.random.default_rng(1).standard_normal(384).astype(np.float32)
    metadata = {"a": [1, 2.0, None, True, {"b": "ü"}], "source": "x", "importance": 42, "big": 2**90, "": {}}
    id = await memory.store(
        "text", importance=0.25, tags=["b", "a", "b"], metadata=metadata, embedding=vector, id="any/ id:é*",
        ttl=60, session_id="s",
    )  # fmt: skip
    entry = await memory.get("any/ id:é*")
    assert entry is not None
    assert (entry.id, entry.text, entry.importance, entry.tags) == (id, "text", 0.25, ["b", "a"])
    assert entry.metadata == metadata
    assert [type(value) for value in entry.metadata["a"]] == [int, float, type(None), bool, dict]
    assert np.array_equal(entry.embedding, vector)
    assert entry.session_id == "s"
    assert (entry.created_at, entry.updated_at) == (entry.updated_at, entry.created_at)
    assert entry.expires_at is not None
    assert (entry.expires_at - entry.created_at).total_seconds() == 60
    assert entry.created_at.tzinfo is not None


async def test_nothing_handed_in_or_out_is_an_alias(memory: MemorySystem) -> None:
    metadata: dict[str, Any] = {"list": [1]}
    vector = np.ones(384, np.float32)
    tags = ["a"]
    id = await memory.store("text", metadata=metadata, embedding=vector, tags=tags)
    metadata["list"].append(2)
    vector[:] = 0
    tags.append("b")
    for _ in range(2):
        entry = await memory.get(id)
        assert entry is not None
        assert entry.metadata == {"list": [1]}
        assert entry.tags == ["a"]
        assert entry.embedding is not None
        assert entry.embedding[0] == 1
        entry.metadata["list"].append(3)
        entry.tags.append("c")
        entry.embedding[:] = 5
    result = (await memory.recall("text", k=1))[0]
    result.entry.metadata.clear()
    assert (await memory.recall("text", k=1))[0].entry.metadata == {"list": [1]}


async def test_recall_finds_across_tiers_best_first(memory: MemorySystem) -> None:
    for number in range(20):
        await memory.store(f"unrelated note number {number}", importance=0.1)
    id = await memory.store("the launch code of the rocket", importance=0.9)
    await memory.store("a rocket", importance=0.5)
    for mode in ("vector", "text", "hybrid", None):
        results = await memory.recall("launch code of the rocket", k=5, mode=mode)  # type: ignore[arg-type]
        assert results[0].entry.id == id, mode
        assert results[0].tier is Tier.PERSISTENT
        scores = [result.score for result in results]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)


async def test_a_word_weighs_the_same_in_every_tier(memory: MemorySystem) -> None:
    await memory.bulk_store([f"zebra crossing {n}" for n in range(200)], importance=0.5)
    exact = await memory.store("zebra migration in autumn", importance=0.9)
    results = await memory.recall("zebra migration in autumn", k=3, mode="text")
    assert results[0].entry.id == exact


async def test_recall_by_vector_and_min_score(memory: MemorySystem) -> None:
    basis = np.eye(384, dtype=np.float32)
    ids = await memory.bulk_store(
        ["a", "b", "c"], embeddings=np.stack([basis[0], basis[0] + basis[1], -basis[0]])
    )
    results = await memory.recall(basis[0], k=3)
    assert [result.entry.id for result in results] == ids
    assert [result.similarity for result in results] == pytest.approx([1.0, 0.5**0.5, -1.0], abs=1e-6)
    assert [result.score for result in results] == pytest.approx([1.0, (1 + 0.5**0.5) / 2, 0.0], abs=1e-6)
    assert [result.entry.id for result in await memory.recall(basis[0], k=3, min_score=0.6)] == ids[:2]


async def test_filters_apply_before_the_best_k(memory: MemorySystem) -> None:
    await memory.bulk_store([f"the same words {n}" for n in range(500)], tags=["common"], importance=0.8)
    rare = await memory.store("the same words again", tags=["rare"], importance=0.8, metadata={"n": 1})
    by_metadata = Filter(metadata={"n": {"$lt": 2}})
    for selection in (Filter(tags=["rare"]), {"n": 1}, by_metadata, {"tags": {"$nin": ["common"]}}):
        results = await memory.recall("the same words", k=5, filter=selection)
        assert [result.entry.id for result in results] == [rare]


async def test_the_tier_field_of_a_filter_limits_the_tiers(memory: MemorySystem) -> None:
    await memory.store("low", importance=0.1)
    high = await memory.store("high", importance=0.9)
    assert await memory.count(filter={"tier": "persistent"}) == 1
    assert [entry.id async for entry in memory.scan(filter={"$not": {"tier": "ephemeral"}})] == [high]
    assert {r.text for r in await memory.recall("low high", filter={"tier": {"$in": ["ephemeral"]}})} == {
        "low"
    }


async def test_signals_explain_the_score(memory: MemorySystem) -> None:
    await memory.store("alpha beta", importance=0.9)
    result = (await memory.recall("alpha", explain=True))[0]
    assert {"relevance", "recency", "importance", "similarity", "text_score"} <= result.signals.keys()
    assert result.signals["relevance"] == pytest.approx(result.score)
    assert (await memory.recall("alpha"))[0].signals == {}


async def test_recency_and_importance_count_only_when_asked(clock: ManualClock) -> None:
    weighted = RankingPolicy(recency_weight=5.0, importance_weight=0.0)
    for ranking, first in ((RankingPolicy(), "alpha beta gamma"), (weighted, "alpha only")):
        memory = MemorySystem(MemoryConfig(persistent=PersistentPolicy(), ranking=ranking), clock=clock)
        await memory.store("alpha beta gamma")
        clock.advance(365 * 86400)
        await memory.store("alpha only")
        assert (await memory.recall("alpha beta gamma", k=2))[0].text == first


async def test_recall_many_answers_in_order(memory: MemorySystem) -> None:
    await memory.bulk_store(["red apple", "green pear", "blue plum"])
    answers = await memory.recall_many(["pear", "plum", "apple"], k=1)
    assert [answer[0].text for answer in answers] == ["green pear", "blue plum", "red apple"]


async def test_storing_an_id_again_replaces_it_in_every_tier(memory: MemorySystem) -> None:
    await memory.store("first version", id="x", importance=0.1, tags=["old"], metadata={"v": 1})
    await memory.store("second version", id="x", importance=0.9)
    assert await memory.count() == 1
    entry = await memory.get("x")
    assert entry is not None
    assert (entry.text, entry.tier, entry.tags, entry.metadata) == ("second version", Tier.PERSISTENT, [], {})
    assert [result.text for result in await memory.recall("first version")] == ["second version"]


async def test_update_changes_only_what_is_given(memory: MemorySystem, clock: ManualClock) -> None:
    id = await memory.store("old words", tags=["a"], metadata={"x": 1}, importance=0.9, ttl=60)
    clock.advance(10)
    entry = await memory.update(id, text="new words", ttl=None)
    assert (entry.text, entry.tags, entry.metadata, entry.importance) == ("new words", ["a"], {"x": 1}, 0.9)
    assert entry.expires_at is None
    assert (entry.updated_at - entry.created_at).total_seconds() == 10
    assert await memory.get(id) == entry
    assert (await memory.recall("new words", mode="vector"))[0].similarity == pytest.approx(1.0, abs=1e-5)
    assert (await memory.update(id, metadata=None, tags=[])).metadata == {}
    with pytest.raises(UnknownEntryError):
        await memory.update("nobody", text="x")


async def test_delete_forget_clear_and_count(memory: MemorySystem) -> None:
    items = [MemoryInput(text=f"t{n}", importance=n / 10, tags=["even"] * (n % 2 == 0)) for n in range(10)]
    ids = await memory.bulk_store(items)
    assert await memory.delete(ids[0])
    assert not await memory.delete(ids[0])
    assert await memory.delete_many([ids[1], "nobody", ids[1]]) == 1
    report = await memory.forget(filter=Filter(tags=["even"]))
    assert report.deleted == 4
    assert sum(report.by_tier.values()) == 4
    assert await memory.count() == 4
    assert await memory.count(tier="persistent") == 2
    await memory.clear(tier="persistent")
    assert await memory.count() == 2
    await memory.clear()
    assert await texts(memory) == []


async def test_scopes_cannot_leak(memory: MemorySystem) -> None:
    other = memory.scope("other * %:_")
    await memory.store("mine", id="same", importance=0.9)
    await other.store("theirs", id="same", importance=0.9)
    assert [result.text for result in await memory.recall("mine theirs")] == ["mine"]
    everything = {"$or": [{"id": "same"}, {"id": {"$ne": "same"}}]}
    assert await texts(other, filter=everything) == ["theirs"]
    await other.forget(filter=everything)
    assert await memory.count() == 1
    await other.clear()
    await other.aclose()
    assert (await memory.get("same")) is not None


async def test_another_embedder_is_refused_and_clear_makes_room(memory: MemorySystem) -> None:
    await memory.store("something", importance=0.9)
    stranger = memory.scope(memory.namespace, embedder=HashingEmbedder(dims=64))
    with pytest.raises(EmbeddingMismatchError, match="hashing"):
        await stranger.store("something else", importance=0.9)
    with pytest.raises(EmbeddingMismatchError):
        await stranger.recall("something")
    assert await memory.count() == 1
    await memory.clear()
    await stranger.store("something else", importance=0.9)
    assert (await stranger.recall("something else"))[0].text == "something else"
    with pytest.raises(EmbeddingMismatchError):
        await memory.store("something", importance=0.9)


async def test_entries_without_a_vector_are_found_by_text_only(memory: MemorySystem) -> None:
    bare = await memory.store("hello there", embed=False)
    full = await memory.store("hello world")
    assert {result.entry.id for result in await memory.recall("hello", mode="text")} == {bare, full}
    assert [result.entry.id for result in await memory.recall("hello", mode="vector")] == [full]
    hybrid = {result.entry.id: result for result in await memory.recall("hello there", k=5)}
    assert hybrid[bare].similarity is None
    entry = await memory.get(bare)
    assert entry is not None
    assert entry.embedding is None


async def test_bulk_store_leaves_out_vectors_on_request(memory: MemorySystem) -> None:
    vector = np.ones(384, dtype=np.float32)
    items = ["hello there", MemoryInput(text="hello world", embedding=vector)]
    bare, full = await memory.bulk_store(items, embed=False)
    assert {result.entry.id for result in await memory.recall("hello", mode="text")} == {bare, full}
    assert [result.entry.id for result in await memory.recall(vector)] == [full]
    with pytest.raises(EmbeddingError, match="item 1") as refused:
        await memory.bulk_store(["one", MemoryInput(text="two", embedding=[float("nan")])], embed=False)
    assert (refused.value.index, refused.value.stored) == (1, 0)
    assert await memory.count() == 2


async def test_bulk_store_takes_every_form_of_item(memory: MemorySystem) -> None:
    async def stream() -> AsyncIterator[str]:
        for number in range(5):
            yield f"async {number}"

    ids = await memory.bulk_store(stream(), batch_size=2, importance=0.9, tags=["t"])
    assert [entry.text for entry in await memory.get_many(ids) if entry] == [f"async {n}" for n in range(5)]
    seen: list[tuple[int, int | None]] = []
    mixed: list[Any] = [
        "plain",
        {"text": "map", "importance": 0.1, "id": "m"},
        MemoryInput(text="struct", tags=["s"]),
    ]
    ids = await memory.bulk_store(
        mixed, metadata={"k": 1}, progress=lambda done, total: seen.append((done, total))
    )
    entries = await memory.get_many([*ids, "nobody"])
    assert entries.pop() is None
    assert [(e.text, e.tags, e.metadata, e.tier) for e in entries if e] == [
        ("plain", [], {"k": 1}, "session"), ("map", [], {"k": 1}, "ephemeral"), ("struct", ["s"], {"k": 1}, "session"),
    ]  # fmt: skip
    assert seen == [(3, 3)]


async def test_many_concurrent_calls_lose_nothing(memory: MemorySystem) -> None:
    ids = await asyncio.gather(*(memory.store(f"note {n}", importance=n % 10 / 10) for n in range(500)))
    assert len(set(ids)) == 500
    found = await asyncio.gather(*(memory.get(id) for id in ids))
    assert [entry.text for entry in found if entry] == [f"note {n}" for n in range(500)]
    assert all(await asyncio.gather(*(memory.delete(id) for id in ids)))
    assert await memory.count() == 0


async def test_promote_and_demote_leave_one_copy(memory: MemorySystem) -> None:
    id = await memory.store("mobile", importance=0.1, ttl=1000)
    await memory.promote(id, "persistent")
    await memory.promote(id, "persistent")
    entry = await memory.get(id)
    assert entry is not None
    assert entry.tier is Tier.PERSISTENT
    assert await memory.count() == 1
    assert entry.expires_at is not None
    with pytest.raises(InvalidInputError, match="demote"):
        await memory.promote(id, "session")
    await memory.demote(id, "ephemeral")
    assert await memory.count(tier="ephemeral") == 1
    assert await memory.count() == 1
    with pytest.raises(UnknownEntryError):
        await memory.demote("nobody", "ephemeral")


async def test_access_statistics_count_only_what_was_returned(memory: MemorySystem) -> None:
    ids = await memory.bulk_store([f"apple {n}" for n in range(10)])
    returned = {result.entry.id for result in await memory.recall("apple", k=3)}
    await memory.recall("apple", k=3)
    await memory.maintain()
    counts = {entry.id: entry.access_count for entry in await memory.get_many(ids) if entry}
    assert sum(counts.values()) == 6
    assert {id for id, count in counts.items() if count} == returned


async def test_hooks_see_operations(memory: MemorySystem) -> None:
    seen: list[Operation] = []
    remove = add_hook(seen.append)
    try:
        await memory.store("a")
        await memory.recall("a")
        with pytest.raises(InvalidInputError):
            await memory.recall("a", k=0)
    finally:
        remove()
    await memory.store("b")
    assert [(each.name, each.items, each.error) for each in seen] == [
        ("store", 1, None), ("recall", 1, None), ("recall", 0, "InvalidInputError"),
    ]  # fmt: skip


async def test_a_closed_memory_says_so(memory: MemorySystem) -> None:
    await memory.store("a")
    await memory.aclose()
    await memory.aclose()
    with pytest.raises(AdapterUnavailable, match="closed"):
        await memory.store("b")


async def test_stats_describe_every_tier(memory: MemorySystem) -> None:
    await memory.bulk_store(["a", "b"], importance=0.9)
    await memory.scope("other").store("c", importance=0.9)
    stats = await memory.stats()
    assert stats.entries == 2
    assert list(stats.tiers) == ["ephemeral", "session", "persistent"]
    assert (stats.tiers["persistent"].entries, stats.tiers["persistent"].entries_total) == (2, 3)
    assert stats.embedder.startswith("axon/hashing@")


async def test_the_time_is_the_backends_where_it_has_a_clock(
    memory: MemorySystem, clock: ManualClock
) -> None:
    assert await memory.now_us("session") == clock.now_us()
    with pytest.raises(InvalidInputError):
        await memory.now_us("nowhere")

    class WithClock(MemoryAdapter):
        async def backend_now_us(self, namespace: str) -> int:
            return 42

    config = MemoryConfig(session=SessionPolicy(), persistent=PersistentPolicy())
    async with MemorySystem(config, clock=clock, adapters={Tier.SESSION: WithClock()}) as mixed:
        assert await mixed.now_us("session") == 42
        assert await mixed.now_us("persistent") == clock.now_us()
