"""Words: how text is cut for the text channel, and which words carry no meaning of their own."""

from __future__ import annotations

import re
import unicodedata

STOP_WORDS = frozenset(
    "a an and are as at be been but by can could did do does for from had has have he her hers "
    "him his how i if in into is it its me my of on or our she so some such than that the their "
    "them then there these they this to was we were what when where which who whom why will with "
    "would you your".split()
)
"""English function words: articles, pronouns, auxiliaries, prepositions, question words."""

MAX_QUERY_TERMS = 32

_WORD = re.compile(r"[^\W_]+")
_SUFFIXES = ("ing", "edly", "ed", "ly", "es", "s")


def words(text: str) -> list[str]:
    """Cut ``text`` into lower-cased runs of letters and digits, in order, without accents."""
    if not text.isascii():
        text = "".join(
            char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char)
        )
    return _WORD.findall(text.lower())


def query_terms(query: str) -> list[str]:
    """Choose the distinct words to look for.

    Function words and single letters are left out unless nothing else remains; at most 32 words are kept,
    the first ones.
    """
    seen = list(dict.fromkeys(words(query)))
    telling = [word for word in seen if word not in STOP_WORDS and len(word) > 1]
    return (telling or seen)[:MAX_QUERY_TERMS]


def light_stem(word: str) -> str:
    """Strip one English inflection (-s, -es, -ed, -ing, -ly), a final "e" and a doubled consonant.

    A much reduced form of step 1 of Porter, "An algorithm for suffix stripping", Program 14(3), 1980. At least
    three characters remain; words of other scripts stay whole.
    """
    if len(word) <= 3 or not word.isascii():
        return word
    if word.endswith("ies") and len(word) > 5:
        word = word[:-3] + "y"
    elif not word.endswith("ss"):
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                word = word[: -len(suffix)]
                break
    if len(word) > 3 and word[-1] == "e":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
        word = word[:-1]
    return word
