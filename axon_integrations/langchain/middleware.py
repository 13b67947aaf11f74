"""Memory across the sessions of an agent made by ``langchain.agents.create_agent``."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, NotRequired

from langchain.agents.middleware import AgentMiddleware, AgentState, ModelRequest, ModelResponse
from langchain.agents.middleware.types import PrivateStateAttr
from langchain_core.messages import SystemMessage
from langchain_core.tools import BaseTool
from langgraph.config import get_config
from langgraph.runtime import Runtime

from axon.core.errors import AxonError, ConfigError
from axon.core.filter import as_node
from axon.core.filter.ast import Field, Nin, all_of
from axon.core.filter.filter import FilterLike
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry
from axon.core.policies import RecallMode
from axon.core.portal import run_blocking
from axon.core.validation import check_importance, check_k, check_tiers
from axon_integrations._shared.quoting import TokenCounter, estimate_tokens, quote
from axon_integrations.langchain.agent_turns import (
    Role,
    TurnState,
    memory_inputs,
    question_of,
    turn_state,
    visible_ids,
    with_pending,
)
from axon_integrations.langchain.agent_user import NAMESPACE, UserScopes, UserSource, thread_of
from axon_integrations.langchain.tools import memory_tools

OnError = Literal["log", "raise"]

logger = logging.getLogger("axon")


class AxonMemoryState(AgentState[Any]):
    """The agent's state with what the middlewares of this class note, by their names; hidden from in- and output."""

    axon_memory: NotRequired[Annotated[dict[str, Any], PrivateStateAttr]]


