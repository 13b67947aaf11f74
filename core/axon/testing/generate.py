"""Random entries and filters, written once for two sources of choice.

Hypothesis chooses where a failure should shrink; a seeded generator chooses where many varied cases are
wanted, since it is a hundred times as fast. Values come from small pools full of near misses (2 and 2.0, True
and 1, ``"a"`` and ``"A"``, composed and decomposed letters), so that a filter often decides by a detail.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import numpy as np

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

T = TypeVar("T")

DIMS = 4

KEYS = ("k", "n", "a.b", "$gt", "metadata.x", "")
STRINGS = (
    "",
    "a",
    "A",
    "ab",
    "b",
    "2",
    "é",
    "e\u0301",
    "ß",
    "SS",
    "İ",
    "i̇",
    "a\0b",
    "%",
    "_",
    "*",
    "\uffff",
    "😀",
    "alpha",
)
NUMBERS = (
    0, 1, 2, 2.0, -1, 0.5, -0.0, 9, 10, 2**53, 2**53 + 1, float(2**53), 2**63, -(2**63) - 1, 10**30, 1e30, 1e300,
    5e-324,
)  # fmt: skip
CONSTANTS = (None, True, False)
TAGS = ("red", "green", "a", "A", "a*", "%", "é", "e\u0301", "a,b", " ", "\0", "😀")
SESSIONS = ("s1", "s2", "*", "S1")
IDS = ("a", "b", "A", "a:b", "*", "é", "e\u0301", "10", "9", "😀", "\uffff", "a\0", "%")
TEXTS = ("red fox", "green tea", "the red tea", "42")
TIMES_US = tuple(START_US + step for step in (-86_400_000_000, -1, 0, 1, 1_000_000, 86_400_000_000))
IMPORTANCES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 5e-324)
TIERS = ("ephemeral", "session", "persistent", "Session")
KINDS: tuple[type[Predicate], ...] = (
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    In,
    Nin,
    Exists,
    IsEmpty,
    Contains,
    Prefix,
    TextMatch,
)


class Choices(Protocol):
    """A source of choice."""

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of ``options``, which is not empty."""
        ...

    def number(self, low: int, high: int) -> int:
        """Choose an integer in [low, high]."""
        ...


