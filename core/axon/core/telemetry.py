"""Hooks that see every operation: its name, how long it took, how much it handled, whether it failed.

No hook costs nothing. A hook that raises is an error of the program that installed it and is not hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import Self, TypeAlias

import msgspec


class Operation(msgspec.Struct, frozen=True):
    """One finished operation.

    Attributes
    ----------
    name : such as ``store`` or ``recall``.
    seconds : wall time, >= 0.
    items : entries stored, returned or deleted, >= 0.
    error : name of the error's class, or None.
    """

    name: str
    seconds: float
    items: int
    error: str | None = None


Hook: TypeAlias = Callable[[Operation], None]

_hooks: list[Hook] = []


def add_hook(hook: Hook) -> Callable[[], None]:
    """Call ``hook`` after every operation from now on; returns a function that removes it."""
    _hooks.append(hook)

    def remove() -> None:
        if hook in _hooks:
            _hooks.remove(hook)

    return remove


def span(name: str) -> Span:
    """Time one operation for the hooks; costs next to nothing while nobody listens."""
    return Span(name) if _hooks else _UNHEARD


class Span:
    """Times one operation and tells the hooks when it ends.

    Parameters
    ----------
    name : of the operation.
    """

    __slots__ = ("_started", "items", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.items = 0

    def __enter__(self) -> Self:
        self._started = perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if _hooks:
            operation = Operation(
                self.name, perf_counter() - self._started, self.items, None if kind is None else kind.__name__
            )
            for hook in tuple(_hooks):
                hook(operation)


class _Unheard(Span):
    """Stands in for a span that nobody would hear of; shared, so what it is told means nothing."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


_UNHEARD = _Unheard("")
