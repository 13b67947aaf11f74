"""Reading from the server what a replica lacks."""

from __future__ import annotations

from typing import Any

from axon.adapters._redis import scripts
from axon.adapters._redis.keys import Space
from axon.adapters._redis.operations import MOST_KEYS, Version, evaluate, read_commands, read_replies
from axon.adapters._redis.packing import read_access
from axon.adapters._redis.replica import PageOfChanges, Position, Replica, Touched, Written
from axon.adapters._redis.session import Session
from axon.engine.workers import in_worker

_INLINE_ROWS = 50
"""Rows decoded on the calling thread; about a millisecond."""


async def catch_up(session: Session, space: Space, replica: Replica, version: Version) -> None:
    """Read pages until the replica has everything up to ``version``.

    The pages do not wait in the lanes: they may be large, and what they show is numbered.

    Raises
    ------
    AdapterError
        If the server cannot be read.
    """
    at = replica.start_reading(version)
    try:
        while replica.current(version) is None:
            page = await _ask_changes(session, space, at)
            if page.epoch != at.epoch or page.floor > at.marks:
                version = Version(page.epoch, page.seq)
                at = replica.anew(version)
                if not page.epoch:
                    return
                continue
            written, touched = await _read(session, space, page)
            if len(written.ids) > _INLINE_ROWS:
                reached = await in_worker(_applying(replica, at, page, written, touched))
            else:
                reached = replica.apply(at, page, written, touched)
            if reached is None:
                return
            at = reached
    finally:
        replica.stop_reading()


def _applying(replica: Replica, at: Position, page: PageOfChanges, written: Written, touched: Touched) -> Any:
    return lambda: replica.apply(at, page, written, touched)


async def _ask_changes(session: Session, space: Space, at: Position) -> PageOfChanges:
    command = evaluate(scripts.CHANGES, space, at.seen, at.marks, MOST_KEYS)
    epoch, seq, floor, listed, gone, touched = await session.ask(*command)
    ids = listed[::2]
    more = len(ids) == MOST_KEYS
    return PageOfChanges(epoch, seq, floor, ids, int(listed[-1]) if more else seq, more, gone, touched)


async def _read(session: Session, space: Space, page: PageOfChanges) -> tuple[Written, Touched]:
    """Read the values of a page. They may be newer than the page; what made them so is numbered behind it."""
    commands = read_commands(space, page.ids)
    counting = [
        ("HMGET", space.access, *page.touched[start : start + MOST_KEYS])
        for start in range(0, len(page.touched), MOST_KEYS)
    ]
    replies = await session.ask_all([*commands, *counting]) if commands or counting else []
    written = read_replies(replies[: len(commands)])
    counts = [stats and read_access(stats) for reply in replies[len(commands) :] for stats in reply]
    return Written(page.ids, written), Touched(page.touched, counts)
