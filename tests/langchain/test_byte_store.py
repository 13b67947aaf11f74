"""L23: bytes by key."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_classic.embeddings import CacheBackedEmbeddings
from langchain_core.stores import BaseStore

from axon.core.clock import ManualClock
from axon.core.config import MemoryConfig
from axon.core.errors import ConfigError, CorruptEntryError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon_integrations.langchain import AxonByteStore
from tests.langchain.planes import PlaneEmbeddings, at

EVERY_BYTE = bytes(range(256)) * 3


@pytest.mark.parametrize("key", ["a", " ", "ключ", "a:b*?[%]_\\\n", "\x1f", "x" * 500])
async def test_any_key_and_any_bytes(memory: MemorySystem, key: str) -> None:
    store = AxonByteStore(memory)
    await store.amset([(key, EVERY_BYTE), ("empty", b"")])
    assert await store.amget(["nowhere", key, "empty", key]) == [None, EVERY_BYTE, b"", EVERY_BYTE]
    assert [found async for found in store.ayield_keys()] == [key, "empty"]


async def test_keys_by_prefix_take_no_pattern(memory: MemorySystem) -> None:
    store = AxonByteStore(memory)
    await store.amset([(key, b"x") for key in ("a1", "a%", "a*", "b", "A1")])
    assert sorted([key async for key in store.ayield_keys(prefix="a")]) == ["a%", "a*", "a1"]
    assert list(store.yield_keys(prefix="a*")) == ["a*"]
    assert len(list(store.yield_keys(prefix=""))) == 5


async def test_a_key_written_again_holds_the_new_value_in_whichever_tier(tiers: MemorySystem) -> None:
    first, second = AxonByteStore(tiers, tier="ephemeral"), AxonByteStore(tiers)
    await first.amset([("k", b"old")])
    await second.amset([("k", b"older"), ("k", b"new")])
    assert await first.amget(["k"]) == [b"new"]
    assert await second.memory.count() == 1
    await first.amdelete(["k", "nowhere"])
    assert await second.amget(["k"]) == [None]


async def test_namespaces_are_apart_and_searches_find_nothing(memory: MemorySystem) -> None:
    ann, bob = AxonByteStore(memory, namespace="ann"), AxonByteStore(memory, namespace="bob")
    await ann.amset([("word", b"ann's")])
    assert await bob.amget(["word"]) == [None]
    await bob.amdelete(["word"])
    assert await ann.amget(["word"]) == [b"ann's"]
    assert await memory.scope("ann").recall("word") == []
    assert await memory.scope("ann").count() == 0


async def test_l23_values_end_with_their_time() -> None:
    clock = ManualClock()
    async with MemorySystem(clock=clock) as memory:
        await AxonByteStore(memory, ttl=10).amset([("short", b"1")])
        store = AxonByteStore(memory)
        await store.amset([("long", b"2")])
        clock.advance(9)
        assert await store.amget(["short", "long"]) == [b"1", b"2"]
        clock.advance(2)
        assert await store.amget(["short", "long"]) == [None, b"2"]
        assert [key async for key in store.ayield_keys()] == ["long"]


async def test_maintenance_takes_no_value() -> None:
    policy = SessionPolicy(compaction_threshold=1, promote_after=1)
    async with MemorySystem(MemoryConfig(session=policy, persistent=PersistentPolicy())) as memory:
        store = AxonByteStore(memory, tier="session")
        await store.amset([(str(number), b"x") for number in range(10)])
        await store.memory.maintain()
        assert None not in await store.amget([str(number) for number in range(10)])


def test_l23_in_cache_backed_embeddings(memory: MemorySystem) -> None:
    model = PlaneEmbeddings()
    cached = CacheBackedEmbeddings.from_bytes_store(
        model, AxonByteStore(memory), namespace="planes", key_encoder="sha256"
    )
    assert cached.embed_documents(["10", "20"]) == [at(10), at(20)]
    assert cached.embed_documents(["20", "10", "30"]) == [at(20), at(10), at(30)]
    assert model.calls == [["10", "20"], ["30"]]


@pytest.mark.parametrize("pair", [("k", "text"), ("k", None), ("", b"x"), (1, b"x")])
async def test_wrong_pairs_are_refused_before_anything_is_written(memory: MemorySystem, pair: Any) -> None:
    store = AxonByteStore(memory)
    with pytest.raises(InvalidInputError):
        await store.amset([("first", b"x"), pair])
    assert [key async for key in store.ayield_keys()] == []


async def test_an_entry_that_holds_no_bytes_is_named(memory: MemorySystem) -> None:
    store = AxonByteStore(memory)
    await store.memory.store("no bytes", id="stray")
    with pytest.raises(CorruptEntryError, match="stray"):
        await store.amget(["stray"])


def test_wrong_settings_are_errors_at_once(memory: MemorySystem) -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonByteStore("memory")  # type: ignore[arg-type]
    for settings in ({"ttl": 0}, {"tier": "nowhere"}, {"namespace": ""}):
        with pytest.raises(InvalidInputError):
            AxonByteStore(memory, **settings)


@pytest.mark.parametrize("name", ["amget", "amset", "amdelete", "ayield_keys"])
def test_l2_the_async_forms_take_no_thread(name: str) -> None:
    assert getattr(AxonByteStore, name) is not getattr(BaseStore, name)


async def test_nothing_given_is_nothing_done(memory: MemorySystem) -> None:
    store = AxonByteStore(memory)
    await store.amset([])
    await store.amdelete([])
    assert await store.amget([]) == []
