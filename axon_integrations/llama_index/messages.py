"""LlamaIndex chat messages as lines of a transcript, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence

from llama_index.core.llms import ChatMessage

from axon.core.errors import CorruptEntryError, InvalidInputError, at_position
from axon.core.models import MemoryEntry
from axon_integrations._shared.transcripts import MESSAGE_KEY, Line


def to_lines(messages: Sequence[ChatMessage]) -> list[Line]:
    """Write each message as JSON, with its words beside it.

    Raises
    ------
    InvalidInputError
        If something is no message, or holds what JSON cannot take; its ``index`` says which.
    """
    return [_to_line(message, place) for place, message in enumerate(messages)]


def _to_line(message: ChatMessage, place: int) -> Line:
    if not isinstance(message, ChatMessage):
        raise at_position(InvalidInputError(f"{type(message).__name__} is no ChatMessage"), place, 0)
    try:
        # Core 0.13 writes an audio block's missing url as null and then refuses to read it.
        code = json.dumps(message.model_dump(mode="json", exclude_none=True))
        changed = ChatMessage.model_validate(json.loads(code)).model_dump() != message.model_dump()
    except ValueError as error:  # pydantic's and json's own errors are of this kind
        raise at_position(InvalidInputError(f"the message cannot be stored: {error}"), place, 0) from error
    if changed:
        reason = "the message cannot be stored: it holds a tuple or NaN, which would come back changed"
        raise at_position(InvalidInputError(reason), place, 0)
    return Line(code, words_of(message) or f"[{message.role.value}]")


def words_of(message: ChatMessage) -> str:
    """Return the text of a message; empty where it has none but pictures, sound or calls."""
    # A lone surrogate, which a model may emit, survives in the JSON but is no text.
    words = (message.content or "").encode(errors="replace").decode()
    return "" if words.isspace() else words


def from_entry(entry: MemoryEntry) -> ChatMessage:
    """Read the message that an entry holds: a new object at each call.

    Raises
    ------
    CorruptEntryError
        If there is none, or it cannot be read.
    """
    try:
        code = entry.record.metadata[MESSAGE_KEY]
        return ChatMessage.model_validate(json.loads(str(code)))
    except (KeyError, ValueError) as error:
        raise CorruptEntryError(f"entry {entry.id!r} holds no message that can be read: {error}") from error
