"""Axon as the chat store of LlamaIndex's own ``Memory``."""

from __future__ import annotations

from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import ChatMessage
from llama_index.core.storage.chat_store.base_db import AsyncDBChatStore, MessageStatus

from axon.core.errors import InvalidInputError
from axon.core.memory_system import MemorySystem
from axon_integrations._shared.transcripts import Transcripts
from axon_integrations.llama_index.messages import from_entry, to_lines

ACTIVE, ARCHIVED = MessageStatus.ACTIVE, MessageStatus.ARCHIVED

KIND = "llama-index-messages"
"""The compartment of a namespace in which conversations lie."""


class AxonChatStore(AsyncDBChatStore):
    """Conversations in a tier of the memory, each message exactly as it was added.

    For ``Memory.from_defaults(chat_store=...)``, which llama-index-core has from 0.14.24 on. Messages lie in a
    compartment of their own: searching the memory does not find them. What is handed out are copies. Changes of one
    conversation take turns, over all event loops and threads of the process. The messages of one conversation expire
    together, as the tier's policy or ``ttl`` say.

    Parameters
    ----------
    memory : where messages live; never closed here, and in no dump of the store.
    namespace : of the memory, such as the user; None for the memory's own.
    tier : where messages go; None for the session tier, else the next more durable one.
    ttl : seconds after which a conversation is gone if nothing is added, > 0; None takes the tier's policy.

    Raises
    ------
    InvalidInputError
        For an empty namespace, a tier that is not configured, or a ``ttl`` that is not above 0.
    """

    namespace: str | None = None
    tier: str | None = None
    ttl: float | None = None

    _transcripts: Transcripts | None = PrivateAttr(default=None)

    def __init__(
        self,
        memory: MemorySystem,
        *,
        namespace: str | None = None,
        tier: str | None = None,
        ttl: float | None = None,
    ) -> None:
        bound: dict[str, Any] = {"namespace": namespace, "tier": tier, "ttl": ttl}
        super().__init__(**bound)
        self._transcripts = Transcripts(memory, KIND, namespace=namespace, tier=tier, ttl=ttl)

    @classmethod
    def class_name(cls) -> str:
        """Name in LlamaIndex's serialised forms."""
        return "AxonChatStore"

    @property
    def transcripts(self) -> Transcripts:
        """The conversations themselves.

        Raises
        ------
        InvalidInputError
            If the store was pickled or made from a dump, which hold no memory.
        """
        if self._transcripts is None:
            raise InvalidInputError("this AxonChatStore has no memory; make a new one: AxonChatStore(memory)")
        return self._transcripts

    async def get_messages(
        self,
        key: str,
        status: MessageStatus | None = ACTIVE,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[ChatMessage]:
        """Read the messages of a conversation, oldest first.

        Parameters
        ----------
        key : the conversation.
        status : of the messages; None for all.
        limit, offset : a part of them: at most so many, after leaving out so many; >= 0.

        Raises
        ------
        CorruptEntryError
            If a message cannot be read; it names the entry.
        """
        start = offset or 0
        if start < 0 or (limit is not None and limit < 0):
            raise InvalidInputError(f"limit and offset must be at least 0, not {limit} and {offset}")
        entries = await self.transcripts.read(key, _name(status))
        chosen = entries[start:] if limit is None else entries[start : start + limit]
        return [from_entry(entry) for entry in chosen]

    async def count_messages(self, key: str, status: MessageStatus | None = ACTIVE) -> int:
        """Count the messages of a conversation; ``status`` None counts all."""
        return await self.transcripts.count(key, _name(status))

    async def add_message(self, key: str, message: ChatMessage, status: MessageStatus = ACTIVE) -> None:
        """Add a message at the end."""
        await self.add_messages(key, [message], status)

    async def add_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = ACTIVE
    ) -> None:
        """Add messages at the end, all or none.

        Raises
        ------
        InvalidInputError
            If a message holds what JSON cannot take; its ``index`` says which.
        """
        lines = to_lines(messages)
        async with self.transcripts.turn(key):
            await self.transcripts.append(key, lines, status.value)

    async def set_messages(
        self, key: str, messages: list[ChatMessage], status: MessageStatus = ACTIVE
    ) -> None:
        """Put messages in place of all that the conversation holds, of any status."""
        lines = to_lines(messages)
        async with self.transcripts.turn(key):
            await self.transcripts.replace(key, lines, status.value)

    async def delete_message(self, key: str, idx: int) -> ChatMessage | None:
        """Delete the message at a place among all of the conversation, 0 being the oldest; None if there is none."""
        async with self.transcripts.turn(key):
            entries = await self.transcripts.read(key)
            if not 0 <= idx < len(entries):
                return None
            await self.transcripts.remove(entries[idx : idx + 1])
        return from_entry(entries[idx])

    async def delete_messages(self, key: str, status: MessageStatus | None = None) -> None:
        """Delete the messages of a conversation; ``status`` None deletes all."""
        async with self.transcripts.turn(key):
            await self.transcripts.clear(key, _name(status))

    async def delete_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Delete the ``n`` oldest active messages and return them."""
        async with self.transcripts.turn(key):
            oldest = (await self.transcripts.read(key, ACTIVE.value))[: max(0, n)]
            messages = [from_entry(entry) for entry in oldest]
            await self.transcripts.remove(oldest)
        return messages

    async def archive_oldest_messages(self, key: str, n: int) -> list[ChatMessage]:
        """Archive the ``n`` oldest active messages, all or none, and return them."""
        async with self.transcripts.turn(key):
            oldest = (await self.transcripts.read(key, ACTIVE.value))[: max(0, n)]
            messages = [from_entry(entry) for entry in oldest]
            await self.transcripts.relabel(key, oldest, ARCHIVED.value)
        return messages

    async def get_keys(self) -> list[str]:
        """Names of the conversations that hold messages, sorted."""
        return await self.transcripts.names()


def _name(status: MessageStatus | None) -> str | None:
    return None if status is None else status.value
