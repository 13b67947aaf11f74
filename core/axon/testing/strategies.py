"""Hypothesis strategies for everything the port takes.

Values come from small pools full of near misses (2 and 2.0, True and 1, ``"a"`` and ``"A"``, composed and
decomposed letters), so that a random filter often decides about a random entry by a detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from axon.core.clock import to_datetime
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    TIME_FIELDS,
    Contains,
    Eq,
    Exists,
    Field,
    FilterNode,
    Gt,
    Gte,
    In,
    IsEmpty,
    Lt,
    Lte,
    Ne,
    Nin,
    Ordered,
    Predicate,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.evaluate import MISSING, field_value
from axon.core.models import MemoryEntry, Vector
from axon.testing.entries import START_US, make_entry

DIMS = 4

NASTY_STRINGS = (
    "*", "?", "[a]", "a*", "a?", "%", "a%", "_", "a_", ":", "a:b", "a::b", "a/b", "../a", "a.b", ".", "\\", "a\\",
    "'", '"', "a'b", "';--", "$gt", "{a}", "(a)", "a|b", "a,b", "a b", " a", "a ", "\n", "a\nb", "\t", "\0", "a\0",
    "a\0b", "a", "A", "é", "e\u0301", "ß", "SS", "İ", "ｆ", "\u200b", "\u202e", "\ufeffa", "\uffff", "😀", "ключ", "键",
    "default", "None", "null", "0", "00", "tenant_*", "tenant_a", "-1", "@tag", "~", "#", "a" * 300,
)  # fmt: skip
"""Strings that some backend reads as syntax, shortens or normalises; every one is a literal."""

KEYS = ("k", "n", "list", "a.b", "$gt", "metadata.x", "", "id")
STRINGS = ("", "a", "A", "ab", "b", "2", "é", "e\u0301", "ß", "SS", "İ", "i̇", "a\0b", "%", "_", "*", "\uffff", "😀", "alpha")
NUMBERS = (
    0, 1, 2, 2.0, -1, 0.5, -0.0, 9, 10, 2**53, 2**53 + 1, float(2**53), 2**63, -(2**63) - 1, 10**30, 1e30, 1e300, 5e-324,
)  # fmt: skip
TAGS = ("red", "green", "a", "A", "a*", "%", "é", "e\u0301", "a,b", " ", "\0", "😀")
SESSIONS = ("s1", "s2", "*", "S1")
IDS = ("a", "b", "A", "a:b", "*", "é", "e\u0301", "10", "9", "😀", "\uffff", "a\0", "%")
TIMES_US = tuple(START_US + step for step in (-86_400_000_000, -1, 0, 1, 1_000_000, 86_400_000_000))
IMPORTANCES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 5e-324)

scalars = st.sampled_from((None, True, False, *NUMBERS, *STRINGS))
json_values: st.SearchStrategy[Any] = st.one_of(
    scalars,
    scalars,
    st.lists(scalars, max_size=3),
    st.lists(st.lists(scalars, max_size=2), max_size=2),
    st.dictionaries(st.sampled_from(KEYS), scalars, max_size=2),
)
"""From the pools: what filters and corpora are made of."""

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


def vectors(dims: int = DIMS) -> st.SearchStrategy[Vector]:
    """Draw float32 vectors of shape (dims,): small whole numbers, so that ties, zeros and opposites are common."""
    numbers = st.lists(st.integers(-3, 3), min_size=dims, max_size=dims)
    return numbers.map(lambda row: np.array(row, np.float32))


@st.composite
def entries(draw: st.DrawFn, id: str, dims: int = DIMS) -> MemoryEntry:
    """Draw an entry with the given id, made of values from the pools."""
    created, updated = sorted(draw(st.lists(st.sampled_from(TIMES_US), min_size=2, max_size=2)))
    expires = draw(st.none() | st.sampled_from(TIMES_US))
    return make_entry(
        id,
        text=draw(st.sampled_from(("red fox", "green tea", "the red tea", "42"))),
        importance=draw(st.sampled_from(IMPORTANCES)),
        tags=draw(st.lists(st.sampled_from(TAGS), max_size=3, unique=True)),
        metadata=draw(st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4)),
        embedding=draw(st.none() | vectors(dims)),
        created_at=to_datetime(created),
        updated_at=to_datetime(updated),
        expires_at=None if expires is None else to_datetime(expires),
        session_id=draw(st.none() | st.sampled_from(SESSIONS)),
    )


@st.composite
def corpora(draw: st.DrawFn, min_size: int = 0, max_size: int = 10) -> list[MemoryEntry]:
    """Draw a list of entries with different ids."""
    ids = draw(st.lists(st.sampled_from(IDS), min_size=min_size, max_size=max_size, unique=True))
    return [draw(entries(id)) for id in ids]


def fields(tier: bool = False) -> st.SearchStrategy[Field]:
    """Draw fields, metadata most often; the field ``tier`` only on request, since adapters do not know theirs."""
    reserved = ["tags", "importance", "session_id", "id", *sorted(TIME_FIELDS), *(["tier"] if tier else [])]
    metadata = st.sampled_from(KEYS).map(lambda key: Field(key, is_metadata=True))
    return metadata | st.sampled_from(reserved).map(Field)


def operands(field: Field) -> st.SearchStrategy[Any]:
    """Draw operands that fit a field most of the time."""
    if field.is_metadata:
        return json_values
    if field.name in TIME_FIELDS:
        return st.sampled_from(TIMES_US).map(to_datetime)
    fitting: dict[str, Sequence[Any]] = {
        "tags": TAGS,
        "importance": (*IMPORTANCES, 0, 1, True, "0.5", 2**60),
        "session_id": SESSIONS,
        "id": IDS,
        "tier": ("ephemeral", "session", "persistent", "Session"),
    }
    return st.sampled_from((*fitting[field.name], None, "a", 2))


def _near(draw: st.DrawFn, field: Field, corpus: Sequence[MemoryEntry]) -> Any:
    """Draw the value that the field has in some entry, or one that would fit it."""
    if corpus and draw(st.integers(0, 3)):
        value = field_value(field, draw(st.sampled_from(corpus)))
        if value is not MISSING:
            return value
    return draw(operands(field))


def _near_text(draw: st.DrawFn, field: Field, corpus: Sequence[MemoryEntry]) -> str:
    value = _near(draw, field, corpus)
    if not isinstance(value, str):
        return draw(st.sampled_from(STRINGS))
    part = value[: draw(st.integers(0, 2))] if draw(st.booleans()) else value
    return part.swapcase() if draw(st.booleans()) else part


def _near_element(draw: st.DrawFn, field: Field, corpus: Sequence[MemoryEntry]) -> Any:
    value = _near(draw, field, corpus)
    if isinstance(value, list):
        return draw(st.sampled_from(value)) if value else draw(scalars)
    return value


KINDS: tuple[type[Predicate], ...] = (Eq, Ne, Lt, Lte, Gt, Gte, In, Nin, Exists, IsEmpty, Contains, Prefix, TextMatch)


@st.composite
def predicates(draw: st.DrawFn, tier: bool = False, corpus: Sequence[MemoryEntry] = ()) -> Predicate:
    """Draw one predicate of any kind on any field, often about a value that the corpus holds."""
    field = draw(fields(tier))
    kind = draw(st.sampled_from(KINDS))
    if issubclass(kind, Exists | IsEmpty):
        return kind(field)
    if issubclass(kind, Prefix):
        return kind(field, _near_text(draw, field, corpus))
    if issubclass(kind, TextMatch):
        return kind(field, _near_text(draw, field, corpus), draw(st.booleans()))
    if issubclass(kind, In | Nin):
        return kind(field, tuple(_near(draw, field, corpus) for _ in range(draw(st.integers(0, 3)))))
    if issubclass(kind, Contains):
        values = tuple(_near_element(draw, field, corpus) for _ in range(draw(st.integers(0, 3))))
        return kind(field, values, draw(st.sampled_from(("any", "all"))))
    assert issubclass(kind, Eq | Ne | Ordered)
    return kind(field, _near(draw, field, corpus))


@st.composite
def filters(
    draw: st.DrawFn, max_depth: int = 4, tier: bool = False, corpus: Sequence[MemoryEntry] = ()
) -> FilterNode:
    """Draw a filter in normal form over all nodes.

    Parameters
    ----------
    max_depth : levels of And, Or and Not, >= 0.
    tier : whether the field ``tier`` may occur.
    corpus : entries whose values the filter is often about.
    """
    return _tree(draw, draw(st.integers(0, max_depth)), predicates(tier, corpus))


def _tree(draw: st.DrawFn, depth: int, leaves: st.SearchStrategy[Predicate]) -> FilterNode:
    if depth == 0:
        return draw(leaves)
    shape = draw(st.sampled_from(("and", "or", "not", "and", "or", "constant")))
    if shape == "constant":
        return draw(st.sampled_from((EVERYTHING, NOTHING)))
    if shape == "not":
        return negate(_tree(draw, depth - 1, leaves))
    below = [depth - 1, *draw(st.lists(st.integers(0, min(1, depth - 1)), min_size=1, max_size=2))]
    children = [_tree(draw, each, leaves) for each in below]
    return all_of(children) if shape == "and" else any_of(children)
