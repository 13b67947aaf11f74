"""Axon as the memory of a LlamaIndex agent: its history, and what it remembers beyond it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from llama_index.core.bridge.pydantic import Field, PrivateAttr
from llama_index.core.llms import ChatMessage, MessageRole, TextBlock
from llama_index.core.memory.types import BaseMemory

from axon.core.errors import AxonError
from axon.core.filter import as_node
from axon.core.filter.filter import FilterLike
from axon.core.filter.parse import to_dict
from axon.core.ids import new_id
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry
from axon.core.portal import run_blocking
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import single_tier
from axon_integrations._shared.quoting import TokenCounter, estimate_tokens
from axon_integrations._shared.transcripts import Transcripts
from axon_integrations.llama_index.chat_store import ACTIVE, ARCHIVED, KIND
from axon_integrations.llama_index.live_memories import memory_named, name_of, register_memory
from axon_integrations.llama_index.long_term import LongTerm, TurnRecall
from axon_integrations.llama_index.messages import from_entry, to_lines
from axon_integrations.llama_index.spans import spanned
from axon_integrations.llama_index.turns import is_over, last_question, message_tokens, older_than

logger = logging.getLogger("axon")


class AxonMemory(BaseMemory):
    """The memory of an agent: ``agent.run(..., memory=AxonMemory(memory, session_id="monday"))``.

    Messages go to the session tier as they are, not embedded. When the history grows past its share of
    ``token_limit``, its oldest whole turns are archived and remembered as entries, embedded in one batch; a turn is
    never torn, so a tool's answer stays with its call. Once per user turn, however often the agent asks, entries that
    fit the user's last message are recalled and put at the head of the system message, delimited and escaped as data.

    A serialised context holds the settings and the name of the memory, no message and no secret. What is read back
    goes on with the same history, on the memory of that name in the process (see ``register_memory``).

    Parameters
    ----------
    memory : where everything lives; never closed here.
    session_id : the conversation; None for a new one.
    namespace : of the memory, such as the user; None for the memory's own.
    token_limit : of what the agent is given, >= 1.
    history_ratio : share of ``token_limit`` that the history may take, in (0, 1].
    k : entries recalled per turn at most, >= 1.
    recall_tokens : of the block that shows them, >= 1; half of ``token_limit`` at most.
    across_sessions : recall what was remembered in any session of the namespace, not in this one only.
    tier : one tier for what is remembered; None writes to the most durable and looks into all.
    filter : what recalled entries must satisfy besides; kept in dumps.
    count_tokens : of a text, which estimates them from its length where none is given; in no dump.
    on_error : ``"log"`` lets the agent go on without what it remembers when that fails, ``"raise"`` lets it fail. Its
        history is never left out.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError, FilterError
        For an argument out of its range.
    """

    session_id: str
    namespace: str | None = None
    token_limit: int = Field(default=30_000, ge=1)
    history_ratio: float = Field(default=0.7, gt=0, le=1)
    k: int = Field(default=5, ge=1)
    recall_tokens: int = Field(default=1_000, ge=1)
    across_sessions: bool = False
    tier: str | None = None
    filter: dict[str, Any] = Field(default_factory=dict)
    on_error: Literal["log", "raise"] = "log"
    memory_name: str = ""

    _transcripts: Transcripts = PrivateAttr()
    _long_term: LongTerm = PrivateAttr()
    _recall: TurnRecall = PrivateAttr()

    def __init__(
        self,
        memory: MemorySystem,
        session_id: str | None = None,
        *,
        namespace: str | None = None,
        tier: str | None = None,
        filter: FilterLike = None,
        count_tokens: TokenCounter = estimate_tokens,
        **settings: Any,
    ) -> None:
        owner, node = owner_of(memory, namespace), as_node(filter)
        settings |= {"session_id": session_id or new_id(), "namespace": owner.namespace, "tier": tier}
        super().__init__(**settings | {"filter": to_dict(node), "memory_name": name_of(owner)})
        only = None if tier is None else single_tier(tier, memory)
        block_tokens = min(self.recall_tokens, max(1, self.token_limit // 2))
        self._transcripts = Transcripts(owner, KIND)
        self._long_term = LongTerm(owner, only, self.k, block_tokens, count_tokens, node)
        self._recall = TurnRecall(self._long_term)

    @classmethod
    def class_name(cls) -> str:
        """Name in LlamaIndex's serialised forms."""
        return "AxonMemory"

    @classmethod
    def from_defaults(
        cls,
        memory: MemorySystem | None = None,
        session_id: str | None = None,
        chat_history: Sequence[ChatMessage] | None = None,
        **settings: Any,
    ) -> Self:
        """Make one as LlamaIndex's own memories are made.

        Parameters
        ----------
        memory : None for a new one in this process, which lives as long as the process.
        session_id, **settings : as in the class.
        chat_history : messages to begin with, in place of what the session holds.
        """
        if memory is None:
            memory = MemorySystem()
            register_memory(f"default-{new_id()}", memory)
        made = cls(memory, session_id, **settings)
        if chat_history is not None:
            made.set(list(chat_history))
        return made

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **kwargs: Any) -> Self:
        """Go on with a serialised memory, on the live one of the same name or on ``memory=``.

        Raises
        ------
        ConfigError
            If no memory of this process has that name.
        """
        settings = {key: value for key, value in data.items() if key not in ("class_name", "memory_name")}
        memory = kwargs.pop("memory", None)
        return cls(memory or memory_named(str(data.get("memory_name"))), **settings | kwargs)

    # ------------------------------------------------------------------------------------------------- read

    @spanned
    async def aget(
        self, input: str | None = None, initial_token_count: int = 0, **kwargs: Any
    ) -> list[ChatMessage]:
        """Read the history as far as it fits, with what is recalled for the user's last message.

        Parameters
        ----------
        input : the user's message, where it is not in the history yet, as with LlamaIndex's chat engines.
        initial_token_count : tokens of the limit that are used up already, >= 0.
        **kwargs : accepted for other memories' arguments.
        """
        messages = [from_entry(entry) for entry in await self._active()]
        asked = last_question(messages)
        if input and (not asked or is_over(messages)):
            asked = str(input)
        block = await self._recalled(asked)
        room = self.token_limit - initial_token_count - (self._long_term.count_tokens(block) if block else 0)
        kept = messages[older_than(messages, room, self._tokens) :]
        return _with_block(kept, block) if block else kept

    async def aget_all(self) -> list[ChatMessage]:
        """Read the whole conversation, archived messages first, without anything recalled."""
        return [from_entry(entry) for entry in await self._transcripts.read(self.session_id)]

    async def _active(self) -> list[MemoryEntry]:
        return await self._transcripts.read(self.session_id, ACTIVE.value)

    async def _recalled(self, question: str) -> str:
        try:
            return await self._recall.block(question, None if self.across_sessions else self.session_id)
        except AxonError as error:
            if self.on_error == "raise":
                raise
            logger.warning("the agent goes on without what it remembers: %s", error)
            return ""

    # ------------------------------------------------------------------------------------------------ write

    async def aput(self, message: ChatMessage) -> None:
        """Add a message at the end of the history."""
        await self.aput_messages([message])

    @spanned
    async def aput_messages(self, messages: list[ChatMessage]) -> None:
        """Add messages at the end, all or none; what no longer fits is archived and remembered.

        Raises
        ------
        InvalidInputError
            If a message holds what JSON cannot take; nothing was added.
        """
        lines = to_lines(messages)
        if any(message.role == MessageRole.USER for message in messages):
            self._recall.forget()
        async with self._transcripts.turn(self.session_id):
            await self._transcripts.append(self.session_id, lines, ACTIVE.value)
            entries = await self._active()
            limit = round(self.token_limit * self.history_ratio)
            cut = older_than([from_entry(entry) for entry in entries], limit, self._tokens)
            await self._archive(entries[:cut])

    async def aset(self, messages: list[ChatMessage]) -> None:
        """Put messages in place of the whole conversation; what is remembered stays."""
        lines = to_lines(messages)
        self._recall.forget()
        async with self._transcripts.turn(self.session_id):
            await self._transcripts.replace(self.session_id, lines, ACTIVE.value)

    async def areset(self) -> None:
        """Remove the conversation; what is remembered, and other sessions, stay."""
        self._recall.forget()
        async with self._transcripts.turn(self.session_id):
            await self._transcripts.clear(self.session_id)

    async def aflush(self) -> None:
        """Archive and remember the whole history now, as at the end of a session."""
        async with self._transcripts.turn(self.session_id):
            await self._archive(await self._active())

    async def _archive(self, entries: Sequence[MemoryEntry]) -> None:
        """Remember first, archive then: stopped in between, the same is remembered once more, to no effect."""
        if not entries:
            return
        try:
            await self._long_term.remember(self.session_id, [from_entry(entry) for entry in entries])
        except AxonError as error:
            if self.on_error == "raise":
                raise
            logger.warning("the history keeps what could not be remembered: %s", error)
            return
        await self._transcripts.relabel(self.session_id, entries, ARCHIVED.value)

    def _tokens(self, message: ChatMessage) -> int:
        return message_tokens(message, self._long_term.count_tokens)

    # --------------------------------------------------------------------------------------- blocking forms

    def get(self, input: str | None = None, **kwargs: Any) -> list[ChatMessage]:
        """Blocking form of :meth:`aget`."""
        return run_blocking(self.aget(input, **kwargs))

    def get_all(self) -> list[ChatMessage]:
        """Blocking form of :meth:`aget_all`."""
        return run_blocking(self.aget_all())

    def put(self, message: ChatMessage) -> None:
        """Blocking form of :meth:`aput`."""
        run_blocking(self.aput(message))

    def put_messages(self, messages: list[ChatMessage]) -> None:
        """Blocking form of :meth:`aput_messages`."""
        run_blocking(self.aput_messages(messages))

    def set(self, messages: list[ChatMessage]) -> None:
        """Blocking form of :meth:`aset`."""
        run_blocking(self.aset(messages))

    def reset(self) -> None:
        """Blocking form of :meth:`areset`."""
        run_blocking(self.areset())

    def flush(self) -> None:
        """Blocking form of :meth:`aflush`."""
        run_blocking(self.aflush())


def _with_block(messages: list[ChatMessage], block: str) -> list[ChatMessage]:
    """Put a block at the head of the first system message, made where there is none."""
    text = TextBlock(text=block)
    for place, message in enumerate(messages):
        if message.role == MessageRole.SYSTEM:
            joined = message.model_copy(update={"blocks": [text, *message.blocks]})
            return [*messages[:place], joined, *messages[place + 1 :]]
    return [ChatMessage(role=MessageRole.SYSTEM, blocks=[text]), *messages]
