"""Operations that never wait still let the others of their loop run; counted in turns of a ticker, not in time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter_ns

import numpy as np
import pytest

from axon import MemorySystem
from axon.core import turns
from axon.core.turns import TurnBudget


class Ticker:
    """Counts how often the loop comes round."""

    def __init__(self) -> None:
        self.turns = 0

    @contextmanager
    def running(self) -> Iterator[Ticker]:
        task = asyncio.ensure_future(self._tick())
        try:
            yield self
        finally:
            task.cancel()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turns += 1


def use_up_the_turn() -> None:
    started = perf_counter_ns()
    while perf_counter_ns() - started <= turns._BUDGET_NS:
        pass


async def test_calls_that_take_a_whole_turn_each_run_in_turns_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "_WOKEN_PER_TURN", 4)
    budget = TurnBudget()
    order: list[int] = []

    async def call(number: int) -> None:
        if budget.spent():
            await budget.give_way()
        use_up_the_turn()
        order.append(number)

    with Ticker().running() as ticker:
        await asyncio.gather(*(call(number) for number in range(30)))
    assert ticker.turns >= 29
    assert order == list(range(30)), "those who wait are served in order of arrival"


async def test_gathered_calls_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_BUDGET_NS", 0)
    vector = np.ones(8, np.float32)
    async with MemorySystem() as memory:
        with Ticker().running() as ticker:
            await asyncio.gather(*(memory.store("a text", embedding=vector) for _ in range(50)))
            stored = ticker.turns
            await asyncio.gather(*(memory.recall(vector, mode="vector") for _ in range(50)))
        assert stored >= 49
        assert ticker.turns - stored >= 49
        assert await memory.count() == 50


async def test_bulk_store_gives_way_while_it_checks_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "_BUDGET_NS", 0)
    async with MemorySystem() as memory:
        with Ticker().running() as ticker:
            await memory.bulk_store(
                [f"text {n}" for n in range(320)], embeddings=np.ones((320, 8), np.float32)
            )
        assert ticker.turns >= 320 // 16 - 1


def test_two_loops_of_one_thread_do_not_keep_each_other_waiting() -> None:
    budget = TurnBudget()

    async def call() -> None:
        budget.spent()
        use_up_the_turn()
        if budget.spent():
            await budget.give_way()

    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    waiting = first.create_task(call())
    # One turn: the call now waits for its next one, which the first loop does not get before the second has run.
    first.call_soon(first.stop)
    first.run_forever()
    assert not waiting.done()
    second.run_until_complete(call())
    second.close()
    first.run_until_complete(asyncio.wait_for(waiting, 10))
    first.close()
