"""A function-calling model whose answers are written down, for agents without a network."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection

Answer = Callable[[Sequence[ChatMessage]], ChatMessage]


def says(words: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=words)


def calls(tool: str, **arguments: Any) -> ChatMessage:
    call = {"tool_id": f"call of {tool}", "tool_name": tool, "tool_kwargs": arguments}
    return ChatMessage(role=MessageRole.ASSISTANT, content="", additional_kwargs={"tool_calls": [call]})


class ScriptedModel(FunctionCallingLLM):
    """Answers by a function of the messages, and notes what it was shown."""

    _answer: Answer = PrivateAttr()
    _shown: list[list[ChatMessage]] = PrivateAttr(default_factory=list)

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self._answer = answer

    @property
    def shown(self) -> list[list[ChatMessage]]:
        return self._shown

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(is_function_calling_model=True, is_chat_model=True)

    def _reply(self, messages: Sequence[ChatMessage]) -> ChatResponse:
        self._shown.append([message.model_copy(deep=True) for message in messages])
        return ChatResponse(message=self._answer(messages))

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._reply(messages)

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return self._reply(messages)

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> Any:
        raise NotImplementedError

    async def astream_chat(
        self, messages: Sequence[ChatMessage], **kwargs: Any
    ) -> AsyncGenerator[ChatResponse, None]:
        async def one() -> AsyncGenerator[ChatResponse, None]:
            response = self._reply(messages)
            yield ChatResponse(message=response.message, delta=response.message.content or "")

        return one()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise NotImplementedError

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> Any:
        raise NotImplementedError

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[Any],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return {"messages": chat_history or []}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        found = response.message.additional_kwargs.get("tool_calls", [])
        return [ToolSelection(**call) for call in found]
