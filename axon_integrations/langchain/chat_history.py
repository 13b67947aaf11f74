"""The messages of one conversation, in a tier of the memory."""

from __future__ import annotations

from collections.abc import Sequence

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from axon.core.errors import InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry
from axon.core.portal import run_blocking
from axon.core.validation import check_session_id
from axon_integrations._shared.transcripts import Transcripts
from axon_integrations.langchain.messages import decode_message, to_lines


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
        if check_session_id(session_id) is None:
            raise InvalidInputError("session_id must be a non-empty string, not None")
        self._transcripts = Transcripts(memory, "messages", namespace=namespace, tier=tier, ttl=ttl)
        self.memory = self._transcripts.memory
        self.session_id = session_id
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
            self._seen = await self._transcripts.read(self.session_id)
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
        inputs = self._transcripts.lay_out(self.session_id, to_lines(messages), None, self._seen or ())
        stored = await self.memory.get_many(inputs)
        known = {entry.id for entry in stored if entry is not None}
        await self._transcripts.keep(
            self.session_id, [entry for id, entry in inputs.items() if id not in known]
        )
        self._seen = None

    def clear(self) -> None:
        """Remove the messages; blocking form of :meth:`aclear`."""
        run_blocking(self.aclear())

    async def aclear(self) -> None:
        """Remove the messages of this conversation, and of no other."""
        await self._transcripts.clear(self.session_id)
        self._seen = None