class AxonMemoryMiddleware(AgentMiddleware[AxonMemoryState, Any, Any]):
    """Recalls what belongs to the user's message, shows it to the model, and saves what was said.

    Once per turn memories are recalled; every model call of the turn sees them at the end of its system
    message, delimited and escaped as data. The thread itself stays as it would be without memory. After the
    turn, what the user and the agent said is saved, each message once, also over retries, resumed interrupts
    and summarised threads; what could not be saved is saved after a later turn of the same checkpointed thread.

    List it after ``PIIMiddleware``, so that it sees redacted text, and before ``SummarizationMiddleware``, so that
    it sees messages before they are summarised.

    Parameters
    ----------
    memory : shared by all users; each has a namespace of their own in it. Never closed here.
    user_id : whose memory; a string, or a function of the runtime. None takes ``user_id`` of the runtime's
        context (attribute or key), else of ``config["configurable"]``, else the server's authenticated user.
    namespace : a user's namespace, with ``{user_id}`` in it; ``memory.scope("user/ann")`` is Ann's.
    k : memories per turn at most, >= 1.
    max_tokens : for the whole block that the model sees, >= 1.
    count_tokens : of a text; None estimates them from its length.
    filter, mode, min_score : of the recall, as in ``MemorySystem.recall``.
    tier : one tier or several that are read and written; None for all.
    save : whose messages are saved, of ``"human"`` and ``"ai"``; empty for none.
    importance : of saved messages, in [0, 1], which also chooses their tier; None saves to the most durable.
    tools : give the agent :func:`memory_tools` too.
    on_error : ``"log"`` lets the agent answer without its memory when that fails, ``"raise"`` lets it fail.
    name : tells two of these middlewares in one agent apart; None takes the class name and ``namespace``.
    trace_policy : LangChain's, to keep recalled text out of traces.

    Raises
    ------
    ConfigError, InvalidInputError
        For an argument out of its range. From the agent: if no user is found; there is no default user.

    Examples
    --------
    >>> agent = create_agent(model, middleware=[AxonMemoryMiddleware(memory)], context_schema=dict)
    >>> agent.invoke({"messages": ["Where do I live?"]}, context={"user_id": "ann"})
    """

    state_schema = AxonMemoryState

    def __init__(
        self,
        memory: MemorySystem,
        *,
        user_id: UserSource | None = None,
        namespace: str = NAMESPACE,
        k: int = 5,
        max_tokens: int = 500,
        count_tokens: TokenCounter | None = None,
        filter: FilterLike = None,
        mode: RecallMode | None = None,
        min_score: float | None = None,
        tier: str | Iterable[str] | None = None,
        save: Iterable[Role] = ("human", "ai"),
        importance: float | None = None,
        tools: bool = False,
        on_error: OnError = "log",
        name: str | None = None,
        trace_policy: Any = None,
    ) -> None:
        super().__init__()
        self._scopes = UserScopes(memory, user_id, namespace)
        self._k = check_k(k)
        self._max_tokens = check_k(max_tokens)
        self._count_tokens = count_tokens or estimate_tokens
        self._filter = as_node(filter)
        self._mode = mode
        self._min_score = min_score
        self._tiers = check_tiers(tier, memory.tiers)
        self._save = _checked_roles(save)
        self._importance = None if importance is None else check_importance(importance)
        if on_error not in ("log", "raise"):
            raise ConfigError(f"on_error must be 'log' or 'raise', not {on_error!r}")
        self._raises = on_error == "raise"
        self._name = name or f"{type(self).__name__}[{namespace}]"
        self.trace_policy = trace_policy
        self.tools: Sequence[BaseTool] = (
            memory_tools(memory, user_id=user_id, namespace=namespace, tier=tier, on_error=on_error)
            if tools
            else []
        )

    @property
    def name(self) -> str:
        """The name of this instance, unique within an agent."""
        return self._name

    def before_model(self, state: AxonMemoryState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall for the turn, once; blocking form of :meth:`abefore_model`."""
        return run_blocking(self._begin(state, *self._place(runtime)))

    async def abefore_model(self, state: AxonMemoryState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Recall for the turn, once, and note what was said so far."""
        return await self._begin(state, *self._place(runtime))

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Show the model what was recalled."""
        return handler(self._with_memories(request))

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """Show the model what was recalled."""
        return await handler(self._with_memories(request))

    def after_agent(self, state: AxonMemoryState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Save what was said; blocking form of :meth:`aafter_agent`."""
        return run_blocking(self._finish(state, *self._place(runtime)))

    async def aafter_agent(self, state: AxonMemoryState, runtime: Runtime[Any]) -> dict[str, Any] | None:
        """Save what was said in the turn and is not saved yet."""
        return await self._finish(state, *self._place(runtime))

    def _place(self, runtime: Runtime[Any]) -> tuple[MemorySystem, str | None]:
        """Find the user's memory and the thread; here, because the caller's thread knows the run."""
        config = get_config()
        return self._scopes.memory_of(runtime, config), thread_of(config)

    async def _begin(
        self, state: AxonMemoryState, memory: MemorySystem, thread: str | None
    ) -> dict[str, Any] | None:
        messages = state["messages"]
        question = question_of(messages)
        mine = with_pending(self._mine(state), messages, self._save)
        if question is not None and question.id is not None and question.id != mine["turn"]:
            block = await self._recall(memory, str(question.text), state, thread)
            mine = {**mine, "turn": question.id, "block": block}
        return self._update(state, mine)

    async def _recall(
        self, memory: MemorySystem, question: str, state: AxonMemoryState, thread: str | None
    ) -> str:
        """Return the block of memories for a question; empty if there are none."""
        question = question.encode(errors="replace").decode()
        if not question.strip():
            return ""
        messages = state["messages"]
        unseen = all_of((self._filter, Nin(Field("id"), tuple(visible_ids(messages, thread)))))
        # Without a thread, messages have new ids in each run, and only their text tells that the model has them.
        spare = 0 if thread is not None else len(messages)
        try:
            results = await memory.recall(
                question,
                k=self._k + spare,
                filter=unseen,
                tier=self._tiers,
                mode=self._mode,
                min_score=self._min_score,
            )
        except AxonError as error:
            self._failed("recall", error)
            return ""
        said = {str(message.text) for message in messages}
        entries: list[MemoryEntry] = [result.entry for result in results if result.text not in said]
        return quote(entries[: self._k], self._max_tokens, self._count_tokens)

    def _with_memories(self, request: ModelRequest[Any]) -> ModelRequest[Any]:
        block = self._mine(request.state)["block"]
        if not block:
            return request
        return request.override(system_message=_extended(request.system_message, block))

    async def _finish(
        self, state: AxonMemoryState, memory: MemorySystem, thread: str | None
    ) -> dict[str, Any] | None:
        mine = with_pending(self._mine(state), state["messages"], self._save)
        if not mine["pending"]:
            return None
        tier = self._tiers[-1] if self._importance is None else self._tiers
        try:
            await memory.bulk_store(memory_inputs(mine["pending"], thread, self._importance), tier=tier)
        except AxonError as error:
            self._failed("save", error)
            return self._update(state, mine)
        return self._update(state, {**mine, "pending": {}})

    def _failed(self, action: str, error: AxonError) -> None:
        """Let the error through, or say that the agent goes on without its memory."""
        if self._raises:
            raise error
        logger.warning("%s could not %s, the agent goes on without: %s", self._name, action, error)

    def _mine(self, state: Any) -> TurnState:
        return turn_state((state.get("axon_memory") or {}).get(self._name))

    def _update(self, state: AxonMemoryState, mine: TurnState) -> dict[str, Any]:
        return {"axon_memory": {**(state.get("axon_memory") or {}), self._name: mine}}


def _checked_roles(roles: Iterable[Role]) -> frozenset[Role]:
    chosen = frozenset(roles)
    if not chosen <= {"human", "ai"}:
        raise ConfigError(f"save= takes a list of 'human' and 'ai', not {roles!r}")
    return chosen


def _extended(system: SystemMessage | None, block: str) -> SystemMessage:
    """Return the system message with a block at its end; its own blocks, cache marks included, stay as they are."""
    if system is None:
        return SystemMessage(content=block)
    if isinstance(system.content, str):
        return system.model_copy(update={"content": f"{system.content}\n\n{block}"})
    return system.model_copy(update={"content": [*system.content, {"type": "text", "text": block}]})
