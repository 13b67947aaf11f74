"""AxonMemory under agents and by itself (R29 to R35)."""

from __future__ import annotations

import asyncio
import gc
import inspect
import json
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.core.memory import BaseMemory
from llama_index.core.workflow import Context, JsonSerializer
from numpy.typing import NDArray

from axon import Filter, MemoryConfig, MemorySystem
from axon.adapters.memory import MemoryAdapter
from axon.core.errors import AdapterError, ConfigError, InvalidInputError, TierError
from axon.core.models import Tier
from axon.core.policies import PersistentPolicy, SessionPolicy
from axon.core.ports import EmbedderSpec, EmbeddingKind, StorageAdapter
from axon.embedders import HashingEmbedder
from axon_integrations.llama_index import AxonMemory, AxonMemoryToolSpec, register_memory
from tests.llama_index.scripted_model import ScriptedModel, calls, says

# llama-index-core looks through all attributes when an agent is made.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class CountingEmbedder:
    """The hashing embedder, with the texts of each call noted."""

    def __init__(self) -> None:
        self.inner = HashingEmbedder()
        self.batches: list[list[str]] = []

    @property
    def spec(self) -> EmbedderSpec:
        return self.inner.spec

    async def embed_array(
        self, texts: Sequence[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        self.batches.append(list(texts))
        return await self.inner.embed_array(texts, kind=kind)


class CountingAdapter(MemoryAdapter):
    """An adapter that counts its searches, and fails them when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.searches = 0
        self.fails = False

    async def search_many(self, namespace, requests):  # type: ignore[no-untyped-def]
        self.searches += len(requests)
        if self.fails:
            raise AdapterError("out of order")
        return await super().search_many(namespace, requests)


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def adapter() -> CountingAdapter:
    return CountingAdapter()


@pytest.fixture
def memory(embedder: CountingEmbedder, adapter: CountingAdapter) -> MemorySystem:
    adapters: dict[Tier, StorageAdapter] = {Tier.PERSISTENT: adapter}
    config = MemoryConfig(session=SessionPolicy(), persistent=PersistentPolicy())
    return MemorySystem(config, embedder=embedder, adapters=adapters)


def user(words: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.USER, content=words)


def words(messages: Sequence[ChatMessage]) -> list[str | None]:
    return [message.content for message in messages]


async def remembered(memory: MemorySystem, session: str, *facts: str) -> None:
    """Have facts said in a session and flushed."""
    past = AxonMemory(memory, session)
    await past.aput_messages([user(fact) for fact in facts])
    await past.aflush()


def agent(model: ScriptedModel, memory: MemorySystem) -> FunctionAgent:
    return FunctionAgent(
        name="axon", llm=model, tools=AxonMemoryToolSpec(memory).to_tool_list(), streaming=False
    )


@pytest.mark.parametrize("workflow", [False, True])
async def test_r30_one_embedding_and_one_search_per_user_turn(
    memory: MemorySystem, embedder: CountingEmbedder, adapter: CountingAdapter, workflow: bool
) -> None:
    await remembered(memory, "monday", "My lucky number is 42.")
    own, model = AxonMemory(memory, "monday"), ScriptedModel(_tool_then_answer)
    # A tool that touches no memory, so that what is counted is the memory's own.
    runner = FunctionAgent(name="axon", llm=model, tools=[_clock_tool], streaming=False)
    embedder.batches.clear()
    adapter.searches = 0
    run = AgentWorkflow(agents=[runner], root_agent="axon") if workflow else runner
    answer = await run.run(user_msg="What is my lucky number?", memory=own)
    assert str(answer) == "It is 42."
    assert embedder.batches == [["What is my lucky number?"]]
    assert adapter.searches == 1
    assert "My lucky number is 42." in str(model.shown[0][0].content)
    kept = [message for message in await own.aget_all() if message.role != MessageRole.TOOL]
    assert words(kept)[-1] == "It is 42."
    assert not any("<memories>" in (text or "") for text in words(await own.aget_all()))


def _clock_tool() -> str:
    """Tell the time."""
    return "noon"


def _tool_then_answer(messages: Sequence[ChatMessage]) -> ChatMessage:
    told = any(message.role == MessageRole.TOOL for message in messages)
    return says("It is 42.") if told else calls("_clock_tool")


async def test_r29_the_history_is_cut_at_turns_and_the_last_turn_stays(memory: MemorySystem) -> None:
    own = AxonMemory(memory, "s", token_limit=60, history_ratio=1.0)
    first = [
        user("one " * 20),
        calls("recall", query="x"),
        ChatMessage(role=MessageRole.TOOL, content="found " * 20),
    ]
    second = [
        user("two"),
        calls("recall", query="y"),
        ChatMessage(role=MessageRole.TOOL, content="nothing " * 60),
    ]
    await own.aput_messages(first)
    await own.aput_messages(second)
    kept = [message for message in await own.aget() if message.role != MessageRole.SYSTEM]
    assert [message.role for message in kept] == [MessageRole.USER, MessageRole.ASSISTANT, MessageRole.TOOL]
    assert kept[0].content == "two"
    assert len(await own.aget_all()) == 6


async def test_r28_messages_put_at_the_same_time_are_kept_once_and_remembered_once(
    memory: MemorySystem,
) -> None:
    own = AxonMemory(memory, "s", token_limit=50)
    said = [user(f"fact number {number}") for number in range(20)]
    await asyncio.gather(*(own.aput(message) for message in said))
    assert sorted(words(await own.aget_all()), key=str) == sorted(words(said), key=str)
    await own.aflush()
    await own.aflush()
    entries = [entry.text async for entry in memory.scan()]
    assert sorted(entries) == sorted(str(message.content) for message in said)


async def test_what_leaves_the_history_is_embedded_in_one_batch_and_nothing_else(
    memory: MemorySystem, embedder: CountingEmbedder
) -> None:
    own = AxonMemory(memory, "s", token_limit=40)
    await own.aput_messages([user(f"a fact with some words, number {number}") for number in range(6)])
    assert len(embedder.batches) == 1
    assert 0 < len(embedder.batches[0]) < 6


async def test_r31_a_context_goes_on_with_the_same_history_and_holds_no_secret(memory: MemorySystem) -> None:
    model = ScriptedModel(lambda messages: says(f"heard {sum(m.role == MessageRole.USER for m in messages)}"))
    runner, own = agent(model, memory), AxonMemory(memory, "s", filter={"lang": "en"})
    context = Context(runner)
    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        await runner.run(user_msg="first", memory=own, ctx=context)
        second = await runner.run(user_msg="second", ctx=context)
        assert str(second) == "heard 2"
        dump = context.to_dict(serializer=JsonSerializer())
    assert "UnserializableKeyWarning" not in [warning.category.__name__ for warning in noted]
    # The workflow's own log may hold messages; what the memory adds to a context does not.
    assert set(own.to_dict()) == {*AxonMemory.model_fields, "class_name"}
    assert "first" not in json.dumps(own.to_dict())
    restored = Context.from_dict(runner, json.loads(json.dumps(dump)), serializer=JsonSerializer())
    third = await runner.run(user_msg="third", ctx=restored)
    assert str(third) == "heard 3"
    assert words(await own.aget_all()) == ["first", "heard 1", "second", "heard 2", "third", "heard 3"]


async def test_r31_a_memory_is_found_by_its_name_or_the_error_says_how(memory: MemorySystem) -> None:
    plain = AxonMemory(memory, "s").to_dict()
    assert json.loads(json.dumps(plain)) == plain
    with pytest.raises(ConfigError, match="register_memory"):
        AxonMemory.from_dict({**plain, "memory_name": "elsewhere"})
    register_memory("elsewhere", memory)
    again = AxonMemory.from_dict({**plain, "memory_name": "elsewhere"})
    await again.aput(user("kept"))
    assert words(await AxonMemory(memory, "s").aget_all()) == ["kept"]


async def test_r31_a_filter_holds_in_what_is_read_back(memory: MemorySystem) -> None:
    await memory.store("The code is 1234.", session_id="s", metadata={"secret": True})
    await memory.store("The code is a number.", session_id="s", metadata={"secret": False})
    own = AxonMemory(memory, "s", filter=Filter(metadata={"secret": False}, created_after=LONG_AGO))
    again = AxonMemory.from_dict(json.loads(json.dumps(own.to_dict())))
    for each in (own, again):
        await each.aset([user("What is the code?")])
        shown = str((await each.aget())[0].content)
        assert "a number" in shown
        assert "1234" not in shown


@pytest.mark.parametrize("keywords", [{}, {"namespace": "ann"}])
async def test_r31_a_scope_that_is_gone_is_found_by_the_memory_it_was_made_from(
    memory: MemorySystem, keywords: dict[str, str]
) -> None:
    own = AxonMemory(memory if keywords else memory.scope("ann"), "s", **keywords)
    await own.aput(user("kept"))
    plain = own.to_dict()
    del own
    gc.collect()
    again = AxonMemory.from_dict(plain)
    assert words(await again.aget_all()) == ["kept"]
    assert words(await AxonMemory(memory.scope("ann"), "s").aget_all()) == ["kept"]


async def test_a_chat_engine_asks_before_it_puts_the_question(memory: MemorySystem) -> None:
    await remembered(memory, "s", "The sky is blue.", "Grass is green.")
    own = AxonMemory(memory, "s", k=1, token_limit=400)
    await own.aput_messages([user("What about the sky?"), says("It is blue.")])
    assert "Grass is green" in str((await own.aget(input="And grass?"))[0].content)
    await own.aput(user("What about the sky?"))
    assert "sky is blue" in str((await own.aget(input="grass?"))[0].content), "the turn has its question"
    assert words(await own.aget(initial_token_count=400))[1:] == ["What about the sky?"]


async def test_r33_sessions_and_users_see_nothing_of_each_other(memory: MemorySystem) -> None:
    await remembered(memory, "monday", "The code of the door is 1234.")
    for other in (AxonMemory(memory, "tuesday"), AxonMemory(memory, "monday", namespace="another user")):
        await other.aput(user("What is the code of the door?"))
        assert words(await other.aget()) == ["What is the code of the door?"]
        assert words(await other.aget_all()) == ["What is the code of the door?"]
    wide = AxonMemory(memory, "tuesday", across_sessions=True)
    assert "1234" in str((await wide.aget())[0].content)


async def test_the_block_goes_into_the_system_message_and_is_made_anew_each_turn(
    memory: MemorySystem,
) -> None:
    await remembered(memory, "s", "The sky is blue.", "Grass is green.")
    own = AxonMemory(memory, "s", k=1)
    await own.aput_messages([ChatMessage(role=MessageRole.SYSTEM, content="Be brief."), user("sky?")])
    for _ in range(3):
        shown = await own.aget()
        text = str(shown[0].content)
        assert text.count("<memories>") == 1
        assert text.endswith("Be brief.")
        assert "sky is blue" in text
    await own.aput(user("grass?"))
    assert "Grass is green" in str((await own.aget())[0].content)


async def test_a_remembered_fact_is_seen_in_the_same_turn(memory: MemorySystem) -> None:
    own, tools = AxonMemory(memory, "s"), AxonMemoryToolSpec(memory, session_id="s")
    await own.aput(user("What is the password?"))
    assert len(await own.aget()) == 1
    await tools.aremember("The password is swordfish.")
    assert "swordfish" in str((await own.aget())[0].content)


async def test_a_failing_memory_fails_the_agent_only_when_asked_to(
    memory: MemorySystem, adapter: CountingAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    adapter.fails = True
    own = AxonMemory(memory, "s")
    await own.aput(user("hello"))
    assert words(await own.aget()) == ["hello"]
    assert "goes on without" in caplog.text
    with pytest.raises(TierError, match="out of order"):
        await AxonMemory(memory, "s", on_error="raise").aget()


async def test_r34_blocks_without_words_survive_and_are_not_embedded(
    memory: MemorySystem, embedder: CountingEmbedder
) -> None:
    picture = ChatMessage(
        role=MessageRole.USER, blocks=[ImageBlock(image=b"abc", image_mimetype="image/png")]
    )
    mixed = ChatMessage(role=MessageRole.USER, blocks=[TextBlock(text="look"), ImageBlock(image=b"abc")])
    own = AxonMemory(memory, "s")
    await own.aput_messages([picture, mixed])
    await own.aflush()
    assert embedder.batches == [["look"]]
    found = await own.aget_all()
    assert [each.model_dump() for each in found] == [picture.model_dump(), mixed.model_dump()]


async def test_r35_set_replaces_and_reset_clears_this_session_only(memory: MemorySystem) -> None:
    one, two = AxonMemory(memory, "one"), AxonMemory(memory, "two")
    for own in (one, two):
        await own.aput_messages([user("a"), user("b")])
    await one.aflush()
    await one.aput(user("c"))
    assert words(await one.aget_all()) == ["a", "b", "c"]
    await one.aset([user("new")])
    assert words(await one.aget_all()) == ["new"]
    await one.areset()
    assert await one.aget_all() == []
    assert words(await two.aget_all()) == ["a", "b"]


def test_r29_every_method_is_our_own() -> None:
    names = [name for name in vars(BaseMemory) if inspect.iscoroutinefunction(getattr(BaseMemory, name))]
    assert {"aget", "aget_all", "aput", "aput_messages", "aset", "areset"} <= set(names)
    for name in [*names, *BaseMemory.__abstractmethods__]:
        assert name in vars(AxonMemory), name


def test_r29_blocking_forms_and_defaults() -> None:
    own = AxonMemory.from_defaults(chat_history=[user("hello")], token_limit=500)
    assert own
    own.put(user("again"))
    own.put_messages([user("and again")])
    assert words(own.get_all()) == ["hello", "again", "and again"]
    assert words(own.get()) == ["hello", "again", "and again"]
    own.flush()
    own.set([user("only")])
    own.reset()
    assert own.get_all() == []


async def test_wrong_arguments_are_refused(memory: MemorySystem) -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonMemory("memory")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="ephemeral"):
        AxonMemory(memory, tier="ephemeral")
    with pytest.raises(ValueError, match="token_limit"):
        AxonMemory(memory, token_limit=0)
