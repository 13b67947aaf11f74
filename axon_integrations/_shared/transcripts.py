"""Conversations in a compartment of a memory: messages in order, each with a status, whatever they look like."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

from axon.core.clock import SystemClock
from axon.core.compartments import compartment
from axon.core.exclusive import exclusive
from axon.core.filter import Filter
from axon.core.ids import new_id
from axon.core.memory_system import MemorySystem
from axon.core.models import HIDDEN_PREFIX, MemoryEntry, MemoryInput
from axon.core.validation import check_ttl
from axon_integrations._shared.ordering import OrderSource
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import session_tier, single_tier

MESSAGE_KEY: Final = f"{HIDDEN_PREFIX}message"
ORDER_KEY: Final = f"{HIDDEN_PREFIX}order"
STATUS_KEY: Final = f"{HIDDEN_PREFIX}status"

_ARRIVALS = OrderSource()


class Line(NamedTuple):
    """One message to be kept.

    Attributes
    ----------
    code : the message itself, in whatever form its framework reads back.
    text : its words, not blank; what it is recalled by.
    key : what the message is known by in its conversation; None for a message that is kept each time.
    """

    code: str
    text: str
    key: str | None = None


class Transcripts:
    """The conversations of one namespace, by name.

    The messages of one conversation expire together: :meth:`append` and :meth:`relabel` renew all, so that a tool's
    answer cannot outlive the call that it answers. Messages are not embedded.

    Parameters
    ----------
    memory : never closed here.
    kind : of the compartment; one for each form of message.
    namespace : of the memory, such as the user; None for the memory's own.
    tier : where messages go; None for the session tier, else the next more durable one.
    ttl : seconds after which a conversation is gone if nothing is added, > 0; None takes the tier's policy.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError
        For an empty namespace, a tier that is not configured, or a ``ttl`` that is not above 0.
    """

    def __init__(
        self,
        memory: MemorySystem,
        kind: str,
        *,
        namespace: str | None = None,
        tier: str | None = None,
        ttl: float | None = None,
    ) -> None:
        owner = owner_of(memory, namespace)
        self.memory = memory.scope(compartment(owner.namespace, kind))
        self.tier = session_tier(memory) if tier is None else single_tier(tier, memory)
        self._ttl = check_ttl(ttl)
        policy = getattr(memory.config, self.tier)
        self._expires = ttl is not None or policy.ttl_seconds is not None

    def turn(self, name: str) -> AbstractAsyncContextManager[None]:
        """Keep others of this process from changing a conversation inside an ``async with`` block."""
        return exclusive(self.memory, name)

    async def read(self, name: str, status: str | None = None) -> list[MemoryEntry]:
        """Read the messages of a conversation, oldest first; those of one status, or all."""
        found = [entry async for entry in self.memory.scan(filter=_of(name, status))]
        return sorted(found, key=_order)

    def lay_out(
        self, name: str, lines: Sequence[Line], status: str | None, known: Sequence[MemoryEntry]
    ) -> dict[str, MemoryInput]:
        """Write lines as entries that come after ``known``, which is in order; of equal ids the first stays."""
        last = _order(known[-1])[0] if known else 0
        orders = _ARRIVALS.take(len(lines), max(last + 1, SystemClock().now_us()))
        inputs: dict[str, MemoryInput] = {}
        for line, order in zip(lines, orders, strict=True):
            id = new_id() if line.key is None else f"{len(name)}:{name}:{line.key}"
            metadata = {MESSAGE_KEY: line.code, ORDER_KEY: order}
            if status is not None:
                metadata[STATUS_KEY] = status
            inputs.setdefault(id, MemoryInput(text=line.text, id=id, metadata=metadata, ttl=self._ttl))
        return inputs

    async def keep(self, name: str, inputs: Sequence[MemoryInput]) -> None:
        """Write entries of a conversation, all or none."""
        if inputs:
            await self.memory.bulk_store(
                inputs, tier=self.tier, session_id=name, embed=False, batch_size=len(inputs)
            )

    async def count(self, name: str, status: str | None = None) -> int:
        """Count the messages of a conversation."""
        return await self.memory.count(filter=_of(name, status))

    async def append(self, name: str, lines: Sequence[Line], status: str) -> None:
        """Add messages at the end; call it inside :meth:`turn`."""
        # Where nothing is to be renewed, the messages of this status are the last ones, and far fewer.
        known = await self.read(name, None if self._expires else status) or await self.read(name)
        renewed = [self._again(entry) for entry in known] if self._expires else []
        await self.keep(name, [*renewed, *self.lay_out(name, lines, status, known).values()])

    async def relabel(self, name: str, entries: Sequence[MemoryEntry], status: str) -> None:
        """Give messages another status, all in one write; call it inside :meth:`turn`."""
        if not entries:
            return
        chosen = {entry.id for entry in entries}
        written = await self.read(name) if self._expires else entries
        await self.keep(
            name, [self._again(entry, status if entry.id in chosen else None) for entry in written]
        )

    async def replace(self, name: str, lines: Sequence[Line], status: str) -> None:
        """Put messages in place of all there are; call it inside :meth:`turn`.

        The new ones are written before the old ones go: whoever stops in between finds too much, never nothing.
        """
        old = await self.read(name)
        await self.append(name, lines, status)
        await self.remove(old)

    async def remove(self, entries: Iterable[MemoryEntry]) -> None:
        """Delete messages."""
        await self.memory.delete_many([entry.id for entry in entries])

    async def clear(self, name: str, status: str | None = None) -> None:
        """Delete the messages of a conversation; those of one status, or all."""
        await self.memory.forget(filter=_of(name, status))

    async def names(self) -> list[str]:
        """Names of the conversations that hold messages, sorted."""
        return sorted({entry.session_id or "" async for entry in self.memory.scan()})

    def _again(self, entry: MemoryEntry, status: str | None = None) -> MemoryInput:
        metadata = dict(entry.record.metadata)
        if status is not None:
            metadata[STATUS_KEY] = status
        return MemoryInput(text=entry.text, id=entry.id, metadata=metadata, ttl=self._ttl)


def _of(name: str, status: str | None) -> Filter:
    return Filter(session_id=name, metadata=None if status is None else {STATUS_KEY: status})


def _order(entry: MemoryEntry) -> tuple[int, str]:
    order = entry.record.metadata.get(ORDER_KEY)
    return (order if isinstance(order, int) else entry.record.created_us, entry.record.id)
