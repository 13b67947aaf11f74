"""AxonRetriever and AxonMemoryToolSpec (R36)."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import QueryBundle

from axon import Filter, MemorySystem
from axon.core.errors import ConfigError, InvalidInputError
from axon_integrations.llama_index import AxonMemoryToolSpec, AxonRetriever
from tests.llama_index.helpers import filters, where
from tests.llama_index.scripted_model import ScriptedModel, calls, says

# llama-index-core looks through all attributes when an agent is made.
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")


@pytest.fixture
async def memory() -> MemorySystem:
    memory = MemorySystem()
    await memory.store("Deploys go out on Tuesdays.", tags=["ops"], importance=0.9, metadata={"lang": "en"})
    await memory.store("Deploys are frozen in December.", tags=["ops"], importance=0.4)
    await memory.store("Lunch is at noon.", tags=["office"], importance=0.4)
    return memory


async def found(retriever: AxonRetriever, query: str) -> list[str]:
    return [each.node.get_content() for each in await retriever.aretrieve(query)]


async def test_r36_nodes_come_with_scores_best_first(memory: MemorySystem) -> None:
    nodes = await AxonRetriever(memory, similarity_top_k=2).aretrieve("When do deploys go out?")
    assert nodes[0].node.get_content() == "Deploys go out on Tuesdays."
    scores = [each.score for each in nodes]
    assert len(scores) == 2
    assert all(isinstance(score, float) and 0 <= score <= 1 for score in scores)
    assert scores == sorted(scores, reverse=True)


async def test_r36_filters_of_both_kinds_tiers_and_a_lowest_score_hold(memory: MemorySystem) -> None:
    ops = filters(where("tags", "ops"))
    assert len(await found(AxonRetriever(memory, filters=ops), "lunch")) == 2
    both = AxonRetriever(memory, filters=ops, filter=Filter(min_importance=0.5))
    assert await found(both, "lunch") == ["Deploys go out on Tuesdays."]
    assert await found(AxonRetriever(memory, tier="ephemeral"), "deploys") == []
    assert await found(AxonRetriever(memory, min_score=0.99, mode="vector"), "deploys") == []
    assert await found(AxonRetriever(memory, namespace="another"), "deploys") == []


def test_r36_the_blocking_form_and_a_query_engine(memory: MemorySystem) -> None:
    retriever = AxonRetriever(memory, similarity_top_k=1)
    assert len(retriever.retrieve(QueryBundle("lunch"))) == 1
    answer = RetrieverQueryEngine.from_args(retriever).query("When is lunch?")
    assert [node.node.get_content() for node in answer.source_nodes] == ["Lunch is at noon."]


async def test_r36_events_are_sent(memory: MemorySystem) -> None:
    seen: list[str] = []

    class Noting(BaseEventHandler):
        def handle(self, event, **kwargs):  # type: ignore[no-untyped-def]
            seen.append(type(event).__name__)

    dispatcher = get_dispatcher()
    dispatcher.event_handlers.append(handler := Noting())
    try:
        await AxonRetriever(memory).aretrieve("lunch")
    finally:
        dispatcher.event_handlers.remove(handler)
    assert {"RetrievalStartEvent", "RetrievalEndEvent"} <= set(seen)


async def test_tools_remember_recall_and_forget_in_one_namespace() -> None:
    memory = MemorySystem()
    tools = AxonMemoryToolSpec(memory, namespace="user/ann", session_id="monday")
    assert "Remembered" in await tools.aremember("Ann is vegetarian.", ["food"])
    (entry,) = [entry async for entry in memory.scope("user/ann").scan()]
    assert (entry.tags, entry.session_id) == (["food"], "monday")
    assert entry.id in await tools.arecall("Is Ann vegetarian?")
    other = AxonMemoryToolSpec(memory, namespace="user/ben")
    assert "Nothing" in await other.arecall("Is Ann vegetarian?")
    assert "no memory" in await other.aforget(entry.id)
    assert await tools.aforget(entry.id) == "Forgotten."
    assert "did not work" in await tools.aremember("   ")


def test_tools_have_one_schema_in_both_forms_and_no_user_in_it() -> None:
    for tool in AxonMemoryToolSpec(MemorySystem()).to_tool_list():
        schema = tool.metadata.get_parameters_dict()
        assert set(schema["properties"]) <= {"text", "tags", "query", "memory_id"}
        assert tool.metadata.name in ("remember", "recall", "forget")
    remember, recall, _ = AxonMemoryToolSpec(MemorySystem(), namespace="n").to_tool_list()
    assert "Remembered" in str(remember.call(text="The sky is blue."))
    assert "sky is blue" in str(recall.call(query="sky"))


async def test_r36_an_agent_uses_the_tools() -> None:
    memory = MemorySystem()

    def answer(messages: Sequence[ChatMessage]) -> ChatMessage:
        told = any(message.role == MessageRole.TOOL for message in messages)
        return says("Noted.") if told else calls("remember", text="The user likes tea.")

    agent = FunctionAgent(
        name="axon",
        llm=ScriptedModel(answer),
        tools=AxonMemoryToolSpec(memory).to_tool_list(),
        streaming=False,
    )
    assert str(await agent.run(user_msg="I like tea.")) == "Noted."
    assert [entry.text async for entry in memory.scan()] == ["The user likes tea."]


def test_wrong_arguments_are_refused(memory: MemorySystem) -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonRetriever("memory")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonMemoryToolSpec("memory")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="on_error"):
        AxonMemoryToolSpec(memory, on_error="ignore")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError):
        AxonRetriever(memory, similarity_top_k=0)
