"""L26: the messages of a conversation, exact, in order, once."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from langchain_core._api import LangChainDeprecationWarning
from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.runnables import ConfigurableFieldSpec, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

from axon import Filter
from axon.core.config import MemoryConfig
from axon.core.errors import ConfigError, CorruptEntryError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.policies import EphemeralPolicy, PersistentPolicy, SessionPolicy
from axon_integrations._shared.ordering import OrderSource
from axon_integrations.langchain import AxonChatMessageHistory

EVERY_KIND: list[BaseMessage] = [
    SystemMessage([{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}]),
    HumanMessage("hello", id="h1", name="ann"),
    HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]),
    HumanMessage("a lone surrogate \ud800", additional_kwargs={"lc": {"type": "constructor", "id": ["os"]}}),
    AIMessage(
        "",
        id="run-1",
        tool_calls=[{"name": "search", "args": {"q": "ü", "n": 1.5}, "id": "t1", "type": "tool_call"}],
        invalid_tool_calls=[
            {"name": "f", "args": "{", "id": "t2", "error": "no JSON", "type": "invalid_tool_call"}
        ],
        usage_metadata={"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
        response_metadata={"model_name": "m", "logprobs": None},
    ),
    ToolMessage("found", tool_call_id="t1", artifact={"rows": [1, None, {"a": True}]}, status="error"),
    FunctionMessage("42", name="answer"),
    ChatMessage("hm", role="critic"),
    AIMessageChunk("piece", id="c1"),
    RemoveMessage(id="h0"),
]


def contents(history: BaseChatMessageHistory) -> list[Any]:
    return [message.content for message in history.messages]


async def test_l26_every_kind_of_message_comes_back_equal(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    await history.aadd_messages(EVERY_KIND)
    back = await AxonChatMessageHistory(memory, session_id="s").aget_messages()
    assert back == EVERY_KIND
    assert [type(message) for message in back] == [type(message) for message in EVERY_KIND]


@pytest.mark.parametrize("name", ["aget_messages", "aadd_messages", "aclear", "add_messages", "clear"])
def test_l26_every_method_is_our_own(name: str) -> None:
    assert getattr(AxonChatMessageHistory, name) is not getattr(BaseChatMessageHistory, name)


def test_l26_the_blocking_forms(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    history.add_user_message("question")
    history.add_ai_message("answer")
    assert str(history) == "Human: question\nAI: answer"
    history.clear()
    assert history.messages == []


async def test_l26_order_is_kept_under_concurrent_adds(memory: MemorySystem) -> None:
    async def write(writer: int) -> None:
        history = AxonChatMessageHistory(memory, session_id="s")
        for turn in range(5):
            pair = [HumanMessage(f"{writer} {turn} question"), AIMessage(f"{writer} {turn} answer")]
            await history.aadd_messages(pair)

    await asyncio.gather(*map(write, range(20)))
    seen = [
        str(message.content)
        for message in await AxonChatMessageHistory(memory, session_id="s").aget_messages()
    ]
    assert len(seen) == len(set(seen)) == 200
    for question, answer in zip(seen[::2], seen[1::2], strict=True):
        assert answer == question.replace("question", "answer")
    for writer in range(20):
        mine = [text for text in seen if text.startswith(f"{writer} ")]
        assert mine == sorted(mine, key=lambda text: (text.split()[1], text.endswith("answer")))


async def test_l26_a_message_with_an_id_is_kept_once(memory: MemorySystem) -> None:
    message = HumanMessage("once", id="m1")

    async def add() -> None:
        await AxonChatMessageHistory(memory, session_id="s").aadd_messages([message, message])

    await asyncio.gather(*(add() for _ in range(20)))
    await add()
    assert await AxonChatMessageHistory(memory, session_id="s").aget_messages() == [message]
    other = AxonChatMessageHistory(memory, session_id="s:m1")
    await other.aadd_messages([message])
    assert await other.aget_messages() == [message]


async def test_l26_of_equal_ids_the_first_stays_where_it_is(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    await history.aadd_messages(
        [HumanMessage("first", id="m"), HumanMessage("twin", id="m"), AIMessage("answer")]
    )
    await history.aadd_messages([HumanMessage("again", id="m"), AIMessage("another")])
    assert [message.content for message in await history.aget_messages()] == ["first", "answer", "another"]


async def test_l26_equal_messages_without_an_id_are_two(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    await history.aadd_messages([HumanMessage("yes"), HumanMessage("yes")])
    assert await history.aget_messages() == [HumanMessage("yes")] * 2


async def test_l26_sessions_and_namespaces_are_apart(memory: MemorySystem) -> None:
    histories = [
        AxonChatMessageHistory(memory, session_id="a"),
        AxonChatMessageHistory(memory, session_id="b"),
        AxonChatMessageHistory(memory, session_id="a", namespace="alice"),
    ]
    for number, history in enumerate(histories):
        await history.aadd_messages([HumanMessage(str(number), id="same")])
    await histories[0].aclear()
    assert [contents(history) for history in histories] == [[], ["1"], ["2"]]


async def test_l26_messages_are_no_memories_until_asked_for(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    await history.aadd_messages([HumanMessage("the fox is red")])
    assert await memory.recall("fox") == []
    assert await memory.count() == 0
    (found,) = await history.memory.recall("fox", mode="text", filter=Filter(session_id="s"))
    assert found.text == "the fox is red"
    assert found.entry.metadata == {}


@pytest.mark.parametrize("namespace", ["default\x1fmessages", "\x1f"])
def test_no_tenants_name_is_anothers_transcript(memory: MemorySystem, namespace: str) -> None:
    with pytest.raises(InvalidInputError, match="U\\+001F"):
        memory.scope(namespace)
    with pytest.raises(InvalidInputError, match="U\\+001F"):
        AxonChatMessageHistory(memory, session_id="s", namespace=namespace)


async def test_l26_maintenance_takes_no_message(tiers: MemorySystem) -> None:
    config = MemoryConfig(
        session=SessionPolicy(compaction_threshold=1, promote_after=1), persistent=PersistentPolicy()
    )
    async with MemorySystem(config) as memory:
        history = AxonChatMessageHistory(memory, session_id="s")
        added = [HumanMessage(str(number)) for number in range(10)]
        await history.aadd_messages(added)
        await history.memory.recall("3", mode="text")
        await history.memory.maintain()
        assert await AxonChatMessageHistory(memory, session_id="s").aget_messages() == added


@pytest.mark.parametrize(
    ("config", "tier", "expected"),
    [
        (MemoryConfig.in_memory(), None, "session"),
        (MemoryConfig.in_memory(), "persistent", "persistent"),
        (MemoryConfig(ephemeral=EphemeralPolicy(), persistent=PersistentPolicy()), None, "persistent"),
        (MemoryConfig(ephemeral=EphemeralPolicy()), None, "ephemeral"),
    ],
)
async def test_messages_go_to_the_session_tier(config: MemoryConfig, tier: str | None, expected: str) -> None:
    async with MemorySystem(config) as memory:
        history = AxonChatMessageHistory(memory, session_id="s", tier=tier)
        await history.aadd_messages([HumanMessage("hi")])
        assert await history.memory.count(tier=expected) == 1


async def test_a_message_leaves_after_its_time(memory: MemorySystem) -> None:
    await AxonChatMessageHistory(memory, session_id="s", ttl=1e-6).aadd_messages([HumanMessage("gone")])
    await AxonChatMessageHistory(memory, session_id="s", ttl=600).aadd_messages([HumanMessage("here")])
    assert contents(AxonChatMessageHistory(memory, session_id="s")) == ["here"]


@pytest.mark.parametrize(
    "message",
    [
        ToolMessage("x", tool_call_id="t", artifact={1, 2}),
        ToolMessage("x", tool_call_id="t", artifact=(1, 2)),
        ToolMessage("x", tool_call_id="t", artifact={1: "one"}),
        HumanMessage("x", additional_kwargs={"n": float("nan")}),
        "no message",
    ],
)
async def test_what_would_come_back_changed_is_refused_before_anything_is_written(
    memory: MemorySystem, message: Any
) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    with pytest.raises(InvalidInputError, match="item 1") as refused:
        await history.aadd_messages([HumanMessage("first"), message])
    assert refused.value.index == 1
    assert await history.aget_messages() == []


async def test_what_is_handed_out_is_no_alias(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    message = HumanMessage("as it was", additional_kwargs={"list": [1]})
    await history.aadd_messages([message])
    message.additional_kwargs["list"].append(2)
    (read,) = await history.aget_messages()
    read.additional_kwargs["list"].append(3)
    (again,) = await history.aget_messages()
    assert again.additional_kwargs == {"list": [1]}


async def test_an_entry_that_is_no_message_is_named(memory: MemorySystem) -> None:
    history = AxonChatMessageHistory(memory, session_id="s")
    await history.memory.store("no message", id="stray", session_id="s")
    with pytest.raises(CorruptEntryError, match="stray"):
        await history.aget_messages()


@pytest.mark.parametrize("session_id", ["", None, 3])
def test_a_conversation_has_a_name(memory: MemorySystem, session_id: Any) -> None:
    with pytest.raises(InvalidInputError, match="session_id"):
        AxonChatMessageHistory(memory, session_id=session_id)


def test_the_memory_is_a_memory() -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonChatMessageHistory("memory", session_id="s")  # type: ignore[arg-type]


def test_order_goes_on_when_the_clock_steps_back() -> None:
    source = OrderSource()
    assert [*source.take(2, 500), *source.take(0, 100), *source.take(1, 100)] == [500, 501, 502]
    assert [*source.take(2, 900)] == [900, 901]


async def test_order_goes_on_in_a_new_process(memory: MemorySystem, monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("first", "second"):
        monkeypatch.setattr("axon_integrations._shared.transcripts._ARRIVALS", OrderSource())
        await AxonChatMessageHistory(memory, session_id="s").aadd_messages(
            [HumanMessage(text), AIMessage("ok")]
        )
    history = AxonChatMessageHistory(memory, session_id="s")
    assert [message.content for message in await history.aget_messages()] == ["first", "ok", "second", "ok"]


async def test_l26_reads_of_one_run_agree_and_the_next_object_sees_more(memory: MemorySystem) -> None:
    mine, theirs = (AxonChatMessageHistory(memory, session_id="s") for _ in range(2))
    assert await mine.aget_messages() == []
    await theirs.aadd_messages([HumanMessage("theirs")])
    assert await mine.aget_messages() == []
    await mine.aadd_messages([HumanMessage("mine")])
    assert contents(mine) == ["theirs", "mine"]


def conversation(memory: MemorySystem, answer: Any) -> RunnableWithMessageHistory:
    with pytest.warns(LangChainDeprecationWarning):
        return RunnableWithMessageHistory(
            RunnableLambda(answer), lambda session_id: AxonChatMessageHistory(memory, session_id=session_id)
        )


@pytest.mark.parametrize("blocking", [True, False])
async def test_l26_expiry_between_two_reads_duplicates_nothing(memory: MemorySystem, blocking: bool) -> None:
    """The run forgets the first turn, and another run of the conversation adds to it, while the model answers."""
    given: list[list[Any]] = []

    async def meanwhile() -> None:
        history = AxonChatMessageHistory(memory, session_id="s")
        if len(given) == 2:
            await history.aclear()
            await history.aadd_messages([HumanMessage("from elsewhere")])

    async def aanswer(messages: list[BaseMessage]) -> BaseMessage:
        given.append([message.content for message in messages])
        await meanwhile()
        return AIMessage(f"answer {len(given)}")

    def answer(messages: list[BaseMessage]) -> BaseMessage:
        return asyncio.run(aanswer(messages))

    chain = conversation(memory, answer if blocking else aanswer)
    config: Any = {"configurable": {"session_id": "s"}}
    for question in ("q1", "q2", "q3"):
        if blocking:
            await asyncio.to_thread(chain.invoke, [HumanMessage(question)], config)
        else:
            await chain.ainvoke([HumanMessage(question)], config)
    assert given[1] == ["q1", "answer 1", "q2"]
    expected = ["from elsewhere", "q2", "answer 2", "q3", "answer 3"]
    assert contents(AxonChatMessageHistory(memory, session_id="s")) == expected


def test_l26_the_fields_of_a_custom_factory_fit_the_constructor(memory: MemorySystem) -> None:
    def history(user_id: str, conversation_id: str) -> AxonChatMessageHistory:
        return AxonChatMessageHistory(memory, namespace=user_id, session_id=conversation_id)

    fields = [
        ConfigurableFieldSpec(id=name, annotation=str, default="", is_shared=True)
        for name in ("user_id", "conversation_id")
    ]
    with pytest.warns(LangChainDeprecationWarning):
        chain = RunnableWithMessageHistory(
            RunnableLambda(lambda messages: AIMessage("hello")), history, history_factory_config=fields
        )
    chain.invoke([HumanMessage("hi")], {"configurable": {"user_id": "ann", "conversation_id": "1"}})
    assert contents(history("ann", "1")) == ["hi", "hello"]
    assert contents(history("bob", "1")) == []


def test_l26_our_import_warns_of_nothing() -> None:
    code = "from axon_integrations.langchain import AxonChatMessageHistory"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode == 0, run.stderr
