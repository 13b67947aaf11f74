"""A memory of two tiers, of which one fails: the other serves, and the error names the tier."""

from __future__ import annotations

import asyncio

import pytest

from axon import MemoryConfig, MemorySystem, Tier
from axon.core.errors import AdapterError, TierError
from axon.core.models import RecallResult
from axon.core.policies import EphemeralPolicy
from tests.adapters.faults.backends import Fault, Place, cases
from tests.adapters.faults.writing import recovered

QUERY = "the red fox"
TEXTS = {Tier.EPHEMERAL: "a red fox near by", Tier.PERSISTENT: "a red fox far away"}


async def store_in_both(memory: MemorySystem) -> None:
    for tier, text in TEXTS.items():
        await recovered(lambda tier=tier, text=text: memory.store(text, tier=tier, id=text))  # type: ignore[misc]  # the defaults bind them


def tiers_of(results: list[RecallResult]) -> set[Tier | None]:
    return {result.tier for result in results}


@cases("killed", "paused")
async def test_one_tier_that_fails_is_named(place: Place, fault: Fault) -> None:
    config = MemoryConfig(ephemeral=EphemeralPolicy(), persistent=place.policy)
    async with MemorySystem(config) as memory:
        await store_in_both(memory)
        unknown = memory.scope("never used before")
        fault.begin(place)
        for each in (memory, unknown):
            found = await each.recall(QUERY, partial=True)
            assert set(found.failed) == {Tier.PERSISTENT}
            assert isinstance(found.failed[Tier.PERSISTENT], fault.errors)
            assert tiers_of(found) == (set() if each is unknown else {Tier.EPHEMERAL})
            with pytest.raises(TierError) as refused:
                await each.recall(QUERY)
            assert refused.value.tier == "persistent"
            assert isinstance(refused.value.cause, fault.errors)
        with pytest.raises(AdapterError):
            await memory.store("not kept", tier=Tier.PERSISTENT)
        await memory.store("kept", tier=Tier.EPHEMERAL)
        await asyncio.to_thread(fault.end, place)
        assert tiers_of(await recovered(lambda: recall_all(memory))) == set(TEXTS)
        found = await asyncio.to_thread(asyncio.run, recovered(lambda: recall_all(memory)))
        assert tiers_of(found) == set(TEXTS)


async def recall_all(memory: MemorySystem) -> list[RecallResult]:
    """Recall, and raise what the tier met, as it is what an application repeats after."""
    try:
        return await memory.recall(QUERY)
    except TierError as error:
        raise error.cause from error
