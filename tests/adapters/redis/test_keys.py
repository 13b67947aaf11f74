"""Which keys there are: none shared, none collides, none is read as a pattern."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from axon import MemoryConfig, MemorySystem
from axon.adapters._redis.keys import Keyspace, quoted, unquoted
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon.embedders.hashing import HashingEmbedder
from axon.testing.entries import make_entry
from axon.testing.strategies import NASTY_STRINGS
from tests.adapters.redis.conftest import Make
from tests.servers.redis_server import RedisServer

names = st.sampled_from(NASTY_STRINGS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def keys_of(server: RedisServer, prefix: str) -> set[str]:
    answer = server.call("KEYS", f"{prefix}*")
    return {line for line in answer.split("\r\n") if line.startswith(prefix)}


async def test_two_tiers_on_one_server_share_nothing(server: RedisServer, prefix: str) -> None:
    where = {"url": server.url, "namespace": prefix}
    config = MemoryConfig(
        session=SessionPolicy(adapter_type="redis", adapter_config=where),
        persistent=PersistentPolicy(adapter_type="redis", adapter_config=where),
    )
    async with MemorySystem(config, embedder=HashingEmbedder()) as memory:
        await memory.store("a red fox", tier="session", id="one")
        session = keys_of(server, prefix)
        await memory.store("a brown bear", tier="persistent", id="two")
        persistent = keys_of(server, prefix) - session
        assert session
        assert all(key.startswith(f"{prefix}:session:") for key in session)
        assert persistent
        assert all(key.startswith(f"{prefix}:persistent:") for key in persistent)
        await memory.clear(tier="session")
        assert [result.text for result in await memory.recall("fox bear")] == ["a brown bear"]
        await memory.clear()
    assert keys_of(server, prefix) == set()


async def test_clearing_leaves_no_key_behind(make: Make, server: RedisServer, prefix: str) -> None:
    adapter = await make()
    for name in NASTY_STRINGS:
        await adapter.put_many(name, [make_entry(id, access_count=1) for id in NASTY_STRINGS])
        await adapter.delete_many(name, NASTY_STRINGS[:3])
    for name in NASTY_STRINGS:
        await adapter.clear(name)
    assert keys_of(server, prefix) == set()


async def test_prefixes_that_are_patterns_are_literals(make: Make, prefix: str) -> None:
    star, letter = await make(namespace=f"{prefix}*"), await make(namespace=f"{prefix}a")
    for adapter, text in ((star, "star"), (letter, "letter")):
        await adapter.put_many("{n}", [make_entry("a", text=text)])
    await star.clear("{n}")
    assert [entry.text for entry in await letter.get_many("{n}", ["a"])] == ["letter"]
    assert await star.namespaces() == []


@given(names, names, names, names)
def test_no_two_entries_have_one_key(space: str, id: str, other_space: str, other_id: str) -> None:
    keys = Keyspace("a:b")
    same = keys.space(space).entry(id) == keys.space(other_space).entry(other_id)
    assert same == ((space, id) == (other_space, other_id))
    assert keys.space(space).entry(id) not in keys.space(other_space).fixed
    assert unquoted(quoted(space)) == space


@given(names, names)
def test_the_keys_of_a_namespace_share_one_hash_tag(space: str, id: str) -> None:
    keys = Keyspace("pre{fix").space(space)
    tags = {key.split(b"{", 1)[1].split(b"}", 1)[0] for key in (*keys.fixed, keys.entry(id))}
    assert len(tags) == 1
    assert tags != {b""}
