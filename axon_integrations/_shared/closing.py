"""Closing a face in every form that its users know: awaited, blocking, and as either kind of context manager."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from axon.core.portal import run_blocking


class Closable(ABC):
    """Base of faces that may have made something; a subclass says in :meth:`aclose` what that is."""

    @abstractmethod
    async def aclose(self) -> None:
        """Close what this object made; a memory passed in stays open. Closing twice does nothing."""

    def close(self) -> None:
        """Close like :meth:`aclose`, blocking."""
        run_blocking(self.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
