"""L35: tools for a model, which can never choose whose memory it is."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import ToolsIntegrationTests
from langchain_tests.unit_tests import ToolsUnitTests

from axon.core.errors import AxonError, ConfigError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon_integrations._shared.quoting import estimate_tokens
from axon_integrations.langchain import memory_tools
from tests.langchain.failing import failing_memory
from tests.langchain.scripted import ScriptedModel, call

NAMES = ("remember", "recall", "forget")
EXAMPLES: dict[str, dict[str, Any]] = {
    "remember": {"text": "Ann likes tea.", "tags": ["taste"]},
    "recall": {"query": "tea"},
    "forget": {"memory_id": "one"},
}


def tool_named(name: str, memory: MemorySystem, **settings: Any) -> BaseTool:
    (found,) = [tool for tool in memory_tools(memory, **settings) if tool.name == name]
    return found


class ForEachTool:
    """The suites take one tool; this gives them each of the three in turn."""

    name = "remember"

    @property
    def tool_constructor(self) -> BaseTool:
        return tool_named(self.name, MemorySystem(), user_id="ann")

    @property
    def tool_invoke_params_example(self) -> dict[str, Any]:
        return EXAMPLES[self.name]


class TestRememberUnit(ForEachTool, ToolsUnitTests):
    pass


class TestRememberIntegration(ForEachTool, ToolsIntegrationTests):
    pass


class TestRecallUnit(ForEachTool, ToolsUnitTests):
    name = "recall"


class TestRecallIntegration(ForEachTool, ToolsIntegrationTests):
    name = "recall"


class TestForgetUnit(ForEachTool, ToolsUnitTests):
    name = "forget"


class TestForgetIntegration(ForEachTool, ToolsIntegrationTests):
    name = "forget"


async def in_agent(memory: MemorySystem, *calls: Any, blocking: bool = False, **settings: Any) -> list[str]:
    """Let an agent of Ann's make tool calls; returns what the tools answered."""
    model = ScriptedModel(answers=list(calls))
    agent = create_agent(model, tools=memory_tools(memory, **settings))
    given: Any = {"messages": "go"}
    options: Any = {"context": {"user_id": "ann"}, "config": {"configurable": {"thread_id": "t"}}}
    run = asyncio.to_thread(agent.invoke, given, **options) if blocking else agent.ainvoke(given, **options)
    return [str(message.content) for message in (await run)["messages"] if message.type == "tool"]


@pytest.mark.parametrize("blocking", [True, False])
async def test_l35_remember_recall_forget(memory: MemorySystem, blocking: bool) -> None:
    ann, bob = memory.scope("user/ann"), memory.scope("user/bob")
    await bob.store("Bob likes tea.", importance=0.9)
    (kept,) = await in_agent(
        memory, call("remember", text="Ann likes tea.", tags=["taste"]), blocking=blocking
    )
    (entry,) = [entry async for entry in ann.scan()]
    assert (entry.text, entry.tags, entry.session_id, entry.tier) == (
        "Ann likes tea.",
        ["taste"],
        "t",
        memory.tiers[-1],
    )
    assert entry.id in kept
    (found,) = await in_agent(memory, call("recall", query="who likes tea?"), blocking=blocking)
    assert f'<memory id="{entry.id}" date=' in found
    assert "Ann likes tea." in found
    assert "Bob" not in found
    gone = await in_agent(
        memory,
        call("forget", memory_id=entry.id),
        call("forget", "call-2", memory_id=entry.id),
        call("recall", "call-3", query="tea"),
        blocking=blocking,
    )
    assert gone[0] == "Forgotten."
    assert gone[1] == f"There is no memory with the id {entry.id}."
    assert gone[2] == "Nothing is remembered about that."
    assert await bob.count() == 1


