"""Random sequences of operations on an adapter, compared with the model after each."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from axon.core.clock import ManualClock
from axon.core.errors import EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING, FilterNode
from axon.core.models import MemoryEntry, Touch, Vector
from axon.core.portal import run_blocking
from axon.core.ports import OrderBy
from axon.testing.adapter_base import AdapterFactory
from axon.testing.adapter_scan import ORDERS
from axon.testing.adapter_search import TOLERANCE
from axon.testing.entries import assert_same, make_entry
from axon.testing.exact import count_exactly, ids_of, scan_all, search
from axon.testing.generate import DIMS, IDS
from axon.testing.oracle import Oracle
from axon.testing.strategies import entries, filters, vectors

T = TypeVar("T")

some_ids = st.lists(st.integers(0, 7), min_size=1, max_size=4)
"""Positions of ids: the first ones are of entries that are stored, the others of none."""

some_entries = st.lists(entries(IDS[:6]), min_size=1, max_size=5)
spaces = st.integers(0, 1)


class Lanes:
    """Three event loops on which calls take turns: two of this thread, and the shared background loop."""

    def __init__(self) -> None:
        self._runners = [asyncio.Runner(loop_factory=asyncio.new_event_loop) for _ in range(2)]
        self._turn = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the next loop."""
        self._turn = (self._turn + 1) % 3
        return run_blocking(work) if self._turn == 2 else self._runners[self._turn].run(work)

    def close(self) -> None:
        """Close the loops of this thread."""
        for runner in self._runners:
            runner.close()


