"""What the memory needs from the outside: a place to keep entries, a model that embeds, one that condenses.

The storage port takes batches only (a single call is a batch of one), and every call names its namespace.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from axon.core.filter.ast import EVERYTHING, FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, TextStatistics, Touch

OrderBy = Literal["id", "created_at", "updated_at", "accessed_at", "importance"]
EmbeddingKind = Literal["document", "query"]


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What an adapter can do by itself.

    Attributes
    ----------
    text_search : the adapter answers requests that carry text.
    durable : what was acknowledged survives the end of the process.
    native_ttl : the backend drops expired entries by itself.
    in_process : calls answer from this process's memory, so one costs microseconds.
    max_batch : most entries per ``put_many`` call, >= 1.
    """

    text_search: bool
    durable: bool
    native_ttl: bool = False
    in_process: bool = False
    max_batch: int = 10_000


class NotNow(Enum):
    """The answer of a method that may not wait and would have to."""

    NOT_NOW = "not now"


NOT_NOW = NotNow.NOT_NOW


class AdapterStats(msgspec.Struct, kw_only=True):
    """The state of one adapter, for people to read.

    Attributes
    ----------
    backend : what runs below, with its version where known.
    entries : live entries over all namespaces, or None where counting is dear.
    bytes : bytes the adapter holds in this process or in its file, or None where unknown.
    details : anything else, JSON values.
    """

    backend: str
    entries: int | None = None
    bytes: int | None = None
    details: dict[str, Any] = {}


class StorageAdapter(ABC):
    """A place that keeps entries.

    An adapter is made without I/O and opened by :meth:`open`. One object works from several event loops and
    threads. Every method but :meth:`compile` may raise ``AdapterError`` and its children.
    """

    capabilities: Capabilities

    @abstractmethod
    async def open(self) -> None:
        """Connect and prepare; opening twice does nothing."""

    @abstractmethod
    async def aclose(self) -> None:
        """Release everything the adapter made; clients passed in stay open. Closing twice does nothing."""

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter into the backend's own form and a residual to be checked by the tier.

        Raises
        ------
        UnsupportedFilterError
            If a part can be neither compiled nor checked.
        """
        return CompiledFilter(node, EVERYTHING)

    def support(self, predicate: Predicate) -> Support:
        """Tell what the backend does with one predicate; the table in the docs is made from this."""
        return Support.SUPPORTED

    @abstractmethod
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole, replacing those with the same ids; of equal ids in one call the last wins.

        Either all entries are written or none is.

        Raises
        ------
        EmbeddingMismatchError
            If a vector has another number of dimensions than the namespace holds; nothing is written.
        """

    def put_now(self, namespace: str, entries: Sequence[MemoryEntry]) -> bool:
        """Do what :meth:`put_many` does without waiting, or return False: the caller then awaits it.

        For adapters that hold their entries in this process; others leave it as it is.
        """
        return False

    @abstractmethod
    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired."""

    def get_now(self, namespace: str, id: str) -> MemoryEntry | NotNow | None:
        """Read one entry without waiting, or return ``NOT_NOW``: the caller then awaits :meth:`get_many`.

        For adapters that hold their entries in this process; others leave it as it is. Where it answers, the
        answer is that of :meth:`get_many`.
        """
        return NOT_NOW

    @abstractmethod
    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there."""

    @abstractmethod
    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order.

        Each answer holds at most ``k`` hits for a request of one channel and at most ``2 * k`` for one of
        both, none expired, all satisfying the native part of the request's filter. Without vector and text,
        any ``k`` matching entries. Fewer than ``k`` hits from a channel mean that it has no more.

        Raises
        ------
        EmbeddingMismatchError
            If a query vector has another number of dimensions than the namespace holds.
        """

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it; None where the backend scores by itself."""
        return None

    @abstractmethod
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
        """Walk the entries that satisfy the native part of ``node``, in order, ties broken by id.

        Entries never accessed count as accessed when created. Entries present during the whole walk are
        seen exactly once. Expired entries are not shown.
        """

    @abstractmethod
    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """Ids of up to ``limit`` expired entries that still take up room; empty where expiry is native."""

    @abstractmethod
    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the unexpired entries that satisfy the native part of ``node``."""

    @abstractmethod
    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""

    @abstractmethod
    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace, its embedder's fingerprint included."""

    @abstractmethod
    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""

    @abstractmethod
    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one.

        None records nothing.
        """

    async def backend_now_us(self, namespace: str) -> int | None:
        """Read the backend's own clock, microseconds since 1970 UTC; None where it has none but this machine's."""
        return None

    @abstractmethod
    async def stats(self) -> AdapterStats:
        """Describe the present state."""


class EmbedderSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Which model makes the vectors.

    Attributes
    ----------
    provider, model : names, such as ``openai`` and ``text-embedding-3-small``.
    revision : changes whenever the same text would give another vector.
    dims : numbers per vector, >= 1; None until a lazily loaded model tells.
    max_batch : most texts per call, >= 1.
    normalized : the vectors have length 1.
    lexical : the vectors know spelling, not meaning; hybrid recall then leans on the text channel.
    """

    provider: str
    model: str
    revision: str = ""
    dims: int | None = None
    max_batch: int = 256
    normalized: bool = True
    lexical: bool = False

    @property
    def fingerprint(self) -> str:
        """What a collection remembers of its embedder: provider, model, revision and dimensions."""
        return f"{self.provider}/{self.model}@{self.revision}#{self.dims}"


@runtime_checkable
class Embedder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def spec(self) -> EmbedderSpec:
        """Which model this is."""
        ...

    async def embed_array(
        self, texts: Sequence[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts : not blank; at least one.
        kind : whether the texts are stored or asked.

        Returns
        -------
        float32, shape (len(texts), dims), C-contiguous, finite, one row per text in order.

        Raises
        ------
        EmptyTextError
            If a text is blank; its ``index`` says which.
        EmbeddingError
            If the model failed.
        """
        ...


@runtime_checkable
class Summarizer(Protocol):
    """Something that condenses texts into one."""

    async def summarize(self, texts: Sequence[str]) -> str:
        """Return one non-blank text that stands for ``texts`` (at least one)."""
        ...
