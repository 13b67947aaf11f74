"""Full-text search over the rows of an arena: BM25 on posting arrays, filled off the write path.

Writing an entry costs nothing here. The index catches up with new rows before the next text search.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from axon.core.models import EntryRecord, Hit, TextStatistics
from axon.engine.bm25 import MAX_COUNT, parts_of_scores
from axon.engine.terms import light_stem, query_terms, words


def query_stems(query: str) -> list[str]:
    """Stems of the words of ``query`` that are looked for, without repeats."""
    return list(dict.fromkeys(map(light_stem, query_terms(query))))


class TextIndex:
    """BM25 over append-only rows; row numbers are those of the arena.

    Parameters
    ----------
    records : the arena's records by row, which grow while this object lives; a deleted one is None.
    """

    def __init__(self, records: Sequence[EntryRecord | None]) -> None:
        self._records = records
        self._term_of_word: dict[str, int] = {}
        self._term_of_stem: dict[str, int] = {}
        self._rows: list[array[int]] = []
        self._counts: list[array[int]] = []
        self._lengths = array("I")
        self._total = 0
        self._lock = threading.Lock()

    def lag(self, size: int) -> int:
        """Count the rows that the next search has to catch up with."""
        return size - len(self._lengths)

    def statistics(self, query: str, size: int) -> TextStatistics:
        """Describe the first ``size`` rows as far as ``query`` needs it; sums over tiers are comparable."""
        with self._lock:
            self._catch_up(size)
            return self._statistics(query_stems(query))

    def _statistics(self, stems: Iterable[str]) -> TextStatistics:
        terms = ((stem, self._term_of_stem.get(stem)) for stem in stems)
        frequency = {stem: 0 if term is None else len(self._rows[term]) for stem, term in terms}
        return TextStatistics(len(self._lengths), self._total, frequency)

    def scores(self, query: str, size: int, statistics: TextStatistics | None = None) -> NDArray[np.float32]:
        """Score the first ``size`` rows.

        Parameters
        ----------
        query : free text; nothing in it is syntax.
        size : rows to bring the index up to and to score.
        statistics : of all tiers together, so that a word weighs the same in each; None for this index alone.

        Returns
        -------
        float32, shape (size,), >= 0, and 0 exactly where no word matches. Rows of deleted entries hold anything.
        """
        stems = query_stems(query)
        with self._lock:
            self._catch_up(size)
            known = statistics or self._statistics(stems)
            out = np.zeros(len(self._lengths), np.float32)
            lengths = np.frombuffer(self._lengths, np.uint32)
            for stem in stems:
                term = self._term_of_stem.get(stem)
                if term is not None:
                    rows = np.frombuffer(self._rows[term], np.uint32)
                    count = np.frombuffer(self._counts[term], np.uint8).astype(np.float32)
                    frequency = known.frequency.get(stem, len(self._rows[term]))
                    out[rows] += parts_of_scores(count, lengths[rows], frequency, known)
        return out[:size]

    def _catch_up(self, size: int) -> None:
        for record in self._records[len(self._lengths) : size]:
            self._add("" if record is None else record.text)

    def _add(self, text: str) -> None:
        row = len(self._lengths)
        found = words(text)
        counts: dict[int, int] = {}
        for word in found:
            term = self._term_of_word.get(word)
            if term is None:
                term = self._new_word(word)
            counts[term] = counts.get(term, 0) + 1
        for term, count in counts.items():
            self._rows[term].append(row)
            self._counts[term].append(min(count, MAX_COUNT))
        self._lengths.append(len(found))
        self._total += len(found)

    def _new_word(self, word: str) -> int:
        stem = light_stem(word)
        term = self._term_of_stem.setdefault(stem, len(self._rows))
        if term == len(self._rows):
            self._rows.append(array("I"))
            self._counts.append(array("B"))
        self._term_of_word[word] = term
        return term


def score_hits(hits: Sequence[Hit], text: str, statistics: TextStatistics | None) -> None:
    """Fill ``text_score`` of hits as an index of their texts would have.

    Parameters
    ----------
    hits : found in whatever way.
    text : the words looked for.
    statistics : of a larger corpus; None for the hits alone.
    """
    index = TextIndex([hit.entry.record for hit in hits])
    scores = index.scores(text, len(hits), statistics).tolist()
    for hit, score in zip(hits, scores, strict=True):
        hit.text_score = score
