"""What an agent's thread says about the present turn: its question, and what has not been saved yet. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Literal, TypedDict

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage

from axon.core.models import MemoryInput

Role = Literal["human", "ai"]


class TurnState(TypedDict):
    """The private state of one middleware; JSON, because it is part of checkpoints.

    Attributes
    ----------
    turn : id of the message that the present turn answers.
    block : what was recalled for it, ready for the prompt.
    pending : role and text of messages that are not saved yet, by message id.
    """

    turn: str
    block: str
    pending: dict[str, tuple[Role, str]]


def own_role(message: BaseMessage) -> Role | None:
    """Return who said it; None for tools, system and for a summary that another middleware wrote."""
    if isinstance(message, HumanMessage):
        return None if message.additional_kwargs.get("lc_source") == "summarization" else "human"
    return "ai" if isinstance(message, AIMessage) else None


def question_of(messages: Sequence[AnyMessage]) -> HumanMessage | None:
    """Return the last message of the user, which the present turn answers."""
    asked = (each for each in reversed(messages) if isinstance(each, HumanMessage) and own_role(each))
    return next(asked, None)


def _turn_begins(messages: Sequence[AnyMessage]) -> int | None:
    """Return where the user's last messages begin; None where the thread holds none."""
    start = None
    for place in range(len(messages) - 1, -1, -1):
        if own_role(messages[place]) == "human":
            start = place
        elif start is not None:
            break
    return start


def said_in_turn(messages: Sequence[AnyMessage], turn: str) -> Iterator[tuple[str, Role, str]]:
    """Yield id, role and text of what was said in the present turn: the user's last messages and all after them.

    Where the message that ``turn`` names was summarised away meanwhile, all that is left came after it, or is
    saved already.
    """
    start = _turn_begins(messages)
    if start is None:
        start = 0 if turn else len(messages)
    for message in messages[start:]:
        role, text = own_role(message), str(message.text)
        if role is not None and message.id is not None and text.strip():
            yield message.id, role, text


def with_pending(state: TurnState, messages: Sequence[AnyMessage], roles: Collection[Role]) -> TurnState:
    """Add what was said in the present turn to what waits for saving, in its latest wording."""
    spoken = said_in_turn(messages, state["turn"])
    said = {id_: (role, text) for id_, role, text in spoken if role in roles}
    return {**state, "pending": {**state["pending"], **said}}


def memory_inputs(
    pending: Mapping[str, Sequence[str]], thread: str | None, importance: float | None
) -> Iterator[MemoryInput]:
    """Yield what to store; the ids follow from thread and message, so that saving again replaces."""
    for message_id, (role, text) in pending.items():
        yield MemoryInput(
            text=text.encode(errors="replace").decode(),
            id=_entry_id(thread, message_id),
            importance=importance,
            tags=("conversation",),
            metadata={"role": role},
            session_id=thread,
        )


def _entry_id(thread: str | None, message_id: str) -> str:
    digest = sha256(f"{len(thread or '')}:{thread or ''}:{message_id}".encode(errors="replace"))
    return f"message-{digest.hexdigest()[:32]}"


def visible_ids(messages: Iterable[AnyMessage], thread: str | None) -> list[str]:
    """Return the entry ids of the messages in the thread, which need no recalling."""
    return [_entry_id(thread, message.id) for message in messages if message.id is not None]


def turn_state(stored: Mapping[str, Any] | None) -> TurnState:
    """Return the state as it was left, or the one to begin with."""
    found = stored or {}
    return {
        "turn": found.get("turn", ""),
        "block": found.get("block", ""),
        "pending": dict(found.get("pending", {})),
    }
