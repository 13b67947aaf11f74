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
    """

    code: str
    text: str


class Transcripts:
    """The conversations of one namespace, by name.

    The messages of one conversation expire together: adding to it renews all, so that a tool's answer cannot outlive
    the call that it answers. They are not embedded.

    Parameters
    ----------
    memory : never closed here.
    kind : of the compartment; one for each form of message.
    namespace : of the memory, such as the user; None for the memory's own.
    tier : where messages go; None for the session tier, else the next more durable one.
    ttl : seconds after which a conversation is gone if nothing is added, > 0; None takes the tier's policy.

    Raises
    ------
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
        owner = memory if namespace is None else memory.scope(namespace)
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

    async def count(self, name: str, status: str | None = None) -> int:
        """Count the messages of a conversation."""
        return await self.memory.count(filter=_of(name, status))

    async def append(self, name: str, lines: Sequence[Line], status: str) -> None:
        """Add messages at the end; call it inside :meth:`turn`."""
        known = await self.read(name) if self._expires else []
        last = _order(known[-1])[0] if known else 0
        inputs = [self._again(entry) for entry in known]
        orders = _ARRIVALS.take(len(lines), max(last + 1, SystemClock().now_us()))
        for line, order in zip(lines, orders, strict=True):
            metadata = {MESSAGE_KEY: line.code, ORDER_KEY: order, STATUS_KEY: status}
            inputs.append(MemoryInput(text=line.text, id=new_id(), metadata=metadata, ttl=self._ttl))
        await self._store(name, inputs)

    async def relabel(self, name: str, entries: Sequence[MemoryEntry], status: str) -> None:
        """Give messages another status, all in one write; call it inside :meth:`turn`."""
        await self._store(name, [self._again(entry, status) for entry in entries])

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

    async def _store(self, name: str, inputs: Sequence[MemoryInput]) -> None:
        if inputs:
            await self.memory.bulk_store(
                inputs, tier=self.tier, session_id=name, embed=False, batch_size=len(inputs)
            )

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
