"""The part of a passage that shows why it was found."""

from __future__ import annotations

import re

from axon.engine.terms import light_stem, query_terms, words

_SENTENCE = re.compile(r"(?<=[.!?:])\s+")
_WORD = re.compile(r"[^\W_]+")


def stems_of(question: str) -> frozenset[str]:
    """Stem the words of a question that the text channel looks for."""
    return frozenset(map(light_stem, query_terms(question)))


def common_words(question: str, text: str) -> list[str]:
    """List the words of a text, lower-cased and once each, that the text channel takes for the question's."""
    stems = stems_of(question)
    chosen: dict[str, str] = {}
    for word in words(text):
        stem = light_stem(word)
        if stem in stems:
            chosen.setdefault(stem, word)
    return list(chosen.values())


def snippet(question: str, body: str, width: int) -> str:
    """Cut out of a passage, from the sentence that shares most words with the question.

    Parameters
    ----------
    width : characters at most, >= 2.
    """
    sentences = [" ".join(sentence.split()) for sentence in _SENTENCE.split(body.strip())]
    best = max(range(len(sentences)), key=lambda place: len(common_words(question, sentences[place])))
    text = ("... " if best else "") + " ".join(sentences[best:])
    if len(text) <= width:
        return text
    return text[: width - 4].rsplit(" ", 1)[0] + " ..."


def spans(question: str, text: str) -> list[tuple[int, int]]:
    """Locate the words of a text that are also the question's, as (start, end) offsets."""
    stems = stems_of(question)
    found = (match for match in _WORD.finditer(text) if light_stem(match[0].lower()) in stems)
    return [match.span() for match in found]
