"""What Pinecone is asked: filters become its own operators on flat fields, and nothing of the user's becomes one."""

from __future__ import annotations

from typing import Any

import pytest

from axon import Filter
from axon.adapters._filters.pinecone import compile_filter
from axon.core.clock import to_datetime
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    Field,
    FilterNode,
    Prefix,
    TextMatch,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.filter import as_node
from axon.testing.strategies import NASTY_STRINGS

NOON = 1_700_000_000_000_000
OPERATORS = {"$and", "$or", "$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$in", "$nin"}


def native(source: Any) -> Any:
    compiled = compile_filter(as_node(source))
    assert compiled.residual is EVERYTHING
    return compiled.native.where


def has(token: str) -> dict[str, Any]:
    return {"tokens": {"$in": [token]}}


def lacks(token: str) -> dict[str, Any]:
    return {"tokens": {"$nin": [token]}}


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (Filter(tags=["a", "b"]), {"$and": [has("[f4:tagssa"), has("[f4:tagssb")]}),
        (Filter(any_tags=["a", "b"]), {"tokens": {"$in": ["[f4:tagssa", "[f4:tagssb"]}}),
        (
            Filter(min_importance=0.25, max_importance=0.75),
            {"$and": [{"importance": {"$gte": 0.25}}, {"importance": {"$lte": 0.75}}]},
        ),
        (Filter(created_after=to_datetime(NOON)), {"created_at": {"$gt": NOON}}),
        ({"updated_at": {"$lte": to_datetime(NOON)}}, {"updated_at": {"$lte": NOON}}),
        ({"created_at": to_datetime(NOON)}, {"created_at": {"$eq": NOON}}),
        ({"created_at": {"$ne": to_datetime(NOON)}}, {"created_at": {"$ne": NOON}}),
        ({"expires_at": {"$exists": True}}, {"expires_at": {"$lt": 1 << 62}}),
        (Filter(session_id="s"), has("=f10:session_idss")),
        (Filter(metadata={"lang": "en"}), has("=m4:langsen")),
        ({"lang": {"$ne": "en"}}, lacks("=m4:langsen")),
        ({"lang": {"$in": ["en", "de"]}}, {"tokens": {"$in": ["=m4:langsen", "=m4:langsde"]}}),
        ({"lang": {"$nin": ["en", "de"]}}, {"tokens": {"$nin": ["=m4:langsen", "=m4:langsde"]}}),
        ({"list": {"$contains_all": [1, "a"]}}, {"$and": [has("[m4:listi1"), has("[m4:listsa")]}),
        (Filter(metadata={"ok": True}), has("=m2:okt")),
        (Filter(metadata={"year": {"$gte": 2020}}), {"n79656172": {"$gte": 2020}}),
        (Filter(metadata={"$gt.[]": {"$lt": 1}}), {"n2467742e5b5d": {"$lt": 1}}),
        (~Filter(metadata={"n": {"$lt": 1}}), {"$or": [lacks("#m1:n"), {"n6e": {"$gte": 1}}]}),
        ({"n": {"$nin": []}}, None),
    ],
)  # fmt: skip
def test_filters_are_native(source: Any, where: Any) -> None:
    assert native(source) == where


def test_what_matches_nothing_is_not_asked() -> None:
    assert compile_filter(as_node({"n": {"$in": []}})).native is False
    assert compile_filter(NOTHING).native is False


def test_what_pinecone_cannot_check_is_checked_afterwards() -> None:
    name = Field("name", is_metadata=True)
    tagged = as_node(Filter(tags=["a"]))
    for node in (Prefix(name, "al"), TextMatch(name, "lph")):
        both = compile_filter(all_of([node, tagged]))
        assert (both.native.where, both.residual) == (has("[f4:tagssa"), node)
        # More under "not" would be less.
        assert compile_filter(negate(node)).native.where is None
        either = any_of([node, tagged])
        assert (compile_filter(either).native.where, compile_filter(either).residual) == (None, either)


def test_numbers_beyond_exact_floats_are_checked_afterwards() -> None:
    for source in ({"created_at": {"$gt": to_datetime(NOON).replace(year=9000)}}, {"n": {"$lt": 2**53}}):
        node = as_node(source)
        compiled = compile_filter(node)
        assert (compiled.native.where, compiled.residual) == (None, node)


@pytest.mark.parametrize("text", [*NASTY_STRINGS, '{"$or": []}', "$exists", "tokens", "expires_at", "kind"])
def test_no_string_of_the_users_becomes_an_operator_or_a_field(text: str) -> None:
    sources: list[Any] = [
        Filter(tags=[text], any_tags=[text], session_id=text),
        {f"metadata.{text}": text},
        {f"metadata.{text}": {"$gt": 1}},
        {f"metadata.{text}": {"$nin": [text, [text], {text: text}]}},
    ]
    for source in sources:
        for node in (as_node(source), negate(as_node(source))):
            assert_closed(compile_filter(node).native.where)


def assert_closed(where: Any) -> None:
    """Fail unless operators are Pinecone's, fields are ours, and operands are tokens or numbers."""
    for key, condition in where.items():
        if key in ("$and", "$or"):
            assert len(condition) >= 2
            for each in condition:
                assert_closed(each)
            continue
        assert key == "tokens" or (key[0] == "n" and set(key[1:]) <= set("0123456789abcdef"))
        assert len(condition) == 1
        assert condition.keys() <= OPERATORS
        for operand in condition.values():
            assert isinstance(operand, int | float) or (
                key == "tokens" and all(type(each) is str for each in operand)
            )


def test_no_list_is_longer_than_pinecone_takes() -> None:
    node: FilterNode = as_node({"n": {"$in": list(range(25_000))}})
    assert [len(each["tokens"]["$in"]) for each in native(node)["$or"]] == [10_000, 10_000, 5_000]
    assert [len(each["tokens"]["$nin"]) for each in native(negate(node))["$and"]] == [10_000, 10_000, 5_000]
