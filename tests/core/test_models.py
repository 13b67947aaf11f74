"""Entries, requests and the copying of JSON."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.clock import to_datetime
from axon.core.errors import InvalidInputError
from axon.core.models import (
    EntryRecord,
    MemoryEntry,
    RecallResult,
    TextStatistics,
    Tier,
    Touch,
    checked_str,
    copy_json_object,
)
from axon.testing.entries import START_US, make_entry, same_json
from axon.testing.strategies import any_metadata

MOMENT = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


class LoudStr(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "shouted"


class Kind(int):
    pass


@given(any_metadata)
def test_a_copy_of_json_is_equal_and_shares_nothing(metadata: dict[str, Any]) -> None:
    before = json.dumps(metadata)
    made = copy_json_object(metadata)
    assert same_json(made, metadata)
    _spoil(made)
    assert json.dumps(metadata) == before


def _spoil(value: Any) -> None:
    children = (
        list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    )
    for child in children:
        _spoil(child)
    if isinstance(value, dict):
        value["spoilt"] = True
    elif isinstance(value, list):
        value.append("spoilt")


def nested(levels: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return {"k": value}


def cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (["x"], "mapping"),
        ("x", "mapping"),
        ({1: "x"}, "keys must be strings"),
        ({"a": {None: 1}}, "keys must be strings"),
        ({"k": float("nan")}, "no such number"),
        ({"k": [1, {"j": float("-inf")}]}, "no such number"),
        ({"k": (1, 2)}, "tuple"),
        ({"k": {1, 2}}, "set"),
        ({"k": b"x"}, "bytes"),
        ({"k": MOMENT}, "isoformat"),
        ({"k": np.float64(np.nan)}, "no such number"),
        ({"k": np.int64(1)}, "int64"),
        ({"k": np.ones(2)}, "ndarray"),
        ({"k": object()}, "object"),
        ({"k": "\ud800"}, "surrogate"),
        ({"\udfff": 1}, "surrogate"),
        ({"k": ["ok", "\ud800"]}, "surrogate"),
        (nested(102), "nested"),
        (cyclic(), "contains itself"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_what_json_cannot_hold_is_refused(metadata: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        copy_json_object(metadata)


def test_a_hundred_levels_are_allowed() -> None:
    assert same_json(copy_json_object(nested(99)), nested(99))


def test_subclasses_of_json_types_become_plain() -> None:
    made = copy_json_object(
        {LoudStr("key"): LoudStr("value"), "n": Kind(3), "f": np.float64(1.5), "t": Tier.SESSION}
    )
    assert same_json(made, {"key": "value", "n": 3, "f": 1.5, "t": "session"})
    assert all(type(key) is str for key in made)


def test_a_checked_string_is_plain() -> None:
    assert type(checked_str(LoudStr("quiet"), "x")) is str
    assert checked_str(LoudStr("quiet"), "x") == "quiet"
    with pytest.raises(InvalidInputError, match="a tag holds a lone surrogate at 1"):
        checked_str("a\ud800", "a tag")


def test_an_entry_gives_back_what_it_was_given() -> None:
    entry = MemoryEntry(
        "text", id="a", created_at=MOMENT, importance=0.25, tags=("b", "a"), metadata={"k": [1]},
        embedding=np.array([1.5, 2.0], np.float32), updated_at=MOMENT + timedelta(seconds=1),
        expires_at=MOMENT + timedelta(days=1),
        session_id="s", access_count=3, last_accessed_at=MOMENT, keyed=True, sources=["x"], tier=Tier.SESSION,
    )  # fmt: skip
    assert (entry.id, entry.text, entry.importance, entry.tags) == ("a", "text", 0.25, ["b", "a"])
    assert (entry.metadata, entry.session_id, entry.access_count) == ({"k": [1]}, "s", 3)
    assert (entry.keyed, entry.sources, entry.tier, entry.dims) == (True, ["x"], Tier.SESSION, 2)
    assert entry.created_at == entry.last_accessed_at == MOMENT
    assert entry.updated_at == MOMENT + timedelta(seconds=1)
    assert entry.expires_at == MOMENT + timedelta(days=1)
    assert entry.embedding is not None
    assert entry.embedding.tolist() == [1.5, 2.0]


def test_an_entry_without_anything_has_defaults() -> None:
    entry = MemoryEntry("text", id="a", created_at=MOMENT)
    assert (entry.importance, entry.tags, entry.metadata, entry.embedding, entry.dims) == (
        0.5,
        [],
        {},
        None,
        None,
    )
    assert entry.updated_at == MOMENT
    assert (entry.expires_at, entry.last_accessed_at, entry.session_id, entry.tier) == (
        None,
        None,
        None,
        None,
    )
    assert (entry.access_count, entry.keyed, entry.sources) == (0, False, [])


@pytest.mark.parametrize(
    "moment", [MOMENT.astimezone(timezone(timedelta(hours=-7))), MOMENT.replace(tzinfo=None)], ids=str
)
def test_times_come_back_as_aware_utc(moment: datetime) -> None:
    entry = MemoryEntry("text", id="a", created_at=moment, expires_at=moment)
    assert entry.created_at == entry.expires_at == MOMENT
    assert entry.created_at.tzinfo is UTC


def test_entries_are_copies() -> None:
    metadata, vector = {"list": [1]}, np.array([1, 2], np.float32)
    entry = make_entry("a", metadata=metadata, embedding=vector, tags=["t"])
    metadata["list"].append(2)
    vector[0] = 9
    entry.tags.append("u")
    entry.metadata["list"].append(3)
    assert entry.record.metadata == {"list": [1]}
    assert entry.tags == ["t"]
    assert entry.embedding is not None
    assert entry.embedding.tolist() == [1, 2]
    assert entry.metadata == {"list": [1, 3]}, "an entry keeps the changes its holder makes"


def test_two_entries_of_one_record_share_nothing_that_can_change() -> None:
    record, rows = make_entry("a", metadata={"list": [1]}).record, np.ones((2, 3), np.float32)
    one, other = MemoryEntry.in_block(record, rows, 1), MemoryEntry.in_block(record, rows, 1)
    assert one.embedding is not None
    one.embedding[:] = 0
    one.metadata["list"].append(2)
    assert other.metadata == {"list": [1]}
    assert other.embedding is not None
    assert other.embedding.tolist() == [1, 1, 1]
    assert rows.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert (other.dims, other.place[1]) == (3, 1)


def test_equality_looks_at_everything() -> None:
    def made(**fields: Any) -> MemoryEntry:
        return make_entry("a", **{"text": "t", "metadata": {"k": 1}, "embedding": [1, 2], **fields})

    assert made() == made()
    others = (
        {"text": "u"}, {"metadata": {"k": 2}}, {"embedding": [1, 3]}, {"embedding": None}, {"tags": ["x"]},
        {"importance": 0.1}, {"access_count": 1},
    )  # fmt: skip
    for other in others:
        assert made(**other) != made()
    assert made() != "a"
    touched = made()
    touched.metadata["k"] = 2
    assert touched != made()
    with pytest.raises(TypeError, match="unhashable"):
        hash(made())


def test_a_long_text_is_cut_in_the_repr() -> None:
    assert len(repr(make_entry("a", text="x" * 1000))) < 200


def test_an_entry_can_be_copied() -> None:
    entry = make_entry("a", metadata={"k": [1]}, embedding=[1, 2])
    for made in (copy.copy(entry), copy.deepcopy(entry)):
        assert made == entry


@given(st.lists(st.tuples(st.integers(0, 10), st.integers(1, 5)), max_size=6))
def test_touches_add_up_in_any_order(touches: list[tuple[int, int]]) -> None:
    record = make_entry("a").record
    for later, count in touches:
        record = record.accessed(Touch("a", START_US + later, count))
    assert record.access_count == sum(count for _, count in touches)
    assert record.accessed_us == max((START_US + later for later, _ in touches), default=None)


def test_records_do_not_change() -> None:
    record = make_entry("a").record
    with pytest.raises(AttributeError):
        record.text = "other"  # type: ignore[misc]  # the mistake that is tested
    assert isinstance(record, EntryRecord)


def test_statistics_add_up() -> None:
    one, other = TextStatistics(2, 10, {"fox": 1, "tea": 2}), TextStatistics(3, 5, {"fox": 2, "bear": 1})
    assert one + other == TextStatistics(5, 15, {"fox": 3, "tea": 2, "bear": 1})


def test_tiers_go_from_the_most_fleeting_to_the_most_durable() -> None:
    assert list(Tier) == ["ephemeral", "session", "persistent"]


def test_a_result_has_the_text_of_its_entry() -> None:
    result = RecallResult(make_entry("a", text="fox"), 0.5, None, Tier.SESSION)
    assert result.text == "fox"
    assert result.signals == {}
    assert result.entry.created_at == to_datetime(START_US)
