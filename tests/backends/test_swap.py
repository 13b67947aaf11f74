"""Changing one line of a policy changes where entries lie, and nothing that a program sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from axon import Filter, MemoryConfig, MemorySystem
from axon.core.policies import PersistentPolicy, RecallMode, SessionPolicy
from tests.backends.catalogue import BACKENDS, Backend

SAME_SCORE = 1e-5

NOTES = {
    "freeze": ("Deploys are frozen from 20 December to 2 January.", 0.9, ["ops", "dates"]),
    "tuesday": ("Deploys go out on Tuesdays, and hotfixes on any day.", 0.5, ["ops"]),
    "lift": ("The lift on the fourth floor is out of order today.", 0.1, ["office"]),
    "keys": ("The deploy key is rotated on the first day of a month.", 0.7, ["ops", "security"]),
    "tea": ("The lighthouse keeper drinks green tea at dawn.", 0.3, []),
    "rollback": ("A rollback takes four minutes; tell the incident channel.", 0.8, ["ops"]),
    "badge": ("Lost badges are reported to security within an hour.", 0.6, ["office", "security"]),
    "backup": ("Backups run at night and are kept for thirty days.", 0.7, ["ops", "dates"]),
}
QUESTIONS: list[tuple[str, Any]] = [
    ("when are deploys frozen?", None),
    ("how is a deploy undone?", Filter(tags=["ops"], min_importance=0.6)),
    ("who hears about lost badges?", Filter(any_tags=["security", "office"])),
    ("what happens at night?", {"hour": {"$gte": 20}}),
    ("what happens at dawn?", ~Filter(tags=["ops"])),
    ("which key?", {"hour": {"$exists": False}, "importance": {"$lt": 0.9}}),
]

RANKS_WORDS = [name for name, backend in BACKENDS.items() if backend.adapter_type in ("sqlite", "redis")]

Found = list[list[tuple[str, float]]]


async def program(config: MemoryConfig, mode: RecallMode, *, revise: bool) -> Found:
    """Remember, perhaps overwrite, correct and delete, and ask."""
    async with MemorySystem(config) as memory:
        await memory.bulk_store(
            [
                {"id": id, "text": text, "importance": importance, "tags": tags, "metadata": {"hour": len(text) % 24}}
                for id, (text, importance, tags) in NOTES.items()
            ]
        )  # fmt: skip
        if revise:
            await memory.store("Old keys are shredded.", id="keys", importance=0.7, tags=["security"])
            await memory.update("lift", text="The lift works again.", tags=["office", "good news"])
            await memory.delete("tea")
        answers = [await memory.recall(text, k=4, filter=filter, mode=mode) for text, filter in QUESTIONS]
    return [[(result.entry.id, result.score) for result in results] for results in answers]


async def in_this_process(mode: RecallMode, *, revise: bool) -> Found:
    policy = PersistentPolicy(adapter_type="memory")
    return await program(MemoryConfig(persistent=policy), mode, revise=revise)


async def test_a_program_finds_the_same_on_every_backend(backend: Backend, tmp_path: Path) -> None:
    with backend.config(tmp_path) as config:
        found = await program(config, "vector", revise=True)
    same(found, await in_this_process("vector", revise=True))


# Without revision: until an index in process is tidied, how rare a word is depends on overwritten entries too.
@pytest.mark.parametrize("name", RANKS_WORDS)
@pytest.mark.parametrize("mode", ["hybrid", "text"])
async def test_words_count_the_same_where_they_count(name: str, mode: RecallMode, tmp_path: Path) -> None:
    with BACKENDS[name].config(tmp_path) as config:
        found = await program(config, mode, revise=False)
    same(found, await in_this_process(mode, revise=False))


def same(found: Found, wanted: Found) -> None:
    assert sum(map(len, wanted)) > len(QUESTIONS), "the questions have answers"
    for mine, theirs in zip(found, wanted, strict=True):
        assert [id for id, _ in mine] == [id for id, _ in theirs]
        assert [score for _, score in mine] == pytest.approx([score for _, score in theirs], abs=SAME_SCORE)


async def test_two_tiers_in_one_place_share_nothing(network_backend: Backend, tmp_path: Path) -> None:
    with network_backend.place(tmp_path) as options:
        policies = {"adapter_type": network_backend.adapter_type, "adapter_config": options}
        config = MemoryConfig(session=SessionPolicy(**policies), persistent=PersistentPolicy(**policies))
        async with MemorySystem(config) as memory:
            await memory.store("for now", id="a", tier="session")
            await memory.store("for good", id="b", tier="persistent")
            assert [await memory.count(tier=tier) for tier in memory.tiers] == [1, 1]
            await memory.clear(tier="session")
            assert await memory.get("b") is not None
            assert await memory.count() == 1