class AdapterMachine(RuleBasedStateMachine):
    """Drives one adapter and the model with the same operations.

    Parameters
    ----------
    make_adapter : makes the adapter, and makes it again when the machine reopens a durable one.
    clock : the adapter's.
    prefix : makes the namespaces of this run its own.
    """

    def __init__(self, make_adapter: AdapterFactory, clock: ManualClock, prefix: str) -> None:
        super().__init__()
        self.make_adapter = make_adapter
        self.clock = clock
        self.spaces = (f"{prefix} *", f"{prefix} a")
        self.model = Oracle(clock)
        self.lanes = Lanes()
        self.adapter = make_adapter()
        self.lanes.run(self.adapter.open())

    def teardown(self) -> None:
        """Empty the namespaces and close."""
        for space in self.spaces:
            self.lanes.run(self.adapter.clear(space))
        self.lanes.run(self.adapter.aclose())
        self.lanes.close()

    def ids(self, picks: list[int], place: int) -> list[str]:
        """Turn positions into ids."""
        known = [*self.model.stored(self.spaces[place]), *IDS]
        return [known[pick] for pick in picks]

    @initialize(many=some_entries, place=spaces)
    def start_filled(self, many: list[MemoryEntry], place: int) -> None:
        """Begin with something stored, so that short runs tell something too."""
        self.put(many, place)

    @rule(many=some_entries, place=spaces)
    def put(self, many: list[MemoryEntry], place: int) -> None:
        """Write whole entries."""
        self.lanes.run(self.adapter.put_many(self.spaces[place], many))
        self.model.put(self.spaces[place], many)

    @rule(many=some_entries, place=spaces)
    def put_misfits(self, many: list[MemoryEntry], place: int) -> None:
        """Write entries of which the last does not fit: nothing may change."""
        fits = make_entry("fits", embedding=[1] * DIMS)
        misfit = make_entry("misfit", embedding=[1] * (DIMS + 1))
        with pytest.raises(EmbeddingMismatchError):
            self.lanes.run(self.adapter.put_many(self.spaces[place], [*many, fits, misfit]))

    @rule(picks=some_ids, place=spaces)
    def delete(self, picks: list[int], place: int) -> None:
        """Delete by id; entries that expired may be counted or not."""
        space, ids = self.spaces[place], self.ids(picks, place)
        live = len({entry.id for entry in self.model.select(space)}.intersection(ids))
        deleted = self.lanes.run(self.adapter.delete_many(space, ids))
        assert live <= deleted <= self.model.delete(space, ids)

    @rule(picks=some_ids, place=spaces, count=st.integers(1, 3), later=st.integers(0, 9))
    def touch(self, picks: list[int], place: int, count: int, later: int) -> None:
        """Add access statistics."""
        touches = [Touch(id, self.clock.now_us() + later, count) for id in self.ids(picks, place)]
        self.lanes.run(self.adapter.touch_many(self.spaces[place], touches))
        self.model.touch(self.spaces[place], touches)

    @rule(place=spaces)
    def clear(self, place: int) -> None:
        """Delete everything in one namespace."""
        self.lanes.run(self.adapter.clear(self.spaces[place]))
        self.model.clear(self.spaces[place])

    @rule(place=spaces, fingerprint=st.sampled_from((None, "one", "two")))
    def bind(self, place: int, fingerprint: str | None) -> None:
        """Record an embedder, or ask for it."""
        bound = self.lanes.run(self.adapter.bind_embedder(self.spaces[place], fingerprint))
        assert bound == self.model.bind(self.spaces[place], fingerprint)

    @rule(seconds=st.sampled_from((0.000001, 1.0, 86_400.0)))
    def advance(self, seconds: float) -> None:
        """Let time pass, where the backend follows our clock."""
        if not self.adapter.capabilities.native_ttl:
            self.clock.advance(seconds)

    @rule(place=spaces)
    def sweep(self, place: int) -> None:
        """Delete what the adapter says has expired."""
        space = self.spaces[place]
        listed = self.lanes.run(self.adapter.expired(space))
        assert sorted(listed) == (
            [] if self.adapter.capabilities.native_ttl else sorted(self.model.expired(space))
        )
        self.lanes.run(self.adapter.delete_many(space, listed))
        self.model.delete(space, listed)

    @rule()
    def come_back(self) -> None:
        """Close, and open again on the same data."""
        if self.adapter.capabilities.durable:
            self.lanes.run(self.adapter.aclose())
            self.adapter = self.make_adapter()
            self.lanes.run(self.adapter.open())

    @rule(picks=some_ids, place=spaces)
    def get(self, picks: list[int], place: int) -> None:
        """Read by id."""
        ids = self.ids(picks, place)
        found = self.lanes.run(self.adapter.get_many(self.spaces[place], ids))
        for id, entry in zip(ids, found, strict=True):
            wanted = self.model.get(self.spaces[place], id)
            if wanted is None:
                assert entry is None, f"{id!r} was deleted or has expired"
            else:
                assert_same(entry, wanted)

    @rule(node=filters(max_depth=2), query=vectors(), k=st.integers(1, 12), place=spaces)
    def find(self, node: FilterNode, query: Vector, k: int, place: int) -> None:
        """Search by vector."""
        true = self.model.similarities(self.spaces[place], node, query)
        hits = self.lanes.run(search(self.adapter, self.spaces[place], query, k=k, node=node))
        assert len(set(ids_of(hits))) == len(hits) == min(k, len(true))
        for hit, best in zip(hits, sorted(true.values(), reverse=True), strict=False):
            assert hit.similarity == pytest.approx(true[hit.entry.id], abs=TOLERANCE)
            assert hit.similarity == pytest.approx(best, abs=TOLERANCE)

    @rule(node=filters(max_depth=2), order_by=st.sampled_from(ORDERS), limit=st.integers(1, 5), place=spaces)
    def walk(self, node: FilterNode, order_by: OrderBy, limit: int, place: int) -> None:
        """Walk in order, and count."""
        self.same_walk(place, node, order_by, limit)
        found = self.lanes.run(count_exactly(self.adapter, self.spaces[place], node))
        assert found == len(self.model.select(self.spaces[place], node))

    def same_walk(self, place: int, node: FilterNode, order_by: OrderBy, limit: int) -> None:
        """Fail unless a walk shows the same entries as the model, in the same order."""
        wanted = self.model.ordered(self.spaces[place], node, order_by)
        found = self.lanes.run(
            scan_all(self.adapter, self.spaces[place], node, order_by=order_by, limit=limit)
        )
        assert [entry.id for entry in found] == [entry.id for entry in wanted]
        for mine, theirs in zip(found, wanted, strict=True):
            assert_same(mine, theirs)

    @invariant()
    def all_agrees(self) -> None:
        """Both namespaces hold what the model holds."""
        for place, space in enumerate(self.spaces):
            self.same_walk(place, EVERYTHING, "id", 100)
            assert self.lanes.run(self.adapter.count(space, EVERYTHING)) == len(self.model.select(space))

    @rule()
    def list_namespaces(self) -> None:
        """Namespaces with live entries are named; empty ones are not."""
        named = self.lanes.run(self.adapter.namespaces())
        for space in self.spaces:
            assert space in named or not self.model.select(space)
            assert space not in named or space in self.model.namespaces()
