"""A chat model that answers by script and remembers what it was shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import Field

Answer = str | AIMessage | Exception
Script = Callable[[list[BaseMessage]], Answer]


def call(tool: str, id: str = "call-1", says: str = "", **args: Any) -> AIMessage:
    """An answer that calls a tool."""
    return AIMessage(says, tool_calls=[{"name": tool, "args": args, "id": id, "type": "tool_call"}])


class ScriptedModel(BaseChatModel):
    """Answers with the next of ``answers``, else with what ``script`` returns; an exception is raised."""

    answers: list[Any] = Field(default_factory=list)
    script: Script = lambda messages: "ok"
    shown: list[list[BaseMessage]] = Field(default_factory=list)
    bound: list[Any] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **kwargs: Any) -> ScriptedModel:
        self.bound[:] = tools
        return self

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        self.shown.append(list(messages))
        answer = self.answers.pop(0) if self.answers else self.script(messages)
        if isinstance(answer, Exception):
            raise answer
        message = answer if isinstance(answer, AIMessage) else AIMessage(answer)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return self._generate(messages)

    def system(self, place: int = -1) -> str:
        """The system text of one call; the last by default."""
        return "".join(
            str(message.text) for message in self.shown[place] if isinstance(message, SystemMessage)
        )
