"""What an agent remembers beyond its history: messages kept as entries, and one recall per user turn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import count

from llama_index.core.llms import ChatMessage, MessageRole

from axon.core.exclusive import exclusive
from axon.core.filter import as_node
from axon.core.filter.ast import Eq, Field, FilterNode, all_of
from axon.core.filter.filter import FilterLike
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, MemoryInput
from axon_integrations._shared.quoting import TokenCounter, quote
from axon_integrations.llama_index.messages import words_of
from axon_integrations.llama_index.turns import is_over

_ROLES = {MessageRole.USER: "human", MessageRole.ASSISTANT: "ai"}

_CHANGES_KEPT = 4_096
_numbers = count(1)
_changes: OrderedDict[str, int] = OrderedDict()


def note_change(memory: MemorySystem) -> None:
    """Say that the namespace was changed on purpose, so that recalls of this turn are made anew."""
    _changes[memory.namespace] = next(_numbers)
    _changes.move_to_end(memory.namespace)
    # A namespace that is forgotten here recalls once more than it had to.
    while len(_changes) > _CHANGES_KEPT:
        _changes.popitem(last=False)


@dataclass(frozen=True, slots=True)
class LongTerm:
    """Where messages are remembered and how they are recalled.

    Attributes
    ----------
    memory : bound to the user's namespace.
    tier : one tier to write to and look into; None writes to the most durable and looks into all.
    k : entries per recall, >= 1.
    max_tokens : of the block that shows them, >= 1.
    filter : what recalled entries must satisfy besides.
    """

    memory: MemorySystem
    tier: str | None
    k: int
    max_tokens: int
    count_tokens: TokenCounter
    filter: FilterLike = None

    async def remember(self, session: str, messages: Sequence[ChatMessage]) -> None:
        """Keep what user and agent said, embedded in one batch; saying it again in one session changes nothing."""
        inputs = {str(input.id): input for input in (_input(session, each) for each in messages) if input}
        known = await self.memory.get_many(list(inputs)) if inputs else []
        new = [input for input, entry in zip(inputs.values(), known, strict=True) if entry is None]
        if new:
            tier = self.tier or self.memory.tiers[-1]
            await self.memory.bulk_store(new, tier=tier, session_id=session)

    async def recall(self, question: str, session: str | None) -> list[MemoryEntry]:
        """Recall entries for a question, best first; of one session, or of all where it is None."""
        node = as_node(self.filter)
        if session is not None:
            only: FilterNode = Eq(Field("session_id"), session)
            node = all_of((only, node))
        results = await self.memory.recall(question, k=self.k, filter=node, tier=self.tier)
        return [result.entry for result in results]

    def quote(self, entries: Iterable[MemoryEntry], max_tokens: int | None = None) -> str:
        """Write entries as a block for a prompt; empty where there are none."""
        return quote(entries, self.max_tokens if max_tokens is None else max_tokens, self.count_tokens)


def _input(session: str, message: ChatMessage) -> MemoryInput | None:
    words, role = words_of(message), _ROLES.get(message.role)
    if not words or role is None:
        return None
    digest = blake2b(f"{len(session)}:{session}{role}:{words}".encode(), digest_size=16).hexdigest()
    return MemoryInput(text=words, id=f"llama-index:{digest}", metadata={"role": role})


class TurnRecall:
    """The recall of the present user turn: made once, however often the agent asks.

    Parameters
    ----------
    long_term : what is recalled from.

    Attributes
    ----------
    entries, shown : of the last recall, and the block that was made of them.
    """

    def __init__(self, long_term: LongTerm) -> None:
        self._long_term = long_term
        self._key: tuple[object, ...] | None = None
        self._answered = False
        self.entries: list[MemoryEntry] = []
        self.shown = ""

    def forget(self) -> None:
        """Make the next recall anew: a new turn begins."""
        self._key = None

    def follow(self, messages: Sequence[ChatMessage]) -> None:
        """Notice a new turn by the history alone: the user speaks, and before that the agent had answered."""
        if self._answered and not is_over(messages):
            self.forget()
        self._answered = is_over(messages)

    async def block(self, question: str, session: str | None) -> str:
        """Return the block for a question; empty where nothing is found."""
        if not question.strip():
            return ""
        memory = self._long_term.memory
        async with exclusive(memory, f"recall of {id(self)}"):
            key = (question, session, _changes.get(memory.namespace))
            if self._key != key:
                self.entries = await self._long_term.recall(question, session)
                self.shown, self._key = self._long_term.quote(self.entries), key
            return self.shown
