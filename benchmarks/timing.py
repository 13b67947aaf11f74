"""Interleaved rounds and medians of CPU time."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Contestant:
    """One way of doing something.

    Attributes
    ----------
    name : unique within one comparison.
    run : does ``operations`` operations; only this is timed.
    operations : >= 1, so that times are per operation.
    prepare : makes what ``run`` is given, untimed and fresh for every round; None gives it None.
    clock : ``time.process_time`` for work, ``time.perf_counter`` for waiting; seconds.
    """

    name: str
    run: Callable[..., Awaitable[object]]
    operations: int = 1
    prepare: Callable[[], Awaitable[object]] | None = None
    clock: Callable[[], float] = time.process_time


async def interleave(contestants: Sequence[Contestant], rounds: int) -> dict[str, float]:
    """Let the contestants take turns (A, B, A, B, ...) and return each one's median, in seconds per operation.

    One round more than ``rounds`` is run; the first warms up and does not count.
    """
    times: dict[str, list[float]] = {each.name: [] for each in contestants}
    for round_number in range(rounds + 1):
        for each in contestants:
            subject = None if each.prepare is None else await each.prepare()
            # What earlier rounds left behind must not be collected on this one's account.
            gc.collect()
            started = each.clock()
            await (each.run() if each.prepare is None else each.run(subject))
            elapsed = each.clock() - started
            if round_number:
                times[each.name].append(elapsed / each.operations)
            del subject
    return {name: statistics.median(values) for name, values in times.items()}