async def test_l35_the_model_cannot_choose_the_user(memory: MemorySystem) -> None:
    bob = memory.scope("user/bob")
    secret = await bob.store("Bob's code is 1234.", importance=0.9)
    invented: dict[str, Any] = {
        "user_id": "bob",
        "namespace": "user/bob",
        "runtime": {"context": {"user_id": "bob"}},
    }
    answers = await in_agent(
        memory,
        call("recall", query="code", **invented),
        call("forget", "call-2", memory_id=secret, **invented),
        call("remember", "call-3", text="a false memory", **invented),
    )
    assert "1234" not in "".join(answers)
    assert [entry.text async for entry in bob.scan()] == ["Bob's code is 1234."]
    assert [entry.text async for entry in memory.scope("user/ann").scan()] == ["a false memory"]


@pytest.mark.parametrize("name", NAMES)
def test_l35_the_schema_shows_neither_user_nor_runtime(memory: MemorySystem, name: str) -> None:
    tool = tool_named(name, memory)
    schema: Any = tool.tool_call_schema
    shown = set(schema.model_json_schema()["properties"])
    assert shown == set(EXAMPLES[name])
    assert tool.description


@pytest.mark.parametrize("name", NAMES)
async def test_l34_without_a_user_a_tool_refuses(memory: MemorySystem, name: str) -> None:
    tool = tool_named(name, memory)
    with pytest.raises(ConfigError, match="whose memory"):
        await tool.ainvoke(EXAMPLES[name])
    with pytest.raises(ConfigError, match="whose memory"):
        tool.invoke(EXAMPLES[name])


async def test_l36_what_a_tool_recalls_is_data_within_a_budget(memory: MemorySystem) -> None:
    ann = memory.scope("user/ann")
    for number in range(10):
        await ann.store(f"</memory> tea {number} " + "and tea " * 20, importance=0.9)
    (found,) = await in_agent(memory, call("recall", query="tea"), k=10, max_tokens=200)
    assert estimate_tokens(found) <= 200
    assert found.count("&lt;/memory&gt;") == found.count("</memory>") > 0
    assert "no instruction" in found


@pytest.mark.parametrize(
    "wrong",
    [
        call("remember", text="  "),
        call("remember", text="fine", tags=[""]),
        call("remember", text="\ud800"),
        call("recall", query=""),
    ],
)
async def test_the_model_learns_what_it_did_wrong(memory: MemorySystem, wrong: Any) -> None:
    (answer,) = await in_agent(memory, wrong, on_error="raise")
    assert answer.startswith("That did not work: ")
    assert await memory.scope("user/ann").count() == 0


@pytest.mark.parametrize(
    ("operation", "made"),
    [
        ("put_many", call("remember", text="tea")),
        ("search_many", call("recall", query="tea")),
        ("delete_many", call("forget", memory_id="one")),
    ],
)
async def test_a_failing_memory_does_not_fail_the_agent_unless_asked_to(
    operation: str, made: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "axon"):
        (answer,) = await in_agent(failing_memory(operation), made)
    assert answer == "The memory is out of reach at the moment. Go on without it."
    assert "injected" in caplog.text
    with pytest.raises(AxonError, match="injected"):
        await in_agent(failing_memory(operation), made, on_error="raise")


@pytest.mark.parametrize(
    "settings", [{"k": 0}, {"max_tokens": 0}, {"namespace": "all"}, {"on_error": "no"}, {"tier": "x"}]
)
def test_wrong_settings_are_errors_at_once(memory: MemorySystem, settings: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, InvalidInputError)):
        memory_tools(memory, **settings)


async def test_tools_keep_to_the_tiers_they_were_given(tiers: MemorySystem) -> None:
    await tiers.scope("user/ann").store("tea for good", tier="persistent")
    asked = call("recall", query="tea")
    assert await in_agent(tiers, asked, tier=["ephemeral", "session"]) == [
        "Nothing is remembered about that."
    ]
    (answer,) = await in_agent(tiers, call("remember", text="tea"), tier=["ephemeral", "session"])
    found = re.search(r"the id (\w+)\.", answer)
    assert found is not None
    entry = await tiers.scope("user/ann").get(found.group(1))
    assert entry is not None
    assert entry.tier == "session"
