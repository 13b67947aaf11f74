"""L25: the memory of LangChain's classic chains."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from langchain_classic.agents import AgentExecutor, create_react_agent
from langchain_classic.base_memory import BaseMemory
from langchain_classic.chains import ConversationChain, LLMChain
from langchain_core.language_models import FakeListChatModel, FakeListLLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import tool
from pydantic import ValidationError

from axon.core.errors import InvalidInputError
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonChatMessageHistory, AxonMemory

# The chains say that they are deprecated, once per process: whoever runs them knows.
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")

BOTH_FORMS = pytest.mark.parametrize("blocking", [True, False])


async def run(chain: Any, inputs: dict[str, Any], blocking: bool) -> dict[str, Any]:
    if blocking:
        return await asyncio.to_thread(chain.invoke, inputs)
    return await chain.ainvoke(inputs)


async def kept(memory: MemorySystem) -> list[Any]:
    messages = await AxonChatMessageHistory(memory, session_id="s").aget_messages()
    return [message.content for message in messages]


@BOTH_FORMS
async def test_l25_conversation_chain(memory: MemorySystem, blocking: bool) -> None:
    chain = ConversationChain(
        llm=FakeListChatModel(responses=["Hello Ann.", "Ann."]),
        memory=AxonMemory(memory=memory, session_id="s"),
    )
    assert (await run(chain, {"input": "I am Ann."}, blocking))["history"] == ""
    second = await run(chain, {"input": "Who am I?"}, blocking)
    assert second["history"] == "Human: I am Ann.\nAI: Hello Ann."
    assert second["response"] == "Ann."
    assert await kept(memory) == ["I am Ann.", "Hello Ann.", "Who am I?", "Ann."]


@BOTH_FORMS
async def test_l25_llm_chain_with_two_inputs(memory: MemorySystem, blocking: bool) -> None:
    axon = AxonMemory(memory=memory, session_id="s", memory_key="talk", input_key="question")
    chain = LLMChain(
        llm=FakeListLLM(responses=["blue", "red"]),
        prompt=PromptTemplate.from_template("{talk} {mood} {question}"),
        memory=axon,
    )
    for question in ("sky?", "rose?"):
        answer = await run(chain, {"question": question, "mood": "gay"}, blocking)
    assert answer["talk"] == "Human: sky?\nAI: blue"
    assert await kept(memory) == ["sky?", "blue", "rose?", "red"]


@BOTH_FORMS
async def test_l25_agent_executor_with_two_outputs(memory: MemorySystem, blocking: bool) -> None:
    @tool
    def weather(city: str) -> str:
        """Tell the weather."""
        return "rain"

    steps = ["Thought: look\nAction: weather\nAction Input: Rome", "Thought: done\nFinal Answer: It rains."]
    prompt = PromptTemplate.from_template("{history} {tools} {tool_names} {input} {agent_scratchpad}")
    agent = create_react_agent(FakeListLLM(responses=steps), [weather], prompt)
    executor = AgentExecutor(
        agent=agent,
        tools=[weather],
        memory=AxonMemory(memory=memory, session_id="s"),
        return_intermediate_steps=True,
    )
    answer = await run(executor, {"input": "Weather in Rome?"}, blocking)
    assert len(answer["intermediate_steps"]) == 1
    assert await kept(memory) == ["Weather in Rome?", "It rains."]


async def test_l25_messages_or_a_string(memory: MemorySystem) -> None:
    axon = AxonMemory(memory=memory, session_id="s", return_messages=True)
    await axon.asave_context({"input": "hi"}, {"output": "hello"})
    assert axon.memory_variables == ["history"]
    assert axon.load_memory_variables({}) == {"history": [HumanMessage("hi"), AIMessage("hello")]}
    named = AxonMemory(memory=memory, session_id="s", human_prefix="Ann", ai_prefix="Bot")
    assert await named.aload_memory_variables({}) == {"history": "Ann: hi\nBot: hello"}


async def test_l25_the_last_exchanges(memory: MemorySystem) -> None:
    axon = AxonMemory(memory=memory, session_id="s", k=2)
    for number in range(4):
        await axon.asave_context({"input": f"q{number}"}, {"output": f"a{number}"})
    assert (await axon.aload_memory_variables({}))["history"] == "Human: q2\nAI: a2\nHuman: q3\nAI: a3"


async def test_l25_the_conversation_among_the_inputs_is_not_stored_again(memory: MemorySystem) -> None:
    axon = AxonMemory(memory=memory, session_id="s")
    inputs = {"input": "hi", "history": "Human: before", "stop": ["\n"]}
    await axon.asave_context(inputs, {"text": AIMessage("hello", id="run-1")})
    await axon.asave_context({"input": HumanMessage("hi", id="h")}, {"text": AIMessage("hello", id="run-1")})
    assert await kept(memory) == ["hi", "hello", "hi"]


@pytest.mark.parametrize(
    ("inputs", "outputs", "settings", "message"),
    [
        ({"a": "1", "b": "2"}, {"output": "x"}, {}, "input_key="),
        ({"history": "1"}, {"output": "x"}, {}, "input_key="),
        ({"a": "1"}, {"output": "x"}, {"input_key": "b"}, "no input 'b'"),
        ({"a": "1"}, {"x": "x", "y": "y"}, {}, "output_key="),
        ({"a": "1"}, {}, {}, "output_key="),
        ({"a": "1"}, {"output": "x", "y": "y"}, {"output_key": "z"}, "no output 'z'"),
    ],
)
async def test_l25_what_is_not_clear_is_an_error(
    memory: MemorySystem, inputs: Any, outputs: Any, settings: Any, message: str
) -> None:
    axon = AxonMemory(memory=memory, session_id="s", **settings)
    with pytest.raises(InvalidInputError, match=message):
        await axon.asave_context(inputs, outputs)
    assert await kept(memory) == []


async def test_l25_named_outputs(memory: MemorySystem) -> None:
    axon = AxonMemory(memory=memory, session_id="s", output_key="y")
    await axon.asave_context({"a": "1"}, {"output": "x", "y": "y"})
    assert await kept(memory) == ["1", "y"]


def test_l25_clear_and_the_blocking_forms(memory: MemorySystem) -> None:
    axon = AxonMemory(memory=memory, session_id="s")
    other = AxonMemory(memory=memory, session_id="s", namespace="bob")
    axon.save_context({"input": "hi"}, {"output": "hello"})
    other.save_context({"input": "bob"}, {"output": "hello bob"})
    axon.clear()
    assert axon.load_memory_variables({}) == {"history": ""}
    assert other.load_memory_variables({}) == {"history": "Human: bob\nAI: hello bob"}


@pytest.mark.parametrize("name", ["aload_memory_variables", "asave_context", "aclear"])
def test_l25_the_async_forms_take_no_thread(name: str) -> None:
    assert getattr(AxonMemory, name) is not getattr(BaseMemory, name)


@pytest.mark.parametrize(
    "settings", [{"session_id": ""}, {"session_id": "s", "k": 0}, {"session_id": "s", "ttl": 0}]
)
def test_wrong_settings_are_errors_at_once(memory: MemorySystem, settings: dict[str, Any]) -> None:
    with pytest.raises((InvalidInputError, ValidationError)):
        AxonMemory(memory=memory, **settings)


@pytest.mark.parametrize("home", ["axon_integrations.langchain", "axon_integrations.langchain.memory"])
def test_l25_without_langchain_classic_the_pip_command_is_named(home: str) -> None:
    code = f"""
import sys
sys.modules["langchain_classic"] = None
from axon.core.errors import MissingDependencyError
try:
    from {home} import AxonMemory
except MissingDependencyError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.strip() == (
        "langchain-classic is not installed. Run: pip install 'axon-integrations[langchain-classic]'"
    )
