"""A conversation in turns: what a user says and everything up to their next message belongs together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from llama_index.core.llms import ChatMessage, MessageRole

from axon_integrations._shared.quoting import TokenCounter
from axon_integrations.llama_index.messages import words_of

_OTHER_BLOCK_TOKENS = 256
"""For a picture, a sound or a document, as llama-index-core estimates a picture."""


def message_tokens(message: ChatMessage, count_tokens: TokenCounter) -> int:
    """Estimate the tokens of a message: its words, its calls, and a flat sum for every other block."""
    words = words_of(message)
    others: int = sum(getattr(block, "block_type", "text") != "text" for block in message.blocks)
    extra = count_tokens(str(message.additional_kwargs)) if message.additional_kwargs else 0
    return (count_tokens(words) if words else 0) + extra + _OTHER_BLOCK_TOKENS * others


def older_than(messages: Sequence[ChatMessage], limit: int, tokens: Callable[[ChatMessage], int]) -> int:
    """Tell how many of the oldest messages to leave out so that the rest has at most ``limit`` tokens.

    Whole turns are left out, so a tool's answer stays with its call, and what is left begins with the user. The
    last turn always stays.

    Parameters
    ----------
    messages : oldest first.
    limit : tokens.
    tokens : of one message.
    """
    left = sum(map(tokens, messages))
    cut = 0
    while left > limit:
        following = _next_turn(messages, cut)
        if following is None:
            break
        left -= sum(map(tokens, messages[cut:following]))
        cut = following
    return cut


def _next_turn(messages: Sequence[ChatMessage], start: int) -> int | None:
    places = range(start + 1, len(messages))
    return next((place for place in places if messages[place].role == MessageRole.USER), None)


def is_over(messages: Sequence[ChatMessage]) -> bool:
    """Tell whether the last turn has its answer: the next message is another turn's."""
    return bool(messages) and messages[-1].role == MessageRole.ASSISTANT and not _calls(messages[-1])


def _calls(message: ChatMessage) -> bool:
    kinds = {getattr(block, "block_type", "text") for block in message.blocks}
    return "tool_call" in kinds or bool(message.additional_kwargs.get("tool_calls"))


def last_question(messages: Sequence[ChatMessage]) -> str:
    """Return the words of the user's last message; empty where there is none."""
    asked = (words_of(message) for message in reversed(messages) if message.role == MessageRole.USER)
    return next(asked, "")
