"""Words as the search module is given them: our own stems, so that it finds what every other backend finds."""

from __future__ import annotations

from functools import lru_cache

from axon.adapters._filters.redis import tag
from axon.engine.terms import light_stem, words

_LONGEST = 40

_stem = lru_cache(maxsize=50_000)(light_stem)


def word_tokens(text: str, namespace: str) -> list[str]:
    """Spell the stems of all words of a text, in order, with repeats."""
    mark = _mark(namespace)
    return [mark + _spelled(_stem(word)) for word in words(text)]


def stem_token(stem: str, namespace: str) -> str:
    """Spell one stem so that nothing in it is syntax, and so that another namespace spells it otherwise.

    A namespace has words of its own because the module counts how often a word occurs in the whole index, and ranks by
    that. Two words that are spelled alike by chance do no harm: what is found is scored by its own words.
    """
    return _mark(namespace) + _spelled(stem)


@lru_cache(maxsize=10_000)
def _mark(namespace: str) -> str:
    return tag(namespace)[:9]


def _spelled(stem: str) -> str:
    return stem if stem.isascii() and len(stem) <= _LONGEST else tag(stem)
