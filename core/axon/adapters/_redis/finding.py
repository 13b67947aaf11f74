"""Searching by a vector: the search module compares, and what it finds is read in the same step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

from axon.adapters._redis.frames import parted
from axon.adapters._redis.keys import Space
from axon.adapters._redis.operations import Command, Operation, Row
from axon.adapters._redis.packing import read_access
from axon.core.errors import AdapterError


class Answer(NamedTuple):
    """What a script that searches came to.

    Attributes
    ----------
    dims : numbers per vector in the namespace, 0 where it has none.
    whole : the index holds every entry of the namespace.
    found : what was looked for; or the error that the server answered. Worth nothing where ``dims`` is not what the
        index is for, or where the index is not whole.
    """

    dims: int
    whole: bool
    found: Any

    @staticmethod
    def tolerates(error: Exception) -> bool:
        """Tell whether the script or the index is missing: both can be made."""
        return isinstance(error, NoScriptError) or "index" in str(error).lower()


def answer_of(reply: Any, read: Callable[[Sequence[Any]], Any]) -> Answer:
    """Read the reply of a script that searches."""
    if isinstance(reply, Exception):
        return Answer(0, False, AdapterError(f"the search module answered: {reply}"))
    dims, whole, *told = reply
    return Answer(int(dims), bool(whole), read(told))


class Near(NamedTuple):
    """An entry found by its vector: its id, its cosine in [-1, 1], and what is stored of it."""

    id: str
    cosine: float
    row: Row


@dataclass(slots=True, eq=False)
class Find(Operation):
    """Search an index and read what is found; the answer is an :class:`Answer` of a list of :class:`Near`.

    Attributes
    ----------
    sha : of the script.
    dims : which the index is for.
    query : what ``FT.SEARCH`` takes behind the name of the index.
    """

    sha: str
    dims: int
    query: Command

    @classmethod
    def commands(cls, space: Space, run: Sequence[Find]) -> list[Command]:
        """Leave each its own."""
        commands: list[Command] = []
        for each in run:
            arguments = (each.dims, len(space.document(each.dims)), space.entry_prefix, *each.query)
            commands.append(("EVALSHA", each.sha, len(space.fixed), *space.fixed, *arguments))
        return commands

    @classmethod
    def tolerates(cls, error: Exception) -> bool:
        """Hand on that the script or the index is missing: both can be made."""
        return Answer.tolerates(error)

    @classmethod
    def answers(cls, run: Sequence[Find], replies: list[Any]) -> Iterator[Answer]:
        """Give each search its hits."""
        return (answer_of(reply, _near) for reply in replies)


def _near(told: Sequence[Any]) -> list[Near]:
    distances, packed = told
    rows = parted(packed) if packed else []
    cosines = (max(-1.0, min(1.0, 1.0 - float(each))) for each in distances.split())
    found = zip(rows[::3], cosines, rows[1::3], rows[2::3], strict=True)
    return [
        Near(id.decode(), cosine, (value or None, read_access(stats) if stats else None))
        for id, cosine, value, stats in found
    ]
