"""Searching by words: the search module chooses candidates, and their scores are computed here.

The module ranks by BM25 with constants of its own and counts over all namespaces. What it prefers is taken as a
choice of candidates only, so that a score means the same as that of any other tier.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from axon.adapters._redis.finding import Answer, answer_of
from axon.adapters._redis.frames import joined
from axon.adapters._redis.keys import Space
from axon.adapters._redis.operations import Command, Operation
from axon.adapters._redis.wording import stem_token, word_tokens
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest, TextStatistics
from axon.engine.bm25 import MAX_COUNT, scores_of_texts
from axon.engine.text_index import query_stems

_CANDIDATES = 200
_CANDIDATES_WHERE_FILTERED = 1_000
_CANDIDATES_PER_RESULT = 4


def candidates_for(request: SearchRequest) -> int:
    """Count the candidates to ask for, so that the best by our own scores are among them.

    Measured, see docs/explanation/redis.md. Conditions disturb the module's order.
    """
    least = _CANDIDATES if request.filter is EVERYTHING else _CANDIDATES_WHERE_FILTERED
    return max(least, _CANDIDATES_PER_RESULT * request.k)


class Words:
    """The words of a query, as one namespace spells them."""

    def __init__(self, query: str, namespace: str) -> None:
        self.stems = query_stems(query)
        self.tokens = [stem_token(stem, namespace) for stem in self.stems]
        self._namespace = namespace

    def scores(self, texts: Sequence[Sequence[str]], known: TextStatistics) -> list[float]:
        """Score texts given as all of their tokens; 0 where no word of the query is among them."""
        counts = [[min(text.count(token), MAX_COUNT) for text in texts] for token in self.tokens]
        lengths = np.array([len(text) for text in texts], np.uint32)
        scores: list[float] = scores_of_texts(
            self.stems, np.array(counts, np.float32), lengths, known
        ).tolist()
        return scores

    def score(self, text: str, known: TextStatistics) -> float:
        """Score one text."""
        return self.scores([word_tokens(text, self._namespace)], known)[0]


class Candidates(NamedTuple):
    """What the module knows of a query.

    Attributes
    ----------
    rows, texts, words : entries of the namespace; texts ever written to it, and words in those.
    frequencies : for each token, how many entries hold it.
    ids, expiries, tokens : of the entries it prefers, best first; an expiry is in microseconds since 1970 UTC, and may
        have passed.
    """

    rows: int
    texts: int
    words: int
    frequencies: list[int]
    ids: list[str]
    expiries: list[int]
    tokens: list[list[str]]

    def statistics(self, stems: Sequence[str]) -> TextStatistics:
        """Describe the namespace; its words are estimated by the mean length of all that was ever written."""
        frequency = dict(zip(stems, (min(each, self.rows) for each in self.frequencies), strict=True))
        return TextStatistics(self.rows, round(self.rows * self.words / max(self.texts, 1)), frequency)


@dataclass(slots=True, eq=False)
class Match(Operation):
    """Ask for candidates; the answer is an :class:`Answer` of :class:`Candidates`.

    Attributes
    ----------
    sha : of the script.
    dims : which the index is for.
    query, tokens : what to look for.
    count : candidates wanted; 0 for none.
    milliseconds : that it may take.
    """

    sha: str
    dims: int
    query: str
    tokens: list[str]
    count: int
    milliseconds: int

    @classmethod
    def commands(cls, space: Space, run: Sequence[Match]) -> list[Command]:
        """Leave each its own."""
        return [
            (
                "EVALSHA", each.sha, len(space.fixed), *space.fixed,
                each.dims, each.query, joined([token.encode() for token in each.tokens]),
                each.count, each.milliseconds, *space.documents,
            )
            for each in run
        ]  # fmt: skip

    @classmethod
    def tolerates(cls, error: Exception) -> bool:
        """Hand on that the script or the index is missing: both can be made."""
        return Answer.tolerates(error)

    @classmethod
    def answers(cls, run: Sequence[Match], replies: list[Any]) -> Iterator[Answer]:
        """Give each its candidates."""
        return (answer_of(reply, _candidates) for reply in replies)


def _candidates(told: Sequence[Any]) -> Candidates:
    rows, texts, words, frequencies, expiries, tokens, *ids = told
    return Candidates(
        rows, int(texts), int(words), [int(each) for each in frequencies.split()],
        [id.decode() for id in ids], [int(each) for each in expiries.split()],
        [line.split() for line in tokens.decode().split("\n")],
    )  # fmt: skip