class SeededChoices:
    """Chooses evenly, and the same for the same seed.

    Parameters
    ----------
    seed : any integer.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        """Choose one of ``options``."""
        return self._random.choice(options)

    def number(self, low: int, high: int) -> int:
        """Choose an integer in [low, high]."""
        return self._random.randint(low, high)


def some(choices: Choices, options: Sequence[T], most: int) -> list[T]:
    """Choose up to ``most`` different options, in random order."""
    chosen = [choices.pick(options) for _ in range(choices.number(0, most))]
    return list(dict.fromkeys(chosen))


def scalar(choices: Choices) -> Any:
    """Choose a JSON value that is no list and no object."""
    return choices.pick(choices.pick((STRINGS, NUMBERS, NUMBERS, CONSTANTS)))


def json_value(choices: Choices, depth: int = 2) -> Any:
    """Choose a JSON value, a scalar more often than not."""
    shape = choices.pick(("scalar", "scalar", "scalar", "list", "object")) if depth else "scalar"
    if shape == "scalar":
        return scalar(choices)
    if shape == "list":
        return [json_value(choices, depth - 1) for _ in range(choices.number(0, 3))]
    return {key: json_value(choices, depth - 1) for key in some(choices, KEYS, 2)}


def vector(choices: Choices, dims: int = DIMS) -> Vector:
    """Choose a float32 vector of small whole numbers, so that ties, zeros and opposites are common."""
    return np.array([choices.number(-3, 3) for _ in range(dims)], np.float32)


def entry(choices: Choices, id: str) -> MemoryEntry:
    """Choose an entry with the given id."""
    created, updated = sorted((choices.pick(TIMES_US), choices.pick(TIMES_US)))
    expires = choices.pick((None, None, None, *TIMES_US[2:]))
    return make_entry(
        id,
        text=choices.pick(TEXTS),
        importance=choices.pick(IMPORTANCES),
        tags=some(choices, TAGS, 3),
        metadata={key: json_value(choices) for key in KEYS if choices.number(0, 2)},
        embedding=vector(choices) if choices.number(0, 4) else None,
        created_at=to_datetime(created),
        updated_at=to_datetime(updated),
        expires_at=None if expires is None else to_datetime(expires),
        session_id=choices.pick((None, *SESSIONS)),
    )


def corpus(choices: Choices, most: int = 20) -> list[MemoryEntry]:
    """Choose entries with different ids, up to ``most`` and up to the size of the pool."""
    return [entry(choices, id) for id in some(choices, IDS, most)]


def field(choices: Choices, tier: bool = False) -> Field:
    """Choose a field, the user's own as often as the entry's; ``tier`` only where it is allowed."""
    if choices.number(0, 1):
        return Field(choices.pick(KEYS), is_metadata=True)
    reserved = ("tags", "importance", "session_id", "id", *sorted(TIME_FIELDS))
    return Field(choices.pick((*reserved, "tier") if tier else reserved))


def operand(choices: Choices, field: Field) -> Any:
    """Choose an operand that fits a field most of the time."""
    if field.is_metadata:
        return json_value(choices)
    if field.name in TIME_FIELDS:
        return to_datetime(choices.pick(TIMES_US))
    if field.name == "tags" and choices.number(0, 1):
        return some(choices, TAGS, 2)
    fitting: dict[str, Sequence[Any]] = {
        "tags": TAGS,
        "importance": (*IMPORTANCES, 0, 1, True, "0.5", 2**60),
        "session_id": SESSIONS,
        "id": IDS,
        "tier": TIERS,
    }
    return choices.pick((*fitting[field.name], None, "a", 2))


def near(choices: Choices, field: Field, entries: Sequence[MemoryEntry]) -> Any:
    """Choose the value that the field has in some entry, or one that would fit it."""
    if entries and choices.number(0, 3):
        value = field_value(field, choices.pick(entries))
        if value is not MISSING:
            return value
    return operand(choices, field)


def near_text(choices: Choices, field: Field, entries: Sequence[MemoryEntry]) -> str:
    """Choose a string, often the beginning of one that the field has."""
    value = near(choices, field, entries)
    if not isinstance(value, str):
        return choices.pick(STRINGS)
    part = value[: choices.number(0, 2)] if choices.number(0, 1) else value
    return part if choices.number(0, 2) else part.swapcase()


def near_element(choices: Choices, field: Field, entries: Sequence[MemoryEntry]) -> Any:
    """Choose a value, often an element of a list that the field has."""
    value = near(choices, field, entries)
    if isinstance(value, list):
        return choices.pick(value) if value else scalar(choices)
    return value


def predicate(choices: Choices, entries: Sequence[MemoryEntry] = (), tier: bool = False) -> Predicate:
    """Choose one predicate of any kind on any field, often about a value that ``entries`` hold."""
    about = field(choices, tier)
    kind = choices.pick(KINDS)
    if issubclass(kind, Exists | IsEmpty):
        return kind(about)
    if issubclass(kind, Prefix):
        return kind(about, near_text(choices, about, entries))
    if issubclass(kind, TextMatch):
        return kind(about, near_text(choices, about, entries), choices.pick((True, False)))
    if issubclass(kind, In | Nin):
        return kind(about, tuple(near(choices, about, entries) for _ in range(choices.number(0, 3))))
    if issubclass(kind, Contains):
        values = tuple(near_element(choices, about, entries) for _ in range(choices.number(0, 3)))
        return kind(about, values, choices.pick(("any", "all")))
    assert issubclass(kind, Eq | Ne | Ordered)
    value = near(choices, about, entries)
    if issubclass(kind, Ordered) and not isinstance(value, int | float | str | datetime):
        value = near(choices, about, entries)
    return kind(about, value)


def filter_tree(
    choices: Choices, entries: Sequence[MemoryEntry] = (), *, depth: int = 4, tier: bool = False
) -> FilterNode:
    """Choose a filter in normal form over all nodes.

    Parameters
    ----------
    choices : the source.
    entries : whose values the filter is often about.
    depth : most levels of And, Or and Not, >= 0.
    tier : whether the field ``tier`` may occur.
    """
    return _tree(choices, entries, choices.number(0, depth), tier)


def _tree(choices: Choices, entries: Sequence[MemoryEntry], depth: int, tier: bool) -> FilterNode:
    if depth == 0:
        return predicate(choices, entries, tier)
    shape = choices.number(0, 9)
    if shape == 9:
        return choices.pick((EVERYTHING, NOTHING))
    if shape >= 7:
        return negate(_tree(choices, entries, depth - 1, tier))
    below = [depth - 1, *(choices.number(0, depth - 1) for _ in range(choices.number(1, 2)))]
    children = [_tree(choices, entries, each, tier) for each in below]
    return all_of(children) if shape >= 4 else any_of(children)
