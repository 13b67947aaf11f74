"""What Qdrant is asked: filters become its own models, and nothing of the user's becomes a path."""

from __future__ import annotations

from typing import Any

import pytest
from qdrant_client.models import FieldCondition, MatchValue, Range
from qdrant_client.models import Filter as Condition

from axon import Filter
from axon.adapters._filters.qdrant import compile_filter
from axon.core.clock import to_datetime
from axon.core.filter.ast import EVERYTHING, Field, Prefix, all_of
from axon.core.filter.filter import as_node

NOON = 1_700_000_000_000_000


def native(source: Any) -> Any:
    compiled = compile_filter(as_node(source))
    assert compiled.residual is EVERYTHING
    return compiled.native


def has(token: str) -> FieldCondition:
    return FieldCondition(key="tokens", match=MatchValue(value=token))


def lacks(token: str) -> Condition:
    return Condition(must_not=[has(token)])


def between(key: str, **bounds: float) -> FieldCondition:
    return FieldCondition(key=key, range=Range(**bounds))


@pytest.mark.parametrize(
    ("source", "condition"),
    [
        (Filter(tags=["a", "b"]), Condition(must=[has("[f4:tagssa"), has("[f4:tagssb")])),
        (Filter(any_tags=["a", "b"]), Condition(should=[has("[f4:tagssa"), has("[f4:tagssb")])),
        (
            Filter(min_importance=0.25, max_importance=0.75),
            Condition(must=[between("importance", gte=0.25), between("importance", lte=0.75)]),
        ),
        (Filter(created_after=to_datetime(NOON)), between("created_at", gt=NOON)),
        ({"created_at": to_datetime(NOON)}, between("created_at", gte=NOON, lte=NOON)),
        ({"created_at": {"$ne": to_datetime(NOON)}}, Condition(must_not=[between("created_at", gte=NOON, lte=NOON)])),
        (Filter(session_id="s"), has("=f10:session_idss")),
        (Filter(metadata={"lang": "en"}), has("=m4:langsen")),
        ({"lang": {"$ne": "en"}}, lacks("=m4:langsen")),
        (Filter(metadata={"ok": True}), has("=m2:okt")),
        (Filter(metadata={"year": {"$gte": 2020}}), between("numbers.k79656172", gte=2020)),
        (Filter(metadata={"a.b[]": {"$lt": 1}}), between("numbers.k612e625b5d", lt=1)),
        ({"n": {"$in": []}}, False),
        ({"n": {"$nin": []}}, True),
    ],
)  # fmt: skip
def test_filters_are_native(source: Any, condition: Any) -> None:
    assert native(source) == condition


def test_what_qdrant_cannot_check_is_checked_afterwards() -> None:
    prefix = Prefix(Field("name", is_metadata=True), "al")
    compiled = compile_filter(all_of([prefix, as_node(Filter(tags=["a"]))]))
    assert (compiled.native, compiled.residual) == (has("[f4:tagssa"), prefix)


def test_times_beyond_exact_floats_are_checked_afterwards() -> None:
    source = as_node({"created_at": {"$gt": to_datetime(NOON).replace(year=9000)}})
    compiled = compile_filter(source)
    assert (compiled.native, compiled.residual) == (True, source)
