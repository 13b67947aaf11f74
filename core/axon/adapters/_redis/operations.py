"""What a lane carries: operations as data, merged into few commands, and the answers taken apart again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, ClassVar, NamedTuple, TypeAlias

from axon.adapters._redis import scripts
from axon.adapters._redis.keys import Space
from axon.engine.workers import in_worker

Command: TypeAlias = tuple[Any, ...]

INLINE_ROWS = 200
"""Entries encoded or decoded on the calling thread; some two milliseconds."""

MOST_KEYS = 500
"""Keys per command that reads; more gain nothing and hold up other clients of the server."""


class Changed(NamedTuple):
    """What a write came to.

    Attributes
    ----------
    epoch : of the namespace; empty where it does not exist.
    first, last : numbers of the changes; last < first for none.
    deleted : how many entries were there.
    misfit : (dims held, dims given, position) where nothing was written because vectors do not fit.
    """

    epoch: bytes
    first: int
    last: int
    deleted: int = 0
    misfit: tuple[int, int, int] | None = None


class Version(NamedTuple):
    """The state of a namespace on the server: its epoch (empty: it does not exist) and its last change."""

    epoch: bytes
    seq: int


@dataclass(slots=True, eq=False)
class Operation(ABC):
    """One call of the adapter.

    Attributes
    ----------
    space : whose keys it works on.
    done : set to the answer.
    """

    space: Space
    done: asyncio.Future[Any] = field(init=False)

    repeatable: ClassVar[bool] = True
    """Whether doing it twice is as good as doing it once, so that it may be tried again."""

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return 1

    async def prepare(self) -> None:
        """Do what takes long and needs no connection; called before :meth:`commands`, in the operation's turn."""
        return

    @classmethod
    @abstractmethod
    def commands(cls, space: Space, run: Sequence[Any]) -> list[Command]:
        """Merge neighbours of one kind in one namespace into commands."""

    @classmethod
    def tolerates(cls, error: Exception) -> bool:
        """Tell whether :meth:`answers` can deal with an error among its replies."""
        return False

    @classmethod
    @abstractmethod
    def answers(cls, run: Sequence[Any], replies: list[Any]) -> Iterator[Any]:
        """Take the replies to :meth:`commands` apart, one answer per operation."""


def evaluate(script: bytes, space: Space, keys: Sequence[bytes], *arguments: Any) -> Command:
    """Build the command that runs a script.

    The whole script is sent, not its hash: a server that restarted would not know it, and would then carry out the
    rest of a pipeline without it.
    """
    return ("EVAL", script, 6 + len(keys), *space.fixed, *keys, *arguments)


@dataclass(slots=True, eq=False)
class Put(Operation):
    """Write entries; the answer is a :class:`Changed`.

    Attributes
    ----------
    keys : of the entries.
    encode : gives value, mark and, with documents, document of each entry, see ``scripts.PUT``.
    documents : fill the search index.
    epoch : for a namespace that does not exist.
    """

    keys: list[bytes]
    encode: Callable[[], list[bytes]]
    epoch: bytes
    documents: bool
    arguments: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        if self.weight <= INLINE_ROWS:
            self.arguments = self.encode()

    async def prepare(self) -> None:
        """Encode many entries in a worker thread."""
        if self.weight > INLINE_ROWS:
            self.arguments = await in_worker(self.encode)

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return len(self.keys)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Put]) -> list[Command]:
        """Merge into one script call that keeps the calls apart."""
        sizes = [len(put.keys) for put in run]
        keys = [key for put in run for key in put.keys]
        values = [value for put in run for value in put.arguments]
        flag = int(run[0].documents)
        head = (run[0].epoch, len(space.entry_prefix), flag, *space.documents, len(run))
        return [evaluate(scripts.PUT, space, keys, *head, *sizes, *values)]

    @classmethod
    def answers(cls, run: Sequence[Put], replies: list[Any]) -> Iterator[Changed]:
        """Give each call its numbers."""
        epoch, *groups = replies[0]
        for first, last, *misfit in groups:
            yield (
                Changed(epoch, 0, -1, 0, (last, misfit[0], misfit[1]))
                if misfit
                else Changed(epoch, first, last)
            )


@dataclass(slots=True, eq=False)
class Delete(Operation):
    """Delete entries; the answer is a :class:`Changed`."""

    keys: list[bytes]

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return len(self.keys)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Delete]) -> list[Command]:
        """Merge into one script call that keeps the calls apart."""
        sizes = [len(delete.keys) for delete in run]
        keys = [key for delete in run for key in delete.keys]
        head = (len(space.entry_prefix), *space.documents, len(run))
        return [evaluate(scripts.DELETE, space, keys, *head, *sizes)]

    @classmethod
    def answers(cls, run: Sequence[Delete], replies: list[Any]) -> Iterator[Changed]:
        """Give each call its numbers."""
        epoch, *groups = replies[0]
        return (Changed(epoch, first, last, count) for first, last, count in groups)


