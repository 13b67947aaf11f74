"""Walking an arena in order: pages agree with sorting everything, whatever is tied or deleted meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from axon.core.filter.ast import EVERYTHING, Eq, Field, FilterNode
from axon.core.models import EntryRecord, MemoryEntry
from axon.core.ports import OrderBy
from axon.engine import paging
from axon.engine.arena import Arena, View
from axon.engine.paging import page

TIMES = st.lists(st.integers(0, 5), max_size=60)
ORDERS = st.sampled_from(["created_at", "updated_at", "importance", "accessed_at"])
LIMITS = st.integers(1, 7)


def name(number: int) -> str:
    return f"{number:03}"


def filled(times: list[int]) -> Arena:
    arena = Arena(text_index=False)
    for n, time in enumerate(times):
        record = EntryRecord(name(n), "text", time / 10, (), {"odd": n % 2}, time, time)
        arena.put([MemoryEntry.of(record)])
    return arena


def walked(view: View, node: FilterNode, order_by: OrderBy, descending: bool, limit: int) -> list[str]:
    part = page(view, node, order_by, descending, None, limit)
    found = [entry.id for entry in part.entries]
    while part.cursor is not None:
        part = page(view, node, order_by, descending, part.cursor, limit)
        found += [entry.id for entry in part.entries]
    return found


@given(TIMES, ORDERS, st.booleans(), LIMITS, st.booleans())
def test_pages_agree_with_sorting(
    times: list[int], order_by: OrderBy, descending: bool, limit: int, odd: bool
) -> None:
    node = Eq(Field("odd", is_metadata=True), 1) if odd else EVERYTHING
    sign = -1 if descending else 1
    rows = sorted((n for n in range(len(times)) if n % 2 or not odd), key=lambda n: (sign * times[n], n))
    assert walked(filled(times).view(0), node, order_by, descending, limit) == [name(n) for n in rows]


@given(TIMES, st.sets(st.integers(0, 59)), st.sets(st.integers(0, 59)), LIMITS)
def test_entries_deleted_before_or_after_the_view_was_taken_end_no_walk(
    times: list[int], before: set[int], after: set[int], limit: int
) -> None:
    arena = filled(times)
    arena.delete(map(name, before))
    view = arena.view(0)
    arena.delete(map(name, after))
    rows = sorted(set(range(len(times))) - before - after, key=lambda n: (-times[n], n))
    assert walked(view, EVERYTHING, "updated_at", True, limit) == [name(n) for n in rows]


def test_a_page_looks_at_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def key_of(record: EntryRecord) -> int:
        looked_at.append(record.id)
        return record.updated_us

    view = filled(list(range(1000))).view(0)
    monkeypatch.setitem(paging._KEYS, "updated_at", key_of)
    assert walked(view, EVERYTHING, "updated_at", True, 300)[:2] == ["999", "998"]
    assert len(looked_at) < 1100
