"""What a caller leaves open about a recall, decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from axon.core.errors import AdapterError, EmptyTextError, InvalidInputError
from axon.core.models import Vector
from axon.core.operations.scope import Scope
from axon.core.operations.writing import own_vector
from axon.core.policies import RankingPolicy, RecallMode
from axon.core.ports import EmbedderSpec
from axon.core.ranking import LEXICAL_TEXT_WEIGHT, SEMANTIC_TEXT_WEIGHT
from axon.core.tier import TierStore


def choose_mode(
    mode: RecallMode | None, words: str | None, stores: Sequence[TierStore], ranking: RankingPolicy
) -> RecallMode:
    """Choose the channels of a recall.

    Parameters
    ----------
    mode : the caller's wish, or None.
    words : the query, or None when it is a vector.
    stores : the tiers asked.
    ranking : gives the default.

    Raises
    ------
    InvalidInputError
        For an unknown mode, or one that the query or the tiers cannot serve.
    """
    if mode is None:
        if words is None:
            return "vector"
        mode = ranking.mode
        if mode is None:
            return "hybrid" if any(store.has_text for store in stores) else "vector"
    if mode not in ("vector", "text", "hybrid"):
        raise InvalidInputError(f"mode must be 'vector', 'text' or 'hybrid', not {mode!r}")
    if words is None and mode != "vector":
        raise InvalidInputError(f"mode={mode!r} needs a query of words, not a vector")
    if mode != "vector" and not any(store.has_text for store in stores):
        raise InvalidInputError(f"mode={mode!r} needs a text index, and none of the tiers asked has one")
    return mode


def choose_text_weight(given: float | None, ranking: RankingPolicy, embedder: EmbedderSpec) -> float:
    """Choose the share of the text channel: the caller's, else the policy's, else what suits the embedder."""
    if given is not None:
        return check_share(given, "text_weight")
    if ranking.text_weight is not None:
        return ranking.text_weight
    return LEXICAL_TEXT_WEIGHT if embedder.lexical else SEMANTIC_TEXT_WEIGHT


def check_share(value: Any, name: str) -> float:
    """Return a number in [0, 1]."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"{name} must be a number in [0, 1], not {value!r}")
    return float(value)


async def embed_query(
    scope: Scope, words: str, mode: RecallMode, stores: Sequence[TierStore], embedding: Any = None
) -> Vector | None:
    """Check a query of words, and give its vector unless the mode leaves the vectors out.

    Parameters
    ----------
    embedding : the vector, where the caller has it already; None embeds the words.

    Raises
    ------
    EmptyTextError
        If the query is blank.
    EmbeddingMismatchError
        If another embedder filled one of the tiers asked.
    """
    if not words.strip():
        raise EmptyTextError("the query is blank")
    if mode == "text":
        return None
    if embedding is not None:
        return await own_vector(scope, embedding)
    for store in stores:
        if store.name not in scope.bound:
            try:
                await scope.check(store.name)
            except AdapterError:
                continue  # the search that follows meets the same error and names the tier
    vector: Vector = (await scope.embed([words], "query"))[0]
    return vector
