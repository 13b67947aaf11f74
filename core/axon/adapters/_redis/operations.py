"""What a lane carries: operations as data, merged into few commands, and the answers taken apart again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from secrets import token_hex
from typing import Any, ClassVar, NamedTuple, TypeAlias

import msgspec

from axon.adapters._redis import scripts
from axon.adapters._redis.documents import namespace_field
from axon.adapters._redis.frames import joined
from axon.adapters._redis.keys import Space
from axon.engine.workers import in_worker

Command: TypeAlias = tuple[Any, ...]

Access: TypeAlias = tuple[int, int]
"""How often an entry was accessed, and when last in microseconds since 1970, 0 for never."""

Row: TypeAlias = tuple[bytes | None, Access | None]
"""The value of an entry, None where it is absent, and its access statistics, None where none were kept."""

INLINE_ROWS = 200
"""Entries encoded or decoded on the calling thread; some two milliseconds."""

MOST_KEYS = 500
"""Entries per command that reads; more gain nothing and hold up other clients of the server."""


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


def evaluate(script: bytes, space: Space, *arguments: Any) -> Command:
    """Build the command that runs a script.

    The whole script is sent, not its hash: a server that restarted would not know it, and would then carry out the
    rest of a pipeline without it.
    """
    return ("EVAL", script, len(space.fixed), *space.fixed, *arguments)


@dataclass(slots=True, eq=False)
class Put(Operation):
    """Write entries; the answer is a :class:`Changed`.

    Attributes
    ----------
    size : how many entries.
    encode : gives the rows and the number of words, see ``scripts.PUT``.
    documents : fill the search index.
    """

    size: int
    encode: Callable[[], tuple[list[bytes], int]]
    documents: bool
    encoded: tuple[list[bytes], int] = field(init=False)

    def __post_init__(self) -> None:
        if self.size <= INLINE_ROWS:
            self.encoded = self.encode()

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return self.size

    async def prepare(self) -> None:
        """Encode many entries in a worker thread."""
        if self.size > INLINE_ROWS:
            self.encoded = await in_worker(self.encode)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Put]) -> list[Command]:
        """Merge into one script call that keeps the calls apart."""
        head = (token_hex(8), space.entry_prefix, int(run[0].documents), *space.documents)
        rows = joined([part for put in run for part in put.encoded[0]])
        words = sum(put.encoded[1] for put in run)
        return [
            evaluate(scripts.PUT, space, *head, _sizes(run), rows, namespace_field(space.namespace), words)
        ]

    @classmethod
    def answers(cls, run: Sequence[Put], replies: list[Any]) -> Iterator[Changed]:
        """Give each call its numbers."""
        epoch, first, *misfits = replies[0]
        refused = {misfits[at]: tuple(misfits[at + 1 : at + 4]) for at in range(0, len(misfits), 4)}
        for call, put in enumerate(run, 1):
            misfit = refused.get(call) if refused else None
            size = 0 if misfit else put.size
            yield Changed(epoch, first, first + size - 1, 0, misfit)
            first += size


@dataclass(slots=True, eq=False)
class Delete(Operation):
    """Delete entries; the answer is a :class:`Changed`."""

    ids: list[bytes]

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return len(self.ids)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Delete]) -> list[Command]:
        """Merge into one script call that keeps the calls apart."""
        ids = joined([id for delete in run for id in delete.ids])
        return [evaluate(scripts.DELETE, space, space.entry_prefix, *space.documents, _sizes(run), ids)]

    @classmethod
    def answers(cls, run: Sequence[Delete], replies: list[Any]) -> Iterator[Changed]:
        """Give each call its numbers."""
        epoch, told = replies[0]
        numbers = map(int, told.split())
        return (Changed(epoch, *each) for each in zip(numbers, numbers, numbers, strict=True))


def _sizes(run: Sequence[Operation]) -> bytes:
    return msgspec.msgpack.encode([each.weight for each in run])


@dataclass(slots=True, eq=False)
class Touch(Operation):
    """Add access statistics; the answer is a :class:`Changed` that covers all calls merged with it."""

    arguments: list[bytes]
    repeatable = False

    @classmethod
    def commands(cls, space: Space, run: Sequence[Touch]) -> list[Command]:
        """Join the arguments."""
        return [evaluate(scripts.TOUCH, space, *[each for touch in run for each in touch.arguments])]

    @classmethod
    def answers(cls, run: Sequence[Touch], replies: list[Any]) -> Iterator[Changed]:
        """Give each call the share of the numbers that is its own; only a lone call can tell which that is."""
        epoch, first, last = replies[0]
        return (Changed(epoch, first, last if len(run) == 1 else first - 1) for _ in run)


@dataclass(slots=True, eq=False)
class Get(Operation):
    """Read values; the answer is a list of :data:`Row`."""

    ids: list[bytes]

    @property
    def weight(self) -> int:
        """Entries it carries."""
        return len(self.ids)

    @classmethod
    def commands(cls, space: Space, run: Sequence[Get]) -> list[Command]:
        """Ask for the values and statistics of all."""
        return read_commands(space, [id for get in run for id in get.ids])

    @classmethod
    def answers(cls, run: Sequence[Get], replies: list[Any]) -> Iterator[list[Row]]:
        """Give each call its rows."""
        rows = read_replies(replies)
        if len(rows) == len(run):
            return ([row] for row in rows)
        ends = accumulate(len(get.ids) for get in run)
        return (rows[end - len(get.ids) : end] for get, end in zip(run, ends, strict=True))


def read_commands(space: Space, ids: Sequence[bytes]) -> list[Command]:
    """Build the commands that read values and access statistics.

    The values come as the server's own list: joining them in a script would take it ten times as long.
    """
    portions = [ids[start : start + MOST_KEYS] for start in range(0, len(ids), MOST_KEYS)]
    values: list[Command] = [("MGET", *space.entries(portion)) for portion in portions]
    return [*values, evaluate(scripts.ACCESS, space, joined(ids))] if ids else []


def read_replies(replies: Sequence[Any]) -> list[Row]:
    """Read the replies to :func:`read_commands`: value and statistics of each id, None where missing."""
    if not replies:
        return []
    rows: list[Row] = [(value, None) for portion in replies[:-1] for value in portion]
    words = map(int, replies[-1].split())
    for place, count, at_us in zip(words, words, words, strict=True):
        rows[place] = (rows[place][0], (count, at_us))
    return rows


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
        return [evaluate(each.script, space, *each.arguments) for each in run]

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
