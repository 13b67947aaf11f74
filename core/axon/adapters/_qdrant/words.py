"""Words as sparse vectors, so that Qdrant ranks texts by BM25: rarity is its own part, all else is in the vector.

An entry's vector holds for each stem what BM25 makes of how often it occurs and how long the text is; Qdrant multiplies
with how rare the stem is (its modifier IDF) and adds up. The stems are those of every other backend.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from zlib import crc32

from qdrant_client import models

from axon.adapters._filters.qdrant import NAMESPACE
from axon.engine.bm25 import saturated
from axon.engine.terms import light_stem, words
from axon.engine.text_index import query_stems

WORDS = "words"
"""Name of the sparse vector; points of texts without a word lack it."""

MEAN_LENGTH = 32.0
"""Words per text that lengths are compared with. A vector is made once, so it cannot know the mean of all."""

VECTORS = {WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)}


@lru_cache(maxsize=50_000)
def _index_of(word: str) -> int:
    return number_of(light_stem(word))


def number_of(stem: str) -> int:
    """Give a stem a number in [0, 2**32)."""
    # Of two stems that share a number by chance, there is about one pair in a hundred thousand stems.
    return crc32(stem.encode())


def vector_of_text(text: str) -> models.SparseVector | None:
    """Describe a text; None where it has no words."""
    found = words(text)
    if not found:
        return None
    counts = Counter(map(_index_of, found))
    weights = {count: saturated(count, len(found), MEAN_LENGTH) for count in set(counts.values())}
    return models.SparseVector.model_construct(
        indices=list(counts), values=[weights[count] for count in counts.values()]
    )


def vector_of_query(text: str) -> models.SparseVector | None:
    """Describe what is looked for; None where no word is left."""
    stems = dict.fromkeys(map(number_of, query_stems(text)))
    return models.SparseVector(indices=list(stems), values=[1.0] * len(stems)) if stems else None


def rarity_within(namespace: str) -> models.SearchParams:
    """Ask that only texts of a namespace count where it is said how rare a word is.

    Clients before 1.19, and servers before, cannot: there the other namespaces of a collection count too.
    """
    scoped = getattr(models, "IdfCorpusParams", None)
    if scoped is None:
        return models.SearchParams()
    mine = models.FieldCondition(key=NAMESPACE, match=models.MatchValue(value=namespace))
    return models.SearchParams(idf=scoped(corpus=models.Filter(must=[mine])))
