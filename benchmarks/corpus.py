"""Synthetic entries: clustered unit vectors, texts of about a hundred characters, one tag in a hundred."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMS = 384
K = 10
_CLUSTERS = 200
_WORDS = 20_000
_WORDS_PER_TEXT = 17
RARE_TAG = "tag-7"
"""Carried by one entry in a hundred."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Entries by position.

    Attributes
    ----------
    vectors : float32, shape (n, 384), length 1, all different.
    texts : about 100 characters each, words drawn with Zipf's weights.
    queries : float32, shape (64, 384), length 1.
    questions : texts of six words.
    """

    vectors: NDArray[np.float32]
    texts: list[str]
    queries: NDArray[np.float32]
    questions: list[str]

    def items(self) -> list[dict[str, Any]]:
        """Give the entries as ``bulk_store`` takes them, without vectors."""
        return [
            {"text": text, "tags": [f"tag-{place % 100}"], "metadata": {"source": "bench", "number": place % 1000}}
            for place, text in enumerate(self.texts)
        ]  # fmt: skip


@cache
def corpus(size: int) -> Corpus:
    """Make ``size`` entries; the same ones each time."""
    random = np.random.default_rng(size)
    centres = random.standard_normal((_CLUSTERS, DIMS)).astype(np.float32)
    vectors = _near(centres, size, random)
    return Corpus(
        vectors, _texts(size, _WORDS_PER_TEXT, random), _near(centres, 64, random), _texts(64, 6, random)
    )


def _near(centres: NDArray[np.float32], size: int, random: np.random.Generator) -> NDArray[np.float32]:
    vectors = random.standard_normal((size, DIMS), dtype=np.float32)
    vectors += centres[random.integers(0, _CLUSTERS, size)]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _texts(size: int, words: int, random: np.random.Generator) -> list[str]:
    weights = 1.0 / np.arange(1, _WORDS + 1)
    chosen = random.choice(_WORDS, (size, words), p=weights / weights.sum())
    vocabulary = [_word(number) for number in range(_WORDS)]
    return [" ".join(vocabulary[number] for number in row) for row in chosen.tolist()]


def _word(number: int) -> str:
    """Spell a number in syllables, so that words look like words to a tokenizer."""
    syllables = ("ba", "de", "fi", "go", "lu", "ma", "ne", "pi", "ro", "su", "ta", "ve")
    spelled = ""
    while number or len(spelled) < 4:
        number, digit = divmod(number, len(syllables))
        spelled += syllables[digit]
    return spelled
