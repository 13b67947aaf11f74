"""Tools by which a LlamaIndex agent uses its user's memory. Whose it is, the application says; the model cannot."""

from __future__ import annotations

import logging
from typing import Literal

from llama_index.core.tools.tool_spec.base import SPEC_FUNCTION_TYPE, BaseToolSpec

from axon.core.errors import AxonError, ConfigError, EmptyTextError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon.core.validation import check_k, check_session_id
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import single_tier
from axon_integrations._shared.quoting import quote
from axon_integrations.llama_index.long_term import note_change

logger = logging.getLogger("axon")


class AxonMemoryToolSpec(BaseToolSpec):
    """The tools ``remember``, ``recall`` and ``forget``, each with a blocking and an asynchronous form.

    ``FunctionAgent(tools=AxonMemoryToolSpec(memory, namespace=f"user/{user_id}").to_tool_list(), ...)``.

    Parameters
    ----------
    memory : shared by all users; never closed here.
    namespace : the user's part of it; None for the memory's own.
    session_id : noted with what is remembered; None for none.
    k : memories per recall at most, >= 1.
    max_tokens : of what one recall answers, >= 1, estimated.
    tier : one tier to write to and look into; None writes to the most durable and looks into all.
    on_error : ``"log"`` tells the model that its memory is out of reach, ``"raise"`` lets the agent fail.

    Raises
    ------
    ConfigError, InvalidInputError
        For an argument out of its range.
    """

    def __init__(
        self,
        memory: MemorySystem,
        *,
        namespace: str | None = None,
        session_id: str | None = None,
        k: int = 5,
        max_tokens: int = 1_000,
        tier: str | None = None,
        on_error: Literal["log", "raise"] = "log",
    ) -> None:
        self._memory = owner_of(memory, namespace)
        if on_error not in ("log", "raise"):
            raise ConfigError(f"on_error must be 'log' or 'raise', not {on_error!r}")
        self._session = check_session_id(session_id)
        self._k = check_k(k)
        self._max_tokens = check_k(max_tokens)
        self._tier = None if tier is None else single_tier(tier, memory)
        self._raises = on_error == "raise"
        self.spec_functions: list[SPEC_FUNCTION_TYPE] = [
            ("remember", "aremember"),
            ("recall", "arecall"),
            ("forget", "aforget"),
        ]

    def remember(self, text: str, tags: list[str] | None = None) -> str:
        """Keep a fact about the user for later conversations; write it so that it can be understood on its own."""
        return run_blocking(self.aremember(text, tags))

    async def aremember(self, text: str, tags: list[str] | None = None) -> str:
        """Keep a fact about the user for later conversations; write it so that it can be understood on its own."""
        try:
            id = await self._memory.store(
                text, tags=tags or (), tier=self._tier or self._memory.tiers[-1], session_id=self._session
            )
        except AxonError as error:
            return self._answer_to(error)
        note_change(self._memory)
        return f"Remembered, with the id {id}."

    def recall(self, query: str) -> str:
        """Look up what is remembered of the user that fits a question."""
        return run_blocking(self.arecall(query))

    async def arecall(self, query: str) -> str:
        """Look up what is remembered of the user that fits a question."""
        try:
            results = await self._memory.recall(query, k=self._k, tier=self._tier)
        except AxonError as error:
            return self._answer_to(error)
        found = quote([result.entry for result in results], self._max_tokens, with_ids=True)
        return found or "Nothing is remembered about that."

    def forget(self, memory_id: str) -> str:
        """Delete one memory by the id that remember or recall gave."""
        return run_blocking(self.aforget(memory_id))

    async def aforget(self, memory_id: str) -> str:
        """Delete one memory by the id that remember or recall gave."""
        try:
            gone = await self._memory.delete(memory_id)
        except AxonError as error:
            return self._answer_to(error)
        note_change(self._memory)
        return "Forgotten." if gone else f"There is no memory with the id {memory_id}."

    def _answer_to(self, error: AxonError) -> str:
        """Tell the model what it can mend; the rest is none of its business."""
        if isinstance(error, InvalidInputError | EmptyTextError):
            return f"That did not work: {error}"
        if self._raises:
            raise error
        logger.warning("the agent's memory failed: %s", error)
        return "The memory is out of reach at the moment. Go on without it."
