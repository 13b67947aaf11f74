"""Vectors from spelling alone: no model, no download, the same on every machine."""

from __future__ import annotations

import asyncio
import math
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import ConfigError
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.base import TextEmbedder
from axon.engine.terms import STOP_WORDS, light_stem, words

# Changes whenever the same text would give another vector, also through `axon.engine.terms`.
_REVISION = "1"
_STOP_WEIGHT = 0.1
_NGRAMS = (3, 4)
_MAX_WORD = 64
_MAX_KNOWN_WORDS = 20_000
# Beyond this many characters a text alone would hold up the event loop too long.
_LONG = 4096


class HashingEmbedder(TextEmbedder):
    """A lexical embedding: it knows spelling, not meaning.

    Each word has a fixed unit vector: half its stem, half its character n-grams, every feature hashed to one
    coordinate with a hashed sign. A text is the sum of its distinct words' vectors, each weighted by ``1 +
    ln(count)`` and function words by 0.1, scaled to length one. The vectors are the same in every process.

    Parameters
    ----------
    dims : numbers per vector, >= 8; fewer make unrelated words collide.

    Raises
    ------
    ConfigError
        If ``dims`` is too small.

    Notes
    -----
    Signed feature hashing: Weinberger et al., "Feature Hashing for Large Scale Multitask Learning", ICML
    2009. A word as the sum of its n-grams with boundary marks: Bojanowski et al., "Enriching Word Vectors
    with Subword Information", TACL 5, 2017. Sublinear term frequency: Manning, Raghavan and Schuetze,
    "Introduction to Information Retrieval", 2008, section 6.4.1.
    """

    runs_inline: ClassVar[bool] = True

    def __init__(self, dims: int = 384) -> None:
        if dims < 8:
            raise ConfigError(f"dims must be >= 8, not {dims}")
        spec = EmbedderSpec(provider="axon", model="hashing", revision=_REVISION, dims=dims, lexical=True)
        super().__init__(spec, lru_entries=0)
        self._dims = dims
        self._words: OrderedDict[str, tuple[array[int], array[float]]] = OrderedDict()

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        if any(len(text) > _LONG for text in texts):
            return await asyncio.to_thread(self._rows, texts)
        return self._rows(texts)

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.empty((len(texts), self._dims), np.float32)
        for row, text in enumerate(texts):
            rows[row] = self._row(text)
        return rows

    def _row(self, text: str) -> NDArray[np.float64]:
        counts: dict[str, int] = {}
        for word in words(text) or text.split():
            counts[word] = counts.get(word, 0) + 1
        slots, weights = array("q"), array("d")
        for word, count in counts.items():
            word_slots, word_weights = self._words.get(word) or self._learn(word)
            slots += word_slots
            if count == 1:
                weights += word_weights
            else:
                factor = 1.0 + math.log(count)
                weights.extend([factor * weight for weight in word_weights])
        row = np.bincount(np.frombuffer(slots, np.int64), np.frombuffer(weights, np.float64), self._dims)
        norm = math.sqrt(float(row @ row))
        if norm == 0.0:
            # Opposite features can cancel out; a vector without direction would match nothing.
            row[zlib.crc32(text.encode()) % self._dims] = norm = 1.0
        return row / norm

    def _learn(self, word: str) -> tuple[array[int], array[float]]:
        """Return the coordinates and weights of a word's vector, and keep them."""
        short = word[:_MAX_WORD]
        marked = f"<{short}>"
        grams = [marked[i : i + n] for n in _NGRAMS for i in range(len(marked) - n + 1)]
        features = [("w:" + light_stem(short), 1.0)]
        features += [("g:" + gram, 1.0 / math.sqrt(len(grams))) for gram in grams]
        vector: dict[int, float] = {}
        for feature, weight in features:
            code = zlib.crc32(feature.encode())
            slot = (code >> 1) % self._dims
            vector[slot] = vector.get(slot, 0.0) + (weight if code & 1 else -weight)
        norm = math.sqrt(sum(x * x for x in vector.values())) or 1.0
        scale = (_STOP_WEIGHT if word in STOP_WORDS else 1.0) / norm
        entry = (array("q", vector), array("d", [x * scale for x in vector.values()]))
        if len(self._words) >= _MAX_KNOWN_WORDS:
            # One at a time: to forget all at once takes as long as embedding hundreds of texts.
            self._words.popitem(last=False)
        self._words[word] = entry
        return entry
