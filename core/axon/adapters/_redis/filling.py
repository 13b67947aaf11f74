"""Giving the search index what was written without it: by a client without the module, or before there was one."""

from __future__ import annotations

from collections.abc import Callable

from axon.adapters._redis import scripts
from axon.adapters._redis.documents import document, namespace_field
from axon.adapters._redis.frames import joined
from axon.adapters._redis.keys import Space
from axon.adapters._redis.operations import MOST_KEYS, Row, evaluate, read_commands, read_replies
from axon.adapters._redis.packing import unpack_page
from axon.adapters._redis.session import Session
from axon.core.errors import AdapterError
from axon.engine.workers import in_worker


async def fill(session: Session, space: Space, faults: dict[str, AdapterError]) -> None:
    """Write the missing documents of a namespace, in the order of its changes.

    What others write meanwhile is left alone: with a document of its own it needs none, without one it has a later
    number, and the next search comes here again.

    Parameters
    ----------
    session : of the running loop.
    space : the namespace.
    faults : takes the entries that cannot be decoded, by id; no search finds them.
    """
    while True:
        asking = ("HMGET", space.meta, "epoch", "seq", "plain", "filled")
        epoch, seq, plain, filled = await session.ask(*asking)
        start, needed = int(filled or 0), int(plain or 0)
        if start >= needed:
            return
        listed = await session.ask(
            "ZRANGEBYSCORE", space.index, f"({start}", "+inf", "WITHSCORES", "LIMIT", 0, MOST_KEYS
        )
        ids, numbers = listed[::2], listed[1::2]
        reached = int(numbers[-1]) if len(ids) == MOST_KEYS else int(seq)
        rows = read_replies(await session.ask_all(read_commands(space, ids))) if ids else []
        documents, words = await in_worker(_documents(space, ids, numbers, rows, faults))
        field = namespace_field(space.namespace)
        head = (epoch, reached, space.entry_prefix, *space.documents)
        if not await session.ask(*evaluate(scripts.FILL, space, *head, joined(documents), field, words)):
            return


def _documents(
    space: Space, ids: list[bytes], numbers: list[bytes], rows: list[Row], faults: dict[str, AdapterError]
) -> Callable[[], tuple[list[bytes], int]]:
    def build() -> tuple[list[bytes], int]:
        entries, found = unpack_page([id.decode() for id in ids], rows)
        faults.update(found)
        number_of = dict(zip(ids, numbers, strict=True))
        parts: list[bytes] = []
        total = 0
        for entry in entries:
            id = entry.record.id.encode()
            values, words = document(entry, space.namespace)
            parts += (id, number_of[id], b"%d" % (entry.dims or 0), *values)
            total += words
        return parts, total

    return build
