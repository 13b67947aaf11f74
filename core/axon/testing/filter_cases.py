"""The fixed cases of the filter algebra, written out by hand: what the evaluator and every backend must agree with.

Each case is one predicate on the metadata key ``x``, and the answer for one value of it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from axon.core.filter.ast import (
    Contains,
    Eq,
    Exists,
    Field,
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
)

X: Final = Field("x", is_metadata=True)
ABSENT: Final = object()
"""Stands for an entry without the key."""


class FilterCase(NamedTuple):
    """One predicate, one value, one answer."""

    predicate: Predicate
    value: Any
    answer: bool

    def __str__(self) -> str:
        shown = "absent" if self.value is ABSENT else ascii(self.value)
        operand = getattr(self.predicate, "values", getattr(self.predicate, "value", ""))
        flag = getattr(self.predicate, "mode", "") or (
            "insensitive" if not getattr(self.predicate, "case_sensitive", True) else ""
        )
        return f"{shown} {type(self.predicate).__name__}{flag} {operand!a}"


def _yes(predicate: Predicate, *values: Any) -> list[FilterCase]:
    return [FilterCase(predicate, value, True) for value in values]


def _no(predicate: Predicate, *values: Any) -> list[FilterCase]:
    return [FilterCase(predicate, value, False) for value in values]


_MISSING = [
    *_yes(Ne(X, 1), ABSENT),
    *_yes(Ne(X, None), ABSENT),
    *_yes(Nin(X, (1, None)), ABSENT),
    *_yes(IsEmpty(X), ABSENT),
    *[
        case
        for predicate in (
            Eq(X, 1), Eq(X, None), Eq(X, ""), Eq(X, []), Lt(X, 1), Lte(X, 1), Gt(X, 1), Gte(X, 1), Lt(X, "a"),
            In(X, (1, None)), Exists(X), Contains(X, (1,)), Contains(X, (1,), "any"), Prefix(X, ""), TextMatch(X, ""),
            TextMatch(X, "", False),
        )
        for case in _no(predicate, ABSENT)
    ],
]  # fmt: skip

_NULLS = [
    *_yes(Exists(X), None),
    *_yes(IsEmpty(X), None),
    *_yes(Eq(X, None), None),
    *_no(Eq(X, None), 0, "", False, [], {}),
    *_yes(In(X, (1, None)), None),
    *_no(In(X, (0, "", False)), None),
    *_no(Ne(X, None), None),
    *_yes(Ne(X, 1), None),
    *_no(Nin(X, (None,)), None),
    *_yes(Nin(X, (1,)), None),
    *_no(Lt(X, 1), None),
    *_no(Lte(X, None), None),
    *_no(Gte(X, None), None),
    *_no(Contains(X, (None,)), None),
    *_no(Prefix(X, ""), None),
    *_no(TextMatch(X, ""), None),
    *_no(TextMatch(X, "none", False), None),
]

_EQUALITY = [
    *_yes(Eq(X, 2), 2, 2.0),
    *_yes(Eq(X, 2.0), 2, 2.0),
    *_no(Eq(X, 2), "2", [2], 2.5, True, {"x": 2}),
    *_no(Eq(X, 1), True, "1"),
    *_no(Eq(X, True), 1, 1.0, "True", "true"),
    *_yes(Eq(X, True), True),
    *_no(Eq(X, 0), False, None, "", []),
    *_no(Eq(X, False), 0, None),
    *_yes(Eq(X, 0), 0, 0.0, -0.0),
    *_yes(Eq(X, 2**53 + 1), 2**53 + 1),
    *_no(Eq(X, 2**53 + 1), 2**53, float(2**53)),
    *_yes(Eq(X, 10**30), 10**30),
    *_no(Eq(X, 10**30), 1e30, 10**30 + 1),
    *_no(Eq(X, 1e300), 10**300),
    *_yes(Eq(X, 0.1), 0.1),
    *_no(Eq(X, 0.3), 0.1 + 0.2),
    *_yes(Eq(X, "cat"), "cat"),
    *_no(Eq(X, "cat"), "cat dog", "Cat", "cat ", "ca", ["cat"]),
    *_no(Eq(X, "é"), "e\u0301", "É"),
    *_yes(Eq(X, "a\0b"), "a\0b"),
    *_no(Eq(X, "a\0b"), "a", "a\0c"),
    *_yes(Eq(X, ""), ""),
    *_no(Eq(X, "*"), "a", "**"),
    *_no(Eq(X, "%"), "a"),
    *_yes(Eq(X, ["a", 1]), ["a", 1], ["a", 1.0]),
    *_no(Eq(X, ["a", 1]), ["a"], [1, "a"], ["a", True], ["a", 1, 1], "a"),
    *_yes(Eq(X, []), []),
    *_no(Eq(X, []), [None], {}, "", None),
    *_yes(Eq(X, {"a": 1, "b": [2]}), {"b": [2.0], "a": 1}),
    *_no(Eq(X, {"a": 1}), {"a": True}, {"a": 1, "b": 2}, {}, {"A": 1}),
    *_no(Ne(X, "cat"), "cat"),
    *_yes(Ne(X, "cat"), "cat dog", ["cat"], 1, None),
    *_no(Ne(X, 2), 2, 2.0),
    *_yes(Ne(X, 2), "2", 2.5),
    *_yes(Ne(X, 1), True),
    *_no(Ne(X, ["a"]), ["a"]),
    *_yes(Ne(X, ["a"]), ["a", "b"], "a"),
]

_MEMBERSHIP = [
    *_no(In(X, ()), 1, "", None, []),
    *_yes(Nin(X, ()), 1, "", None, [], ABSENT),
    *_yes(In(X, (1, "cat", 2.5)), 1, 1.0, "cat", 2.5),
    *_no(In(X, (1, "cat", 2.5)), True, "cat dog", "1", 2, ["cat"], [1]),
    *_no(Nin(X, (1, "cat", 2.5)), 1, 1.0, "cat", 2.5),
    *_yes(Nin(X, (1, "cat", 2.5)), True, "cat dog", "1", ["cat"]),
    *_yes(In(X, (["a"], [1])), ["a"], [1.0]),
    *_no(In(X, (["a"],)), "a", ["a", "b"]),
    *_yes(In(X, (True,)), True),
    *_no(In(X, (True, False)), 0, 1),
]

_ORDER = [
    *_no(Gte(X, 10), 9, "9", "10", 9.99, True, None, [10]),
    *_yes(Gte(X, 10), 10, 10.0, 11, 1e300),
    *_yes(Gt(X, 1), 1.5, 2),
    *_no(Gt(X, 1), 1, 1.0, True),
    *_yes(Lt(X, 2), 1, -1e300),
    *_no(Lt(X, 2), True, False, 2, "1"),
    *_yes(Lte(X, 2.5), 2.5, 2),
    *_no(Lte(X, 2.5), 3, 2.5000001),
    *_yes(Gt(X, 2**53), 2**53 + 1),
    *_no(Gt(X, float(2**53)), 2**53),
    *_yes(Lt(X, 1e300), 10**299),
    *_no(Gt(X, True), 2, True),
    *_no(Lt(X, True), 0, False),
    *_yes(Lt(X, "b"), "a", "B", "", "aa"),
    *_no(Lt(X, "b"), "b", "ba", 1, None, ["a"]),
    *_yes(Gt(X, "b"), "c", "ba", "é"),
    *_yes(Gte(X, "b"), "b"),
    *_yes(Lt(X, "10"), "1", "\0"),
    *_no(Lt(X, "10"), "9"),
    *_yes(Lt(X, "😀"), "\uffff"),
    *_no(Gt(X, "😀"), "\uffff"),
    *_yes(Lt(X, "e\u0301z"), "e\u0301"),
    *_no(Lt(X, [2]), [1], 1),
    *_no(Gt(X, {}), {"a": 1}),
    *_no(Gt(X, None), 1),
]

_LISTS = [
    *_yes(Contains(X, ("a",)), ["a"], ["b", "a"]),
    *_no(Contains(X, ("a",)), "a", "abc", ["b"], ["A"], [], [["a"]], {"a": 1}, None),
    *_yes(Contains(X, ("a", "b")), ["b", "a"], ["a", "c", "b"]),
    *_no(Contains(X, ("a", "b")), ["a"], ["ab"]),
    *_yes(Contains(X, ("a", "b"), "any"), ["b"], ["a", "x"]),
    *_no(Contains(X, ("a", "b"), "any"), ["x"], [], "a"),
    *_no(Contains(X, ()), ["a"], []),
    *_no(Contains(X, (), "any"), ["a"], []),
    *_yes(Contains(X, (2,)), [2.0], [1, 2]),
    *_no(Contains(X, (1,)), [True], ["1"], [[1]], 1),
    *_yes(Contains(X, (None,)), [None]),
    *_no(Contains(X, (None,)), [], [False]),
    *_yes(Contains(X, ([1],)), [[1]]),
    *_yes(Contains(X, ({"a": 1},)), [{"a": 1.0}]),
    *_yes(Contains(X, ("a", "a")), ["a"]),
]

_PRESENCE = [
    *_yes(Exists(X), 0, False, "", [], {}, "a"),
    *_yes(IsEmpty(X), "", []),
    *_no(IsEmpty(X), 0, False, " ", [None], [[]], {}, "a"),
]

_TEXT = [
    *_yes(Prefix(X, "al"), "al", "alpha"),
    *_no(Prefix(X, "al"), "Alpha", "a", " al", ["al"], 1),
    *_yes(Prefix(X, ""), "", "a"),
    *_no(Prefix(X, ""), 1, [], None),
    *_no(Prefix(X, "a*"), "ab"),
    *_no(Prefix(X, "a%"), "ab"),
    *_no(Prefix(X, "a_"), "ab"),
    *_no(Prefix(X, "é"), "e\u0301"),
    *_yes(TextMatch(X, "lph"), "alpha", "lph"),
    *_no(TextMatch(X, "lph"), "ALPHA", "lp h", ["alpha"], 1),
    *_yes(TextMatch(X, "LPH", False), "alpha", "ALPHA"),
    *_no(TextMatch(X, "LPH"), "alpha"),
    *_yes(TextMatch(X, ""), "", "a"),
    *_no(TextMatch(X, ""), [], 1, None),
    *_yes(TextMatch(X, "b c", False), "a B C d"),
    *_no(TextMatch(X, "%"), "abc"),
    *_no(TextMatch(X, "."), "abc"),
    *_no(TextMatch(X, "2"), 2, 123),
    *_yes(TextMatch(X, "É", False), "é"),
    *_no(TextMatch(X, "SS", False), "straße"),
    *_yes(TextMatch(X, "i̇", False), "İ"),
    *_yes(TextMatch(X, "\0", False), "a\0b"),
]

FIXED_CASES: tuple[FilterCase, ...] = (
    *_MISSING, *_NULLS, *_EQUALITY, *_MEMBERSHIP, *_ORDER, *_LISTS, *_PRESENCE, *_TEXT,
)  # fmt: skip
"""Every fixed case."""
