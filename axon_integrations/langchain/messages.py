"""LangChain messages as entries, and back: exactly equal, or refused before anything is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict

from axon.core.errors import CorruptEntryError, InvalidInputError, at_position
from axon.core.models import MemoryEntry
from axon_integrations._shared.transcripts import MESSAGE_KEY, Line


def to_lines(messages: Sequence[BaseMessage]) -> list[Line]:
    """Write each message as JSON, with its words and its id beside it.

    Raises
    ------
    InvalidInputError
        If something is no message, or holds what JSON cannot give back as it is (a tool's artifact may); its
        ``index`` says which.
    """
    return [
        Line(_encode(message, place), message_text(message), message.id or None)
        for place, message in enumerate(messages)
    ]


def _encode(message: BaseMessage, place: int) -> str:
    if not isinstance(message, BaseMessage):
        raise at_position(InvalidInputError(f"{type(message).__name__} is no message"), place, 0)
    plain = message_to_dict(message)
    try:
        encoded = json.dumps(plain)
    except (TypeError, ValueError) as error:
        raise at_position(InvalidInputError(f"the message cannot be stored: {error}"), place, 0) from error
    if json.loads(encoded) != plain:
        reason = "the message holds a tuple, NaN or a key that is no string, which would come back changed"
        raise at_position(InvalidInputError(reason), place, 0)
    return encoded


def message_text(message: BaseMessage) -> str:
    """Return the words of a message, to be recalled by; its kind in brackets where it has none."""
    # A lone surrogate, which a model may emit, survives in the message's JSON but is no text.
    words = str(message.text).encode(errors="replace").decode()
    return words if words and not words.isspace() else f"[{message.type}]"


def decode_message(entry: MemoryEntry) -> BaseMessage:
    """Read the message that an entry holds.

    Raises
    ------
    CorruptEntryError
        If there is none, or it cannot be read.
    """
    try:
        plain: dict[str, Any] = json.loads(entry.record.metadata[MESSAGE_KEY])
        (message,) = messages_from_dict([plain])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptEntryError(f"entry {entry.id!r} holds no message that can be read: {error}") from error
    return message
