"""What Chroma is asked: filters become ``where`` clauses, and nothing of the user's becomes syntax."""

from __future__ import annotations

from typing import Any

import pytest

from axon import Filter
from axon.adapters._filters.chroma import compile_filter
from axon.core.clock import to_datetime
from axon.core.filter.ast import EVERYTHING, Field, FilterNode, Prefix, all_of, any_of, negate
from axon.core.filter.filter import as_node

NOON = 1_700_000_000_000_000


def native(source: Any) -> Any:
    compiled = compile_filter(as_node(source))
    assert compiled.residual is EVERYTHING
    return compiled.native


def has(token: str) -> dict[str, Any]:
    return {"tokens": {"$contains": token}}


def lacks(token: str) -> dict[str, Any]:
    return {"tokens": {"$not_contains": token}}


@pytest.mark.parametrize(
    ("source", "where"),
    [
        (Filter(tags=["a", "b"]), {"$and": [has("[f4:tagssa"), has("[f4:tagssb")]}),
        (Filter(any_tags=["a", "b"]), {"$or": [has("[f4:tagssa"), has("[f4:tagssb")]}),
        (
            Filter(min_importance=0.25, max_importance=0.75),
            {"$and": [{"importance": {"$gte": 0.25}}, {"importance": {"$lte": 0.75}}]},
        ),
        (Filter(created_after=to_datetime(NOON)), {"created_at": {"$gt": NOON}}),
        (
            {"updated_at": {"$gt": to_datetime(NOON)}},
            {"$or": [
                {"updated_at": {"$gt": NOON}},
                {"$and": [lacks("#f10:updated_at"), {"created_at": {"$gt": NOON}}]},
            ]},
        ),
        (
            {"updated_at": {"$ne": to_datetime(NOON)}},
            {"$and": [
                {"updated_at": {"$ne": NOON}},
                {"$or": [has("#f10:updated_at"), {"created_at": {"$ne": NOON}}]},
            ]},
        ),
        ({"expires_at": {"$lt": to_datetime(NOON)}}, {"expires_at": {"$lt": NOON}}),
        (
            {"$not": {"expires_at": {"$lt": to_datetime(NOON)}}},
            {"$or": [lacks("#f10:expires_at"), {"expires_at": {"$gte": NOON}}]},
        ),
        (Filter(session_id="s"), has("=f10:session_idss")),
        (Filter(metadata={"lang": "en"}), has("=m4:langsen")),
        (Filter(metadata={"year": 2020}), {"n:year": {"$eq": 2020.0}}),
        (Filter(metadata={"year": 2020.0}), {"n:year": {"$eq": 2020.0}}),
        ({"year": {"$ne": 2020}}, {"n:year": {"$ne": 2020.0}}),
        (Filter(metadata={"share": 0.5}), has("=m5:shared0.5")),
        (Filter(metadata={"size": 2**53}), has("=m4:sizei20000000000000")),
        (Filter(metadata={"ok": True}), has("=m2:okt")),
        (Filter(metadata={"year": {"$gte": 2020}}), {"n:year": {"$gte": 2020.0}}),
        (~Filter(metadata={"year": {"$gte": 2020}}), {"$or": [lacks("#m4:year"), {"n:year": {"$lt": 2020.0}}]}),
        ({"lang": {"$ne": "en"}}, lacks("=m4:langsen")),
        ({"lang": {"$exists": True}}, {"$or": [has("#m4:lang"), has("?m4:lang")]}),
        ({"n": {"$in": []}}, False),
        ({"n": {"$nin": []}}, True),
        ({"importance": {"$gt": "0"}}, False),
    ],
)  # fmt: skip
def test_filters_are_native(source: Any, where: Any) -> None:
    assert native(source) == where


@pytest.mark.parametrize("key", ["$and", "a.b", "#", "chroma:document", "n:x", "", "4:year", "tokens"])
def test_keys_and_values_stay_values(key: str) -> None:
    clause = native({"$and": [{f"metadata.{key}": {"$eq": {"$or": []}}}, {f"metadata.{key}": {"$gt": 1}}]})
    token, number = clause["$and"]
    assert token.keys() == {"tokens"}
    assert token["tokens"].keys() == {"$contains"}
    assert number == {f"n:{key}": {"$gt": 1.0}}


def test_what_chroma_cannot_check_is_checked_afterwards() -> None:
    prefix = Prefix(Field("name", is_metadata=True), "al")
    tagged = as_node(Filter(tags=["a"]))
    compiled = compile_filter(all_of([prefix, tagged]))
    assert (compiled.native, compiled.residual) == (has("[f4:tagssa"), prefix)
    under_or = compile_filter(any_of([prefix, tagged]))
    assert (under_or.native, under_or.residual) == (True, any_of([prefix, tagged]))
    assert compile_filter(negate(prefix)).native is True


def test_bounds_beyond_floats_are_checked_afterwards() -> None:
    source = as_node({"n": {"$gt": 2**53}})
    compiled = compile_filter(source)
    assert (compiled.native, compiled.residual) == (True, source)


def test_clauses_that_chroma_would_refuse_are_checked_afterwards() -> None:
    wide = as_node({"n": {"$in": list(range(500))}})
    deep: FilterNode = as_node({"n": 0})
    for level in range(1, 40):
        deep = any_of([all_of([deep, as_node({"n": level})]), as_node({"m": level})])
    for node in (wide, deep):
        compiled = compile_filter(node)
        assert (compiled.native, compiled.residual) == (True, node)
