"""Hypothesis strategies for everything the port takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from axon.core.filter.ast import FilterNode, Predicate
from axon.core.models import MemoryEntry, Vector
from axon.testing import generate
from axon.testing.generate import DIMS, IDS

T = TypeVar("T")

NASTY_STRINGS = (
    "*", "?", "[a]", "a*", "a?", "%", "a%", "_", "a_", ":", "a:b", "a::b", "a/b", "../a", "a.b", ".", "\\", "a\\",
    "'", '"', "a'b", "';--", "$gt", "{a}", "(a)", "a|b", "a,b", "a b", " a", "a ", "\n", "a\nb", "\t", "\0", "a\0",
    "a\0b", "a", "A", "é", "e\u0301", "ß", "SS", "İ", "\uff46", "\u200b", "\u202e", "\ufeffa", "\uffff", "😀",
    "ключ", "键", "default", "None", "null", "0", "00", "tenant_*", "tenant_a", "-1", "@tag", "~", "#", "a" * 300,
)  # fmt: skip
"""Strings that some backend reads as syntax, shortens or normalises; every one is a literal."""

any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any string that UTF-8 can hold."""

any_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=12,
)
"""Any JSON value."""

any_metadata = st.dictionaries(any_text, any_json, max_size=5)
any_names = st.sampled_from(NASTY_STRINGS) | any_text.filter(bool)
"""Non-empty strings for ids, namespaces and tags."""

seeds = st.integers(0, 2**48)
"""Seeds for :class:`axon.testing.generate.SeededChoices`."""


class DrawnChoices:
    """Choices that Hypothesis makes, and shrinks.

    Parameters
    ----------
    draw : of the composite strategy that needs them.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of ``options``."""
        return self._draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        """Choose an integer in [low, high]."""
        return self._draw(st.integers(low, high))


@st.composite
def vectors(draw: st.DrawFn, dims: int = DIMS) -> Vector:
    """Draw float32 vectors of shape (dims,)."""
    return generate.vector(DrawnChoices(draw), dims)


@st.composite
def entries(draw: st.DrawFn, ids: Sequence[str] = IDS) -> MemoryEntry:
    """Draw an entry with one of ``ids``."""
    return generate.entry(DrawnChoices(draw), draw(st.sampled_from(ids)))


@st.composite
def corpora(draw: st.DrawFn, max_size: int = 10) -> list[MemoryEntry]:
    """Draw a list of entries with different ids."""
    return generate.corpus(DrawnChoices(draw), max_size)


@st.composite
def predicates(draw: st.DrawFn, tier: bool = False) -> Predicate:
    """Draw one predicate of any kind on any field."""
    return generate.predicate(DrawnChoices(draw), tier=tier)


@st.composite
def filters(
    draw: st.DrawFn, corpus: Sequence[MemoryEntry] = (), *, max_depth: int = 4, tier: bool = False
) -> FilterNode:
    """Draw a filter; see :func:`axon.testing.generate.filter_tree`."""
    return generate.filter_tree(DrawnChoices(draw), corpus, depth=max_depth, tier=tier)
