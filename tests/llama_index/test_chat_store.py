"""The chat store: what LlamaIndex's own Memory asks of one (R28, R32, R33, R34)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.base.llms import types
from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.memory import Memory
from llama_index.core.storage.chat_store.base_db import MessageStatus

from axon import MemoryConfig, MemorySystem
from axon.core.clock import ManualClock
from axon.core.errors import InvalidInputError
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon.core.portal import run_blocking
from axon_integrations._shared.ordering import OrderSource
from axon_integrations.llama_index import AxonChatStore

ACTIVE, ARCHIVED = MessageStatus.ACTIVE, MessageStatus.ARCHIVED


@pytest.fixture(params=["memory", "sqlite"])
async def memory(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MemorySystem]:
    policy = (
        SessionPolicy()
        if request.param == "memory"
        else SessionPolicy(adapter_type="sqlite", adapter_config={"path": str(tmp_path / "chat.db")})
    )
    async with MemorySystem(MemoryConfig(session=policy, persistent=PersistentPolicy())) as made:
        yield made


@pytest.fixture
def store(memory: MemorySystem) -> AxonChatStore:
    return AxonChatStore(memory)


def said(*words: str) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole.USER, content=each) for each in words]


def words(messages: list[ChatMessage]) -> list[str | None]:
    return [message.content for message in messages]


async def test_messages_come_back_equal_in_order_and_as_copies(store: AxonChatStore) -> None:
    call = ChatMessage(
        role=MessageRole.ASSISTANT, content="", additional_kwargs={"tool_calls": [{"id": "1"}]}
    )
    picture = ChatMessage(
        role=MessageRole.USER,
        blocks=[TextBlock(text="look"), ImageBlock(image=b"abc", image_mimetype="image/png")],
    )
    given = [*said("first"), call, picture, ChatMessage(role=MessageRole.TOOL, content="42")]
    await store.add_messages("s", given)
    found = await store.get_messages("s")
    assert [each.model_dump() for each in found] == [each.model_dump() for each in given]
    found[0].blocks.append(TextBlock(text="injected"))
    assert words(await store.get_messages("s"))[0] == "first"


# Core 0.13 has no video, thinking and tool call blocks.
BLOCKS: dict[str, dict[str, Any]] = {
    "AudioBlock": {"audio": b"abc", "format": "wav"},
    "DocumentBlock": {"data": b"abc", "title": "paper"},
    "ImageBlock": {"image": b"abc", "image_mimetype": "image/png", "detail": "low"},
    "VideoBlock": {"video": b"abc", "video_mimetype": "video/mp4"},
    "ThinkingBlock": {"content": "hm", "num_tokens": 2},
    "ToolCallBlock": {"tool_call_id": "1", "tool_name": "look", "tool_kwargs": {"where": ["up"]}},
}


@pytest.mark.parametrize("kind", [kind for kind in BLOCKS if hasattr(types, kind)])
async def test_r34_every_kind_of_block_comes_back(store: AxonChatStore, kind: str) -> None:
    block = getattr(types, kind)(**BLOCKS[kind])
    given = ChatMessage(role=MessageRole.ASSISTANT, blocks=[block], additional_kwargs={"name": None})
    await store.add_message("s", given)
    (found,) = await store.get_messages("s")
    assert found.model_dump() == given.model_dump()
    assert isinstance(found.blocks[0], type(block))


async def test_status_limit_and_offset(store: AxonChatStore) -> None:
    await store.add_messages("s", said("a", "b", "c", "d"))
    assert words(await store.archive_oldest_messages("s", 2)) == ["a", "b"]
    assert words(await store.get_messages("s")) == ["c", "d"]
    assert words(await store.get_messages("s", ARCHIVED)) == ["a", "b"]
    assert words(await store.get_messages("s", None)) == ["a", "b", "c", "d"]
    assert words(await store.get_messages("s", None, limit=2, offset=1)) == ["b", "c"]
    assert await store.get_messages("s", None, limit=0) == []
    assert [await store.count_messages("s", each) for each in (ACTIVE, ARCHIVED, None)] == [2, 2, 4]
    with pytest.raises(InvalidInputError, match="at least 0"):
        await store.get_messages("s", limit=-1)


async def test_deleting_and_replacing(store: AxonChatStore) -> None:
    await store.add_messages("s", said("a", "b", "c", "d", "e"))
    assert words(await store.delete_oldest_messages("s", 2)) == ["a", "b"]
    assert (deleted := await store.delete_message("s", 1)) is not None
    assert deleted.content == "d"
    assert await store.delete_message("s", 9) is None
    await store.archive_oldest_messages("s", 1)
    await store.delete_messages("s", ARCHIVED)
    assert words(await store.get_messages("s", None)) == ["e"]
    await store.set_messages("s", said("x", "y"))
    assert words(await store.get_messages("s", None)) == ["x", "y"]
    await store.delete_messages("s")
    assert await store.get_keys() == []


async def test_twenty_additions_at_once_lose_and_repeat_nothing(store: AxonChatStore) -> None:
    await asyncio.gather(*(store.add_message("s", each) for each in said(*map(str, range(20)))))
    assert words(await store.get_messages("s")) == [str(number) for number in range(20)]


async def test_archiving_at_once_from_two_loops_gives_each_message_to_one(store: AxonChatStore) -> None:
    await store.add_messages("s", said(*map(str, range(20))))

    async def archive() -> list[str | None]:
        return words(await store.archive_oldest_messages("s", 2))

    taken = await asyncio.gather(
        *(archive() for _ in range(5)), *(asyncio.to_thread(run_blocking, archive()) for _ in range(5))
    )
    assert sorted(word or "" for some in taken for word in some) == sorted(map(str, range(20)))


async def test_conversations_and_namespaces_share_nothing(memory: MemorySystem, store: AxonChatStore) -> None:
    other = AxonChatStore(memory, namespace="other user")
    await store.add_messages("s", said("mine"))
    await store.add_messages("t", said("another time"))
    await other.add_messages("s", said("theirs"))
    assert words(await store.get_messages("s")) == ["mine"]
    assert words(await other.get_messages("s")) == ["theirs"]
    assert (await store.get_keys(), await other.get_keys()) == (["s", "t"], ["s"])
    assert await memory.count() == 0, "a search of the memory finds no transcript"
    assert await memory.recall("mine") == []


async def test_messages_of_one_conversation_expire_together() -> None:
    clock = ManualClock(1_700_000_000_000_000)
    memory = MemorySystem(MemoryConfig(session=SessionPolicy(ttl_seconds=60)), clock=clock)
    store = AxonChatStore(memory)
    await store.add_messages("s", said("call"))
    await store.add_messages("t", said("alone"))
    clock.advance(50)
    await store.add_messages("s", said("answer"))
    clock.advance(50)
    assert words(await store.get_messages("s")) == ["call", "answer"]
    assert await store.get_messages("t") == []
    clock.advance(11)
    assert await store.get_messages("s") == []


async def test_archiving_a_part_renews_the_whole_conversation() -> None:
    clock = ManualClock(1_700_000_000_000_000)
    memory = MemorySystem(MemoryConfig(session=SessionPolicy(ttl_seconds=60)), clock=clock)
    store = AxonChatStore(memory)
    await store.add_messages("s", said("call", "answer"))
    clock.advance(50)
    await store.archive_oldest_messages("s", 1)
    clock.advance(50)
    assert words(await store.get_messages("s", None)) == ["call", "answer"]


async def test_order_goes_on_in_a_new_process_whose_clock_is_late(
    store: AxonChatStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = OrderSource()
    ahead.take(1, 1 << 60)
    for source, word in ((ahead, "a"), (OrderSource(), "b"), (OrderSource(), "c")):
        monkeypatch.setattr("axon_integrations._shared.transcripts._ARRIVALS", source)
        await store.add_messages("s", said(word, word.upper()))
        await store.archive_oldest_messages("s", 1)
    assert words(await store.get_messages("s", None)) == ["a", "A", "b", "B", "c", "C"]
    monkeypatch.setattr("axon_integrations._shared.transcripts._ARRIVALS", OrderSource())
    await store.set_messages("s", said("d"))
    await store.add_message("s", *said("e"))
    assert words(await store.get_messages("s")) == ["d", "e"]


async def test_what_json_cannot_take_is_refused_and_nothing_is_written(store: AxonChatStore) -> None:
    bad = ChatMessage(role=MessageRole.USER, content="x", additional_kwargs={"n": float("nan")})
    with pytest.raises(InvalidInputError, match="cannot be stored") as caught:
        await store.add_messages("s", [*said("fine"), bad])
    assert caught.value.index == 1
    assert await store.count_messages("s", None) == 0


async def test_dumps_hold_no_memory(store: AxonChatStore) -> None:
    assert store.model_dump() == {"namespace": None, "tier": None, "ttl": None}
    assert "MemorySystem" not in repr(store)
    assert store
    bare = AxonChatStore.model_construct()
    with pytest.raises(InvalidInputError, match="make a new one"):
        await bare.get_keys()


@pytest.mark.skipif(
    "chat_store" not in Memory.from_defaults.__annotations__, reason="core has it from 0.14.24 on"
)
async def test_it_serves_llama_index_memory(store: AxonChatStore) -> None:
    memory = Memory.from_defaults(session_id="s", chat_store=store, token_limit=100, token_flush_size=20)
    for number in range(30):
        role = MessageRole.ASSISTANT if number % 2 else MessageRole.USER
        await memory.aput(ChatMessage(role=role, content=f"message number {number}"))
    assert words(await memory.aget_all()) == [f"message number {number}" for number in range(30)]
    kept = words(await memory.aget())
    assert kept == [f"message number {number}" for number in range(30 - len(kept), 30)]
    assert 0 < len(kept) < 30
    for _ in range(3):
        assert words(await memory.aget()) == kept
