"""Scores of words for the candidates of tiers that do not rank words themselves.

Without them an exact match in such a tier would lose to any entry elsewhere that shares one word with the query.
"""

from __future__ import annotations

from collections.abc import Sequence

from axon.core.models import Hit, TextStatistics
from axon.engine.text_index import score_hits
from axon.engine.workers import in_worker

_CHARACTERS_AT_ONCE = 20_000
"""Reading this much text takes about as long as a turn of the event loop may; more goes to a worker thread."""


async def score_words(hits: Sequence[Hit], text: str, statistics: TextStatistics | None) -> None:
    """Fill ``text_score`` of ``hits`` as a text index would have.

    Parameters
    ----------
    hits : found by vector, in a tier without a text index.
    text : the words looked for.
    statistics : of the tiers that have a text index, so that a word weighs the same in all; None for the hits alone.
    """
    if sum(len(hit.entry.text) for hit in hits) > _CHARACTERS_AT_ONCE:
        await in_worker(lambda: score_hits(hits, text, statistics))
    else:
        score_hits(hits, text, statistics)
