"""A memory whose tiers do not all rank words: none of them is at a disadvantage."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from axon import MemoryConfig, MemorySystem
from axon.core.policies import PersistentPolicy, SessionPolicy

EXACT = "Deploys are frozen from 20 December to 2 January."
ONE_WORD = "January was cold, and the lift was out of order."


@pytest.fixture
async def memory() -> AsyncIterator[MemorySystem]:
    config = MemoryConfig(
        session=SessionPolicy(), persistent=PersistentPolicy(adapter_config={"text_index": False})
    )
    async with MemorySystem(config) as memory:
        await memory.store(EXACT, id="exact", tier="persistent")
        await memory.store("Tea is green.", id="tea", tier="persistent")
        await memory.store(ONE_WORD, id="one word", tier="session")
        yield memory


@pytest.mark.parametrize("question", [EXACT, "deploys frozen in january?"])
async def test_the_best_match_comes_first_whichever_tier_holds_it(
    memory: MemorySystem, question: str
) -> None:
    results = await memory.recall(question, explain=True)
    assert [result.entry.id for result in results] == ["exact", "one word", "tea"]
    words = {result.entry.id: result.signals["text_score"] for result in results}
    assert words["exact"] > words["one word"] > words["tea"] == 0.0


async def test_a_word_weighs_the_same_in_both_kinds_of_tier(memory: MemorySystem) -> None:
    await memory.store(ONE_WORD, id="copy", tier="persistent")
    results = await memory.recall("a cold january", explain=True)
    (one, other) = (result for result in results if result.text == ONE_WORD)
    assert one.tier != other.tier
    assert one.signals["text_score"] == pytest.approx(other.signals["text_score"])
    assert one.score == pytest.approx(other.score)


async def test_long_texts_are_scored_too(memory: MemorySystem) -> None:
    await memory.bulk_store(
        [f"{'filler ' * 500} {word}" for word in ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta")],
        ids=list("abcdefg"), tier="persistent",
    )  # fmt: skip
    results = await memory.recall("zeta", k=1, explain=True)
    assert [(result.entry.id, result.signals["text_score"] > 0) for result in results] == [("f", True)]


async def test_by_words_alone_only_tiers_that_rank_words_answer(memory: MemorySystem) -> None:
    assert [result.entry.id for result in await memory.recall("january", mode="text")] == ["one word"]
