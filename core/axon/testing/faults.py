"""Faults on demand: a wrapper around any adapter that fails, hangs or cancels at a chosen call.

A fault *before* the wrapped call leaves the backend as it was; one *after* it stands for the answer that got
lost: the call took effect, and the caller never learns. Between them they stand for a crash at every step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from axon.core.errors import AdapterError
from axon.core.filter.ast import FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, TextStatistics, Touch
from axon.core.ports import AdapterStats, Capabilities, OrderBy, StorageAdapter

T = TypeVar("T")


class InjectedFault(AdapterError):
    """The error that a :class:`Fault` raises."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and when.

    Attributes
    ----------
    nth : which of the matching calls fails, counted from 1.
    operation : name of a port method; None counts the calls of all of them.
    when : ``before`` the wrapped call, or ``after`` it took effect.
    action : ``raise`` an :class:`InjectedFault`, ``cancel`` the caller, or ``delay`` it.
    turns : turns of the event loop that ``delay`` waits, >= 1.
    """

    nth: int
    operation: str | None = None
    when: Literal["before", "after"] = "before"
    action: Literal["raise", "cancel", "delay"] = "raise"
    turns: int = 20


@dataclass
class FaultPlan:
    """Shared by the adapters of one test, so that calls are counted over all of them.

    Attributes
    ----------
    fault : what goes wrong; None lets everything through.
    calls : every call so far, as (adapter name, operation).
    struck : set when the fault happens, before it has any effect on the caller.
    """

    fault: Fault | None = None
    calls: list[tuple[str, str]] = field(default_factory=list)
    struck: asyncio.Event = field(default_factory=asyncio.Event)

    def arm(self, fault: Fault | None) -> None:
        """Count from here, and let ``fault`` happen."""
        self.fault = fault
        self.calls = []
        self.struck = asyncio.Event()

    async def run(self, name: str, operation: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make one call, with the fault if its turn has come."""
        self.calls.append((name, operation))
        fault = self.fault
        if fault is None or not self._is_due(fault, operation):
            return await call()
        if fault.when == "before":
            await self._strike(fault, name, operation)
            return await call()
        answer = await call()
        await self._strike(fault, name, operation)
        return answer

    def _is_due(self, fault: Fault, operation: str) -> bool:
        if fault.operation not in (None, operation):
            return False
        matching = [made for _, made in self.calls if fault.operation in (None, made)]
        return len(matching) == fault.nth

    async def _strike(self, fault: Fault, name: str, operation: str) -> None:
        self.struck.set()
        if fault.action == "raise":
            raise InjectedFault(f"injected {fault.when} {operation} of {name}")
        if fault.action == "cancel":
            raise asyncio.CancelledError(f"injected {fault.when} {operation} of {name}")
        for _ in range(fault.turns):
            await asyncio.sleep(0)


class FaultyAdapter(StorageAdapter):
    """Another adapter, with faults. Opening, closing, compiling and describing stay as they are.

    Parameters
    ----------
    inner : the adapter that does the work.
    plan : which call goes wrong.
    name : tells several adapters of one plan apart.
    """

    def __init__(self, inner: StorageAdapter, plan: FaultPlan, name: str = "adapter") -> None:
        self.inner = inner
        self.plan = plan
        self.name = name

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # read-only is enough for whoever asks
        """What the wrapped adapter can do."""
        return self.inner.capabilities

    async def open(self) -> None:
        """Open the wrapped adapter."""
        await self.inner.open()

    async def aclose(self) -> None:
        """Close the wrapped adapter."""
        await self.inner.aclose()

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter as the wrapped adapter does."""
        return self.inner.compile(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what the wrapped adapter does with a predicate."""
        return self.inner.support(predicate)

    async def stats(self) -> AdapterStats:
        """Describe the wrapped adapter."""
        return await self.inner.stats()

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write, or fail."""
        await self.plan.run(self.name, "put_many", lambda: self.inner.put_many(namespace, entries))

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read, or fail."""
        return await self.plan.run(self.name, "get_many", lambda: self.inner.get_many(namespace, ids))

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete, or fail."""
        return await self.plan.run(self.name, "delete_many", lambda: self.inner.delete_many(namespace, ids))

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Search, or fail."""
        return await self.plan.run(
            self.name, "search_many", lambda: self.inner.search_many(namespace, requests)
        )

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the words, or fail."""
        return await self.plan.run(
            self.name, "text_statistics", lambda: self.inner.text_statistics(namespace, text)
        )

    async def scan(
        self,
        namespace: str,
        node: FilterNode,
        *,
        order_by: OrderBy = "created_at",
        descending: bool = False,
        cursor: str | None = None,
        limit: int = 1000,
    ) -> Page:
        """Walk, or fail."""

        def call() -> Awaitable[Page]:
            return self.inner.scan(
                namespace, node, order_by=order_by, descending=descending, cursor=cursor, limit=limit
            )

        return await self.plan.run(self.name, "scan", call)

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """List what expired, or fail."""
        return await self.plan.run(self.name, "expired", lambda: self.inner.expired(namespace, limit))

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count, or fail."""
        return await self.plan.run(self.name, "count", lambda: self.inner.count(namespace, node))

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics, or fail."""
        await self.plan.run(self.name, "touch_many", lambda: self.inner.touch_many(namespace, touches))

    async def clear(self, namespace: str) -> None:
        """Clear, or fail."""
        await self.plan.run(self.name, "clear", lambda: self.inner.clear(namespace))

    async def namespaces(self) -> list[str]:
        """List namespaces, or fail."""
        return await self.plan.run(self.name, "namespaces", self.inner.namespaces)

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record an embedder, or fail."""
        return await self.plan.run(
            self.name, "bind_embedder", lambda: self.inner.bind_embedder(namespace, fingerprint)
        )

    async def backend_now_us(self, namespace: str) -> int | None:
        """Read the wrapped adapter's clock, or fail."""
        return await self.plan.run(self.name, "backend_now_us", lambda: self.inner.backend_now_us(namespace))
