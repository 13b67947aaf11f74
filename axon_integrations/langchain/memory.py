"""The memory of LangChain's classic chains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, get_buffer_string
from pydantic import Field

from axon.core.errors import InvalidInputError, MissingDependencyError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon_integrations.langchain.chat_history import AxonChatMessageHistory

try:
    from langchain_classic.base_memory import BaseMemory
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "langchain_classic":
        raise
    raise MissingDependencyError("langchain-classic", "langchain-classic") from error


class AxonMemory(BaseMemory):
    """The conversation so far, for ``ConversationChain``, ``LLMChain`` and ``AgentExecutor``.

    Takes the place of ``ConversationBufferMemory``, and with ``k`` of ``ConversationBufferWindowMemory``; the
    messages are those of ``AxonChatMessageHistory`` with the same memory and session.

    Attributes
    ----------
    memory : where messages live; never closed here.
    session_id : the conversation, any non-empty string.
    namespace : of the memory, such as the user; None for the memory's own.
    tier, ttl : as in ``AxonChatMessageHistory``.
    memory_key : variable of the prompt that receives the conversation.
    input_key : which input is the user's message; None for the only one that is no memory.
    output_key : which output is the answer; None for the only one, else ``"output"``.
    return_messages : give a list of messages, not one string.
    human_prefix, ai_prefix : who speaks, in the string.
    k : the last so many exchanges (a question and its answer), >= 1; None for all.

    Raises
    ------
    MissingDependencyError
        On import, if ``langchain-classic`` is not installed.
    """

    memory: MemorySystem
    session_id: str
    namespace: str | None = None
    tier: str | None = None
    ttl: float | None = None
    memory_key: str = "history"
    input_key: str | None = None
    output_key: str | None = None
    return_messages: bool = False
    human_prefix: str = "Human"
    ai_prefix: str = "AI"
    k: int | None = Field(None, ge=1)

    def model_post_init(self, context: Any, /) -> None:
        """Read the settings, so that a wrong one is an error here and not in the first chain."""
        self._history()

    @property
    def memory_variables(self) -> list[str]:
        """The one variable that the conversation fills."""
        return [self.memory_key]

    def load_memory_variables(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Read the conversation; blocking form of :meth:`aload_memory_variables`."""
        return run_blocking(self.aload_memory_variables(inputs))

    async def aload_memory_variables(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Read the conversation, as messages or as one string; ``inputs`` make no difference."""
        messages = await self._history().aget_messages()
        if self.k is not None:
            messages = messages[-2 * self.k :]
        if self.return_messages:
            return {self.memory_key: messages}
        return {self.memory_key: get_buffer_string(messages, self.human_prefix, self.ai_prefix)}

    def save_context(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        """Add an exchange; blocking form of :meth:`asave_context`."""
        run_blocking(self.asave_context(inputs, outputs))

    async def asave_context(self, inputs: dict[str, Any], outputs: dict[str, Any]) -> None:
        """Add the user's message and the answer; the conversation itself, among the inputs, is not added again.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If it is not clear which input or output is meant; nothing was written.
        """
        question, answer = self._input(inputs), self._output(outputs)
        await self._history().aadd_messages(
            [
                question if isinstance(question, BaseMessage) else HumanMessage(content=question),
                answer if isinstance(answer, BaseMessage) else AIMessage(content=answer),
            ]
        )

    def clear(self) -> None:
        """Remove the conversation; blocking form of :meth:`aclear`."""
        run_blocking(self.aclear())

    async def aclear(self) -> None:
        """Remove the conversation, and no other."""
        await self._history().aclear()

    def _history(self) -> AxonChatMessageHistory:
        return AxonChatMessageHistory(
            self.memory, self.session_id, namespace=self.namespace, tier=self.tier, ttl=self.ttl
        )

    def _input(self, inputs: Mapping[str, Any]) -> Any:
        # Chains pass a word of their own, "stop", which no prompt uses.
        own = [key for key in inputs if key not in (self.memory_key, "stop")]
        return inputs[_chosen("input", inputs, self.input_key, own)]

    def _output(self, outputs: Mapping[str, Any]) -> Any:
        own = ["output"] if len(outputs) > 1 and "output" in outputs else list(outputs)
        return outputs[_chosen("output", outputs, self.output_key, own)]


def _chosen(kind: str, values: Mapping[str, Any], named: str | None, own: list[str]) -> str:
    """Return the key that the user named, else the only one there is."""
    if named is None and len(own) == 1:
        return own[0]
    if named is not None and named in values:
        return named
    reason = f"there is no {kind} {named!r}" if named is not None else "it is not clear which one to keep"
    raise InvalidInputError(
        f"{reason}: the {kind}s are {', '.join(sorted(values)) or 'empty'}; name one with {kind}_key="
    )
