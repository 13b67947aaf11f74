"""Long work in small steps, so that the event loop stays free for others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

_STEP = 128
"""Calls between two chances for other tasks to run; a few milliseconds at most."""


async def in_turns(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Call a function on each item, in order, letting other tasks run now and then."""
    results: list[T] = []
    for item in items:
        results.append(function(item))
        if len(results) % _STEP == 0:
            await asyncio.sleep(0)
    return results
