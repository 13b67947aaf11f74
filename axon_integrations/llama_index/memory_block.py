"""Axon as a long-term block inside LlamaIndex's own ``Memory``."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.llms import ChatMessage
from llama_index.core.memory import BaseMemoryBlock

from axon.core.filter.filter import FilterLike
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import single_tier
from axon_integrations._shared.quoting import TokenCounter, estimate_tokens
from axon_integrations.llama_index.long_term import LongTerm, TurnRecall
from axon_integrations.llama_index.spans import spanned
from axon_integrations.llama_index.turns import last_question

_BLOCKS_KEPT = 64


class AxonMemoryBlock(BaseMemoryBlock[str]):
    """Remembers the messages that leave LlamaIndex's ``Memory``, and recalls what fits the user's last message.

    ``Memory.from_defaults(memory_blocks=[AxonMemoryBlock(memory)])``. A message is remembered once per session, however
    often the ``Memory`` delivers it. One block may serve several sessions; each recalls what was said in it.

    Parameters
    ----------
    memory : where messages are remembered; never closed here, and in no dump of the block.
    name : of the block, unique within one ``Memory``.
    namespace : of the memory, such as the user; None for the memory's own.
    session_id : used where the ``Memory`` names none; None for a session of the block's own, by its name.
    k : entries recalled per turn at most, >= 1.
    max_tokens : of the block, >= 1.
    across_sessions : recall what was remembered in any session of the namespace.
    tier : one tier to remember in and recall from; None writes to the most durable and looks into all.
    filter : what recalled entries must satisfy besides.
    count_tokens : of a text; None estimates them from its length.
    priority : 0 is never truncated; see LlamaIndex.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError
        For an empty namespace or a tier that is not configured.
    """

    name: str = "axon_memory"
    namespace: str | None = None
    session_id: str | None = None
    across_sessions: bool = False

    _long_term: LongTerm = PrivateAttr()
    _recalls: OrderedDict[str, TurnRecall] = PrivateAttr(default_factory=OrderedDict)

    def __init__(
        self,
        memory: MemorySystem,
        *,
        namespace: str | None = None,
        k: int = 5,
        max_tokens: int = 1_000,
        tier: str | None = None,
        filter: FilterLike = None,
        count_tokens: TokenCounter = estimate_tokens,
        **settings: Any,
    ) -> None:
        owner = owner_of(memory, namespace)
        super().__init__(**settings | {"namespace": namespace})
        only = None if tier is None else single_tier(tier, memory)
        self._long_term = LongTerm(owner, only, k, max_tokens, count_tokens, filter)

    @spanned
    async def _aget(self, messages: list[ChatMessage] | None = None, **block_kwargs: Any) -> str:
        session, said = self._session(block_kwargs.get("session_id")), messages or ()
        recall = self._recall_of(session)
        recall.follow(said)
        return await recall.block(last_question(said), None if self.across_sessions else session)

    async def aput(
        self,
        messages: list[ChatMessage],
        from_short_term_memory: bool = False,
        session_id: str | None = None,
    ) -> None:
        """Remember messages, which are left as they are; LlamaIndex's own form writes the session into them."""
        if not from_short_term_memory or self.accept_short_term_memory:
            await self._remember(messages, session_id)

    async def _aput(self, messages: list[ChatMessage]) -> None:
        await self._remember(messages, None)

    @spanned
    async def _remember(self, messages: Sequence[ChatMessage], session_id: str | None) -> None:
        await self._long_term.remember(self._session(session_id), messages)

    async def atruncate(self, content: str, tokens_to_truncate: int) -> str | None:
        """Shorten a block by leaving out its least important entries, then its least fitting ones."""
        recall = next((each for each in self._recalls.values() if each.shown == content), None)
        room = self._long_term.count_tokens(content) - tokens_to_truncate
        if recall is None or room < 1:
            return None
        return self._long_term.quote(_important_first(recall.entries), room) or None

    def _session(self, named: str | None) -> str:
        return named or self.session_id or self.name

    def _recall_of(self, session: str) -> TurnRecall:
        recall = self._recalls.pop(session, None) or TurnRecall(self._long_term)
        self._recalls[session] = recall
        if len(self._recalls) > _BLOCKS_KEPT:
            self._recalls.popitem(last=False)
        return recall


def _important_first(entries: Sequence[MemoryEntry]) -> list[MemoryEntry]:
    return sorted(entries, key=lambda entry: -entry.importance)