@dataclass(slots=True, eq=False)
class Touch(Operation):
    """Add access statistics; the answer is a :class:`Changed` that covers all calls merged with it."""

    arguments: list[bytes]
    repeatable = False

    @classmethod
    def commands(cls, space: Space, run: Sequence[Touch]) -> list[Command]:
        """Join the arguments."""
        return [evaluate(scripts.TOUCH, space, (), *[each for touch in run for each in touch.arguments])]

    @classmethod
    def answers(cls, run: Sequence[Touch], replies: list[Any]) -> Iterator[Changed]:
        """Give each call the share of the numbers that is its own; only a lone call can tell which that is."""
        epoch, first, last = replies[0]
        return (Changed(epoch, first, last if len(run) == 1 else first - 1) for _ in run)


@dataclass(slots=True, eq=False)
class Get(Operation):
    """Read values; the answer is a list of (value or None, access statistics or None)."""

    ids: list[bytes]

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return len(self.ids)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Get]) -> list[Command]:
        """Ask for all values, then for all statistics, in portions."""
        return read_commands(space, [id for get in run for id in get.ids])

    @classmethod
    def answers(cls, run: Sequence[Get], replies: list[Any]) -> Iterator[list[tuple[Any, Any]]]:
        """Give each call its rows."""
        values, accesses = read_replies(replies)
        start = 0
        for get in run:
            stop = start + len(get.ids)
            yield list(zip(values[start:stop], accesses[start:stop], strict=True))
            start = stop


def read_commands(space: Space, ids: Sequence[bytes]) -> list[Command]:
    """Build the commands that read values and access statistics, in portions."""
    portions = [ids[start : start + MOST_KEYS] for start in range(0, len(ids), MOST_KEYS)]
    values: list[Command] = [("MGET", *space.entries(portion)) for portion in portions]
    return values + [evaluate(scripts.ACCESS, space, (), *portion) for portion in portions]


def read_replies(replies: Sequence[Any]) -> tuple[list[bytes | None], list[bytes | None]]:
    """Join the replies to :func:`read_commands`: the value and the statistics of each id, None where missing."""
    half = len(replies) // 2
    values: list[bytes | None] = []
    accesses: list[bytes | None] = []
    for portion, found in zip(replies[:half], replies[half:], strict=True):
        values += portion
        start = len(accesses)
        accesses += [None] * len(portion)
        for place, stats in zip(found[::2], found[1::2], strict=True):
            accesses[start + place] = stats
    return values, accesses


@dataclass(slots=True, eq=False)
class AskVersion(Operation):
    """Read the :class:`Version`; all calls of one moment share one answer."""

    @classmethod
    def commands(cls, space: Space, run: Sequence[AskVersion]) -> list[Command]:
        """Ask once for all."""
        return [("HMGET", space.meta, "epoch", "seq")]

    @classmethod
    def answers(cls, run: Sequence[AskVersion], replies: list[Any]) -> Iterator[Version]:
        """Give all the same."""
        epoch, seq = replies[0]
        return (Version(epoch or b"", int(seq or 0)) for _ in run)


@dataclass(slots=True, eq=False)
class Evaluate(Operation):
    """Run a script that is worth no merging; the answer is its reply."""

    script: bytes
    arguments: tuple[Any, ...] = ()

    @classmethod
    def commands(cls, space: Space, run: Sequence[Evaluate]) -> list[Command]:
        """Leave each its own."""
        return [evaluate(each.script, space, (), *each.arguments) for each in run]

    @classmethod
    def answers(cls, run: Sequence[Evaluate], replies: list[Any]) -> Iterator[Any]:
        """Give each its reply."""
        return iter(replies)


@dataclass(slots=True, eq=False)
class Plain(Operation):
    """One command of the server's own; the answer is its reply."""

    command: Command

    @classmethod
    def commands(cls, space: Space, run: Sequence[Plain]) -> list[Command]:
        """Leave each its own."""
        return [each.command for each in run]

    @classmethod
    def answers(cls, run: Sequence[Plain], replies: list[Any]) -> Iterator[Any]:
        """Give each its reply."""
        return iter(replies)


class Run(NamedTuple):
    """Operations of one kind in one namespace that stood next to each other, and their commands."""

    operations: list[Operation]
    commands: list[Command]


def plan(operations: Sequence[Operation]) -> list[Run]:
    """Merge operations. Those of one namespace keep their order; namespaces do not see each other."""
    by_space: dict[str, list[Operation]] = {}
    for operation in operations:
        by_space.setdefault(operation.space.namespace, []).append(operation)
    runs = []
    for group in by_space.values():
        for _, neighbours in groupby(group, type):
            run = list(neighbours)
            kind = type(run[0])
            runs.append(Run(run, kind.commands(run[0].space, run)))
    return runs
