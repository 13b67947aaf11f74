"""The store beside everything else that a memory does: tiers, upkeep, isolation, other faces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from langgraph.store.base import InvalidNamespaceError, PutOp

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.errors import ConfigError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon.testing.langgraph_base import index_of
from axon_integrations.langgraph import AxonStore


async def everything(store: AxonStore) -> dict[tuple[tuple[str, ...], str], Any]:
    return {(item.namespace, item.key): item.value for item in await store.asearch((), limit=1000)}


async def test_items_go_to_the_most_durable_tier(tmp_path: Path) -> None:
    async with MemorySystem(MemoryConfig.local(tmp_path / "axon.db")) as memory:
        store = AxonStore(memory)
        await store.aput(("a",), "k", {"v": 1})
        assert [await store.memory.count(tier=tier) for tier in Tier] == [0, 0, 1]
        session = AxonStore(memory, tier="session", namespace="other")
        await session.aput(("a",), "k", {"v": 2})
        assert [await session.memory.count(tier=tier) for tier in Tier] == [0, 1, 0]
        assert await everything(session) == {(("a",), "k"): {"v": 2}}


async def test_no_upkeep_touches_items() -> None:
    policy = {"compaction_threshold": 1, "compaction_batch_size": 2}
    config = MemoryConfig(
        session=SessionPolicy(**policy, promote_after=1),
        persistent=PersistentPolicy(**policy, demote_after_seconds=1),
    )
    clock = ManualClock()
    async with MemorySystem(config, clock=clock) as memory:
        for tier in ("session", "persistent"):
            store = AxonStore(memory, tier=tier, namespace=tier, index=index_of("text[*]"))
            await store.abatch([PutOp(("a",), str(n), {"text": ["abc", str(n)]}) for n in range(20)])
            await store.asearch((), query="abc")
            before = await everything(store)
            clock.advance(3600)
            for _ in range(2):
                await store.memory.maintain()
                await store.memory.compact(tier)
            assert await everything(store) == before
            assert len(before) == 20
            assert len(await store.asearch((), query="abc", limit=30)) == 20


async def test_items_that_overflow_are_still_got_replaced_and_deleted() -> None:
    config = MemoryConfig(ephemeral=EphemeralPolicy(max_entries=2, overflow="move"), session=SessionPolicy())
    async with MemorySystem(config) as memory:
        store = AxonStore(memory, tier="ephemeral")
        for n in range(6):
            await store.aput(("a",), str(n), {"v": n})
        assert await store.memory.count(tier="ephemeral") == 2
        assert await store.memory.count(tier="session") == 4
        await store.aput(("a",), "0", {"v": "new"})
        await store.adelete(("a",), "1")
        assert [item.key for item in await store.asearch(())] == ["0", "5", "4", "3", "2"]
        assert (await everything(store))[("a",), "0"] == {"v": "new"}
        assert await store.aget(("a",), "1") is None
        assert await store.memory.count() == 5


async def test_an_entry_is_in_no_two_tiers_after_a_put() -> None:
    """Also when a move was interrupted and left a copy."""
    config = MemoryConfig(session=SessionPolicy(), persistent=PersistentPolicy())
    async with MemorySystem(config) as memory:
        store, durable = AxonStore(memory, tier="session"), AxonStore(memory, tier="persistent")
        await durable.aput(("a",), "k", {"v": 1})
        await store.aput(("a",), "k", {"v": 2})
        assert await store.memory.count() == 1
        assert await everything(store) == {(("a",), "k"): {"v": 2}}


async def test_the_memory_and_the_store_do_not_see_each_other(memory: MemorySystem) -> None:
    store = AxonStore(memory, index={})
    await store.aput(("a",), "k", {"text": "the deploy key"})
    await memory.store("the deploy key", id="mine")
    assert [result.entry.id for result in await memory.recall("deploy key")] == ["mine"]
    assert [item.key for item in await store.asearch((), query="deploy key")] == ["k"]
    await memory.clear()
    assert await store.aget(("a",), "k") is not None


async def test_namespaces_of_the_memory_are_fences(memory: MemorySystem) -> None:
    alice, bob = AxonStore(memory, namespace="alice"), AxonStore(memory, namespace="bob")
    await alice.aput(("notes",), "k", {"of": "alice"})
    assert await bob.asearch(()) == []
    assert await bob.asearch((), filter={"$or": [{"of": "alice"}, {"of": {"$ne": "alice"}}]}) == []
    assert await bob.aget(("notes",), "k") is None
    await bob.adelete(("notes",), "k")
    assert await bob.alist_namespaces() == []
    assert await alice.aget(("notes",), "k") is not None


async def test_two_stores_on_one_memory_hold_the_same_items(memory: MemorySystem) -> None:
    await AxonStore(memory).aput(("a",), "k", {"v": 1})
    assert await everything(AxonStore(memory.scope(memory.namespace))) == {(("a",), "k"): {"v": 1}}


async def test_a_whole_export_of_the_items(memory: MemorySystem, tmp_path: Path) -> None:
    """What ``store.memory`` exports is what another one imports."""
    store = AxonStore(memory, index=index_of("text[*]"))
    await store.abatch([PutOp(("a", str(n)), "k", {"text": ["abc", "xyz"], "n": n}) for n in range(5)])
    await store.memory.export(tmp_path / "items.jsonl")
    async with MemorySystem() as other:
        copy = AxonStore(other, index=index_of("text[*]"))
        await copy.memory.import_(tmp_path / "items.jsonl")
        assert await everything(copy) == await everything(store)
        assert len(await copy.asearch((), query="xyz")) == 5


async def test_a_part_without_its_item_is_not_shown(memory: MemorySystem) -> None:
    """As another process leaves it that put the item with fewer texts at the same moment."""
    store = AxonStore(memory, index=index_of("text[*]"))
    await store.aput(("a",), "k", {"text": ["abc", "xyz"]})
    part = [entry async for entry in store.memory.scan() if entry.text == "xyz"]
    await store.aput(("a",), "k", {"text": ["abc"]})
    assert await store.memory.count() == 1
    await store.memory._runtime.stores[0].adapter.put_many(store.memory.namespace, part)
    assert await store.memory.count() == 2
    found = await store.asearch((), query="x")
    assert [item.score for item in found] == [pytest.approx(0.0, abs=1e-6)]
    await store.adelete(("a",), "k")
    assert await store.asearch((), query="x") == []
    assert await store.asearch(()) == []
    assert await store.alist_namespaces() == []


@pytest.mark.parametrize(
    "value",
    [{"t": (1, 2)}, {"s": {1}}, {1: 2}, {"n": float("nan")}, {"o": object()}, {"x": "\ud800"}, 3, ["v"]],
    ids=repr,
)
async def test_what_is_no_json_is_refused_whole(store: AxonStore, value: Any) -> None:
    with pytest.raises(InvalidInputError):
        await store.abatch([PutOp(("a",), "good", {}), PutOp(("a",), "bad", value)])
    assert await store.asearch(()) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda store: store.asearch((), limit=-1),
        lambda store: store.asearch((), offset=-1),
        lambda store: store.asearch((), limit=True),
        lambda store: store.asearch((), query=3),
        lambda store: store.aput(("a",), "k", {}, ttl=0),
        lambda store: store.aput(("a",), "k", {}, ttl=-1),
        lambda store: store.aput(("a",), "k", {}, ttl="1"),
        lambda store: store.aput(("a",), "k", {}, ttl=float("inf")),
        lambda store: store.aput(("a",), "\ud800", {}),
        lambda store: store.aput(("\ud800",), "k", {}),
        lambda store: store.alist_namespaces(max_depth=-1),
        lambda store: store.abatch(["get"]),
    ],
)
async def test_wrong_arguments_are_errors(store: AxonStore, call: Any) -> None:
    with pytest.raises(InvalidInputError):
        await call(store)


@pytest.mark.parametrize("namespace", ["users", b"users", 3, None])
async def test_what_is_no_namespace_is_refused(store: AxonStore, namespace: Any) -> None:
    with pytest.raises(InvalidNamespaceError, match="tuple"):
        await store.abatch([PutOp(namespace, "k", {})])


def test_the_constructor_names_what_is_wrong(memory: MemorySystem) -> None:
    wrong: Any = "memory.db"
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonStore(wrong)
    with pytest.raises(InvalidInputError, match="ephemeral"):
        AxonStore(memory, tier="ephemeral")
    with pytest.raises(InvalidInputError, match="namespace"):
        AxonStore(memory, namespace="")
