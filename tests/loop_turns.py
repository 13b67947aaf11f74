"""How often the event loop turns while something runs: what holds the loop lets it turn once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Turns since the count began."""

    def __init__(self) -> None:
        self.count = 0

    async def go_on(self) -> None:
        while True:
            self.count += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def counted_turns() -> AsyncIterator[Turns]:
    turns = Turns()
    counting = asyncio.ensure_future(turns.go_on())
    try:
        yield turns
    finally:
        counting.cancel()
