"""AxonMemoryBlock inside LlamaIndex's own Memory (R27, R28, R33)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Sequence

import pytest
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.memory import Memory

from axon import MemorySystem
from axon.core.errors import ConfigError
from axon_integrations.llama_index import AxonChatStore, AxonMemoryBlock


@pytest.fixture
def memory() -> MemorySystem:
    return MemorySystem()


def user(words: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=words)


async def texts(memory: MemorySystem) -> list[str]:
    return sorted([entry.text async for entry in memory.scan()])


async def test_r27_messages_go_in_and_recall_comes_out_by_session(memory: MemorySystem) -> None:
    block = AxonMemoryBlock(memory)
    assert await block.aget([user("anything?")], session_id="one") == ""
    await block.aput([user("My dog is called Rex.")], from_short_term_memory=True, session_id="one")
    assert "Rex" in await block.aget([user("What is my dog called?")], session_id="one", unknown="keyword")
    assert await block.aget([user("What is my dog called?")], session_id="two") == ""
    assert await block.aget([], session_id="one") == ""
    wide = AxonMemoryBlock(memory, across_sessions=True)
    assert "Rex" in await wide.aget([user("What is my dog called?")], session_id="two")


async def test_r27_messages_are_left_as_they_were(memory: MemorySystem) -> None:
    given = [user("My dog is called Rex."), ChatMessage(role=MessageRole.TOOL, content="42")]
    before = copy.deepcopy(given)
    await AxonMemoryBlock(memory).aput(given, session_id="one")
    assert [each.model_dump() for each in given] == [each.model_dump() for each in before]
    assert await texts(memory) == ["My dog is called Rex."], "a tool's answer is no memory"


async def test_a_block_can_refuse_what_leaves_the_short_term_memory(memory: MemorySystem) -> None:
    block = AxonMemoryBlock(memory, accept_short_term_memory=False)
    await block.aput([user("one")], from_short_term_memory=True, session_id="s")
    await block.aput([user("two")], session_id="s")
    assert await texts(memory) == ["two"]


async def test_r28_delivered_twenty_times_is_remembered_once_per_session(memory: MemorySystem) -> None:
    block, said = AxonMemoryBlock(memory), [user("one"), user("two")]
    await asyncio.gather(*(block.aput(said, from_short_term_memory=True, session_id="s") for _ in range(20)))
    assert await texts(memory) == ["one", "two"]
    await block.aput(said[:1], session_id="t")
    assert await texts(memory) == ["one", "one", "two"]


async def test_r28_what_is_remembered_already_is_left_as_it_is(memory: MemorySystem) -> None:
    block, said = AxonMemoryBlock(memory), [user("My dog is called Rex.")]
    await block.aput(said, session_id="s")
    (entry,) = [entry async for entry in memory.scan()]
    await memory.update(entry.id, importance=0.9)
    await block.aput(said, session_id="s")
    (again,) = [entry async for entry in memory.scan()]
    assert (again.importance, again.created_at) == (0.9, entry.created_at)


async def test_r33_a_block_without_a_session_keeps_to_its_own(memory: MemorySystem) -> None:
    block = AxonMemoryBlock(memory)
    await block.aput([user("The code of the door is 1234.")], session_id="another")
    assert await block.aget([user("What is the code of the door?")]) == ""
    await block.aput([user("The code of the safe is 5678.")])
    assert "5678" in await block.aget([user("What is the code of the safe?")])


async def test_the_same_question_in_a_later_turn_is_recalled_anew(memory: MemorySystem) -> None:
    block, question = AxonMemoryBlock(memory), user("Where is the key?")
    answer = ChatMessage(role=MessageRole.ASSISTANT, content="I do not know.")
    assert await block.aget([question], session_id="s") == ""
    await memory.store("The key is under the mat.", session_id="s")
    assert await block.aget([question, question], session_id="s") == "", "one recall per turn"
    assert await block.aget([question, answer], session_id="s") == "", "the turn's last look"
    assert "mat" in await block.aget([question, answer, question], session_id="s")


async def test_truncating_keeps_the_most_important_entries_within_the_hint(memory: MemorySystem) -> None:
    block = AxonMemoryBlock(memory, session_id="s", priority=1, count_tokens=len)
    for importance, words in (
        (0.2, "key under the mat"),
        (0.9, "key in the safe"),
        (0.5, "key at the office"),
    ):
        await memory.store(words, importance=importance, session_id="s")
    content = await block.aget([user("key")])
    assert all(place in content for place in ("mat", "safe", "office"))
    shorter = await block.atruncate(content, 40)
    assert shorter is not None
    assert len(shorter) <= len(content) - 40
    assert "safe" in shorter
    assert "mat" not in shorter
    assert await block.atruncate(content, len(content)) is None
    assert await block.atruncate("a text of somebody else's", 5) is None


async def test_two_blocks_of_one_memory_need_two_names(memory: MemorySystem) -> None:
    with pytest.raises(ValueError, match="unique names"):
        Memory.from_defaults(memory_blocks=[AxonMemoryBlock(memory), AxonMemoryBlock(memory)])
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonMemoryBlock("memory")  # type: ignore[arg-type]


@pytest.mark.skipif(
    "chat_store" not in Memory.from_defaults.__annotations__, reason="core has it from 0.14.24 on"
)
async def test_in_a_memory_of_llama_index_what_is_flushed_is_recalled(memory: MemorySystem) -> None:
    own = Memory.from_defaults(
        session_id="s",
        token_limit=60,
        token_flush_size=20,
        chat_store=AxonChatStore(memory),
        memory_blocks=[AxonMemoryBlock(memory, max_tokens=500)],
    )
    await own.aput(user("My dog is called Rex."))
    for number in range(12):
        await own.aput(
            ChatMessage(role=MessageRole.ASSISTANT, content=f"That is reply number {number} of many")
        )
        await own.aput(user(f"And now something else, number {number}"))
    await own.aput(user("What is my dog called?"))
    for _ in range(3):
        shown: Sequence[ChatMessage] = await own.aget()
        assert str(shown[0].content).count("Rex") == 1
