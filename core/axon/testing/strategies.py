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
    Predicate,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
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

KEYS = ("k", "n", "list", "a.b", "$gt", "metadata.x", "", "ключ", "id", "tags", "importance")
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
def corpora(draw: st.DrawFn, max_size: int = 10) -> list[MemoryEntry]:
    """Draw a list of entries with different ids."""
    ids = draw(st.lists(st.sampled_from(IDS), max_size=max_size, unique=True))
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


@st.composite
def predicates(draw: st.DrawFn, tier: bool = False) -> Predicate:
    """Draw one predicate of any kind on any field."""
    field = draw(fields(tier))
    kind = draw(st.sampled_from((Eq, Ne, Lt, Lte, Gt, Gte, In, Nin, Exists, IsEmpty, Contains, Prefix, TextMatch)))
    if kind in (Exists, IsEmpty):
        return kind(field)
    if kind is Prefix:
        return Prefix(field, draw(st.sampled_from(STRINGS)))
    if kind is TextMatch:
        return TextMatch(field, draw(st.sampled_from(STRINGS)), draw(st.booleans()))
    operand = operands(field)
    if kind in (In, Nin):
        return kind(field, tuple(draw(st.lists(operand, max_size=3))))
    if kind is Contains:
        wanted = scalars if field.is_metadata else operand
        return Contains(field, tuple(draw(st.lists(wanted, max_size=3))), draw(st.sampled_from(("any", "all"))))
    if not field.is_metadata and field.name == "tags" and kind in (Eq, Ne):
        return kind(field, draw(st.lists(operand, max_size=2)))
    return kind(field, draw(operand))


def filters(max_depth: int = 4, tier: bool = False) -> st.SearchStrategy[FilterNode]:
    """Draw filters in normal form over all nodes, up to ``max_depth`` levels of And, Or and Not."""
    leaves = st.one_of(*[predicates(tier)] * 8, st.sampled_from((EVERYTHING, NOTHING)))
    nodes: st.SearchStrategy[FilterNode] = leaves
    for _ in range(max_depth):
        several = st.lists(nodes, min_size=2, max_size=3)
        nodes = st.one_of(leaves, leaves, several.map(all_of), several.map(any_of), nodes.map(negate))
    return nodes
