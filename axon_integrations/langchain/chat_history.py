"""The messages of one conversation, in a tier of the memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from axon.core.clock import SystemClock
from axon.core.compartments import compartment
from axon.core.errors import ConfigError, InvalidInputError
from axon.core.filter import Filter
from axon.core.ids import new_id
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, MemoryInput
from axon.core.portal import run_blocking
from axon.core.validation import check_session_id, check_ttl
from axon_integrations._shared.ordering import OrderSource
from axon_integrations._shared.placing import session_tier, single_tier
from axon_integrations.langchain.messages import (
    MESSAGE_KEY,
    ORDER_KEY,
    decode_message,
    encode_messages,
    message_order,
    message_text,
)

_ARRIVALS = OrderSource()
"""One for all histories of this process, so that messages of a conversation keep the order of their adding."""


class AxonChatMessageHistory(BaseChatMessageHistory):
    """The messages of one conversation, each exactly as it was added, in the order in which they were added.

    Messages lie in a compartment of the memory's namespace: a search of the memory does not find them, and
    ``history.memory.recall(...)`` does, by their words. They need no embedding model, and no tier condenses
    them. A message with an id is kept once, however often it is added; one without is kept each time.

    Reads of one object agree with each other until it adds or clears, also if messages expire or others add
    some meanwhile: LangChain reads a history twice per run and stores the difference. Make one object per run,
    which costs nothing; a new one sees what is there.

    Parameters
    ----------
    memory : where messages live; never closed here.
    session_id : the conversation, any non-empty string.
    namespace : of the memory, such as the user; None for the memory's own.
    tier : where messages go; None for the session tier, else the next more durable one.
    ttl : seconds after which a message is gone, > 0; None takes the tier's policy.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError
        For an empty session id or namespace, a tier that is not configured, or a ``ttl`` that is not above 0.

    Examples
    --------
    >>> from axon import MemorySystem
    >>> history = AxonChatMessageHistory(MemorySystem(), session_id="monday")
    >>> history.add_user_message("The deploy key is rotated monthly.")
    >>> [message.content for message in history.messages]
    ['The deploy key is rotated monthly.']
    """

    def __init__(
        self,
        memory: MemorySystem,
        session_id: str,
        *,
        namespace: str | None = None,
        tier: str | None = None,
        ttl: float | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(memory, MemorySystem):
            raise ConfigError(f"the first argument must be a MemorySystem, not {type(memory).__name__}")
        if check_session_id(session_id) is None:
            raise InvalidInputError("session_id must be a non-empty string, not None")
        owner = memory if namespace is None else memory.scope(namespace)
        self.memory = memory.scope(compartment(owner.namespace, "messages"))
        self.session_id = session_id
        self._tier = session_tier(memory) if tier is None else single_tier(tier, memory)
        self._ttl = check_ttl(ttl)
        self._seen: list[MemoryEntry] | None = None

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # an attribute there; reading takes a call
        """The messages, oldest first; blocking form of :meth:`aget_messages`."""
        return run_blocking(self.aget_messages())

    async def aget_messages(self) -> list[BaseMessage]:
        """Read the messages, oldest first: new objects at each call, equal to those added.

        Raises
        ------
        CorruptEntryError
            If a message cannot be read; it names the entry.
        AdapterError
            If the backend failed.
        """
        if self._seen is None:
            self._seen = await self._read()
        return [decode_message(entry) for entry in self._seen]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages; blocking form of :meth:`aadd_messages`."""
        run_blocking(self.aadd_messages(messages))

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages at the end; those whose id is here already are passed over.

        Raises
        ------
        InvalidInputError
            If a message holds what JSON cannot give back as it is; nothing was written.
        AdapterError
            If the backend failed.
        """
        given = list(messages)
        inputs = self._inputs(given, encode_messages(given))
        stored = await self.memory.get_many(inputs)
        known = {entry.id for entry in stored if entry is not None}
        new = [entry for id, entry in inputs.items() if id not in known]
        if new:
            await self.memory.bulk_store(new, tier=self._tier, session_id=self.session_id, embed=False)
        self._seen = None

    def clear(self) -> None:
        """Remove the messages; blocking form of :meth:`aclear`."""
        run_blocking(self.aclear())

    async def aclear(self) -> None:
        """Remove the messages of this conversation, and of no other."""
        await self.memory.forget(filter=self._mine())
        self._seen = None

    def _inputs(self, messages: Sequence[BaseMessage], encoded: Sequence[str]) -> dict[str, MemoryInput]:
        """Lay out messages by entry id; of equal ids the first stays."""
        last = max((message_order(entry)[0] for entry in self._seen or ()), default=0)
        orders = _ARRIVALS.take(len(messages), max(last + 1, SystemClock().now_us()))
        inputs: dict[str, MemoryInput] = {}
        for message, code, order in zip(messages, encoded, orders, strict=True):
            key = f"{len(self.session_id)}:{self.session_id}:{message.id}" if message.id else new_id()
            metadata: dict[str, Any] = {MESSAGE_KEY: code, ORDER_KEY: order}
            entry = MemoryInput(text=message_text(message), id=key, metadata=metadata, ttl=self._ttl)
            inputs.setdefault(key, entry)
        return inputs

    async def _read(self) -> list[MemoryEntry]:
        return sorted([entry async for entry in self.memory.scan(filter=self._mine())], key=message_order)

    def _mine(self) -> Filter:
        return Filter(session_id=self.session_id)
