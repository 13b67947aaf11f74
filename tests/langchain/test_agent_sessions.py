"""Thirty turns of an agent: two users, three sessions each, a new thread and a new process's agent per session."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonMemoryMiddleware
from tests.langchain.scripted import Answer, ScriptedModel, call

FACTS = {
    "ann": {
        "What is my dog called?": "My dog is called Pixel.",
        "Where do I live?": "I live in Lisbon.",
        "Which allergy do I have?": "I have an allergy to walnuts.",
    },
    "bob": {
        "What is my dog called?": "My dog is called Rover.",
        "Where do I live?": "I live in Oslo.",
        "Which allergy do I have?": "I have an allergy to shrimps.",
    },
}
SMALL_TALK = [
    "Tell me a joke.",
    "Sum up 2 and 3.",
    "Translate hello to French.",
    "Name a prime.",
    "Spell yacht.",
]


def turns_of(user: str) -> list[list[str]]:
    """What a user says, by session: facts first, small talk between, questions last."""
    facts = FACTS[user]
    return [
        [*facts.values(), "Weather, please.", "Thanks for now."],
        [f"{text} ({user})" for text in SMALL_TALK],
        [*facts, "Weather again, please.", "Good bye."],
    ]


@tool
def weather() -> str:
    """Tell the weather."""
    return "It rains."


def answer(messages: list[BaseMessage]) -> Answer:
    """Call the tool for the weather; repeat a remembered fact that has a word of the question; else say so."""
    if isinstance(messages[-1], ToolMessage):
        return f"The weather: {messages[-1].content}"
    asked = str([message for message in messages if isinstance(message, HumanMessage)][-1].text)
    if asked.startswith("Weather"):
        return call("weather", says="Let me look.")
    known = "".join(str(message.text) for message in messages if message.type == "system")
    for question, fact in ((q, f) for facts in FACTS.values() for q, f in facts.items()):
        if question == asked and fact in known:
            return f"You said: {fact}"
    return f"I do not know about: {asked}"


class Agent:
    """An agent as a process of its own would make it; only the memory is shared."""

    def __init__(self, memory: MemorySystem | None, user: str, session: int) -> None:
        self.model = ScriptedModel(script=answer)
        approval = HumanInTheLoopMiddleware(interrupt_on={"weather": True})
        own = [] if memory is None else [AxonMemoryMiddleware(memory, k=4)]
        self.agent: Any = create_agent(
            self.model, tools=[weather], middleware=[*own, approval], checkpointer=InMemorySaver()
        )
        self.options: dict[str, Any] = {
            "context": {"user_id": user},
            "config": {"configurable": {"thread_id": f"{user} {session}"}},
        }

    async def turn(self, number: int, text: str) -> list[BaseMessage]:
        """Say something; every other turn in blocking form, one streamed, one whose model fails at first."""
        given: Any = {"messages": text}
        if number == 1:
            self.model.answers.append(RuntimeError("busy"))
            with pytest.raises(RuntimeError):
                await self.agent.ainvoke(given, **self.options)
            given = None
        if number == 2:
            async for state in self.agent.astream(given, stream_mode="values", **self.options):
                result = state
        elif number % 2:
            result = await asyncio.to_thread(self.agent.invoke, given, **self.options)
        else:
            result = await self.agent.ainvoke(given, **self.options)
        if "__interrupt__" in result:
            approved = Command(resume={"decisions": [{"type": "approve"}]})
            result = await self.agent.ainvoke(approved, **self.options)
        messages: list[BaseMessage] = result["messages"]
        return messages


async def test_thirty_turns_over_three_sessions_and_two_users(memory: MemorySystem) -> None:
    answers: dict[tuple[str, str], str] = {}
    said: dict[str, Counter[str]] = {"ann": Counter(), "bob": Counter()}
    turns = 0
    for session in range(3):
        agents = {user: (Agent(memory, user, session), Agent(None, user, session)) for user in FACTS}
        for number in range(5):
            for user, (remembering, plain) in agents.items():
                text = turns_of(user)[session][number]
                ours = await remembering.turn(number, text)
                without = await plain.turn(number, text)
                assert [type(each) for each in ours] == [type(each) for each in without]
                answers[user, text] = str(ours[-1].text)
                new = ours[-4:] if text.startswith("Weather") else ours[-2:]
                said[user].update(str(each.text) for each in new if each.type in ("human", "ai"))
                turns += 1
        for user, (remembering, _) in agents.items():
            (other,) = FACTS.keys() - {user}
            shown = "".join(str(each.text) for call in remembering.model.shown for each in call)
            assert not [fact for fact in FACTS[other].values() if fact in shown]
    assert turns == 30
    for user, facts in FACTS.items():
        assert {question: answers[user, question] for question in facts} == {
            question: f"You said: {fact}" for question, fact in facts.items()
        }
        saved = Counter([entry.text async for entry in memory.scope(f"user/{user}").scan()])
        assert saved == said[user]
    assert await memory.count() == 0
