"""What users hold: an embedder that answers with plain lists, in async and blocking form."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from types import TracebackType
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.core.portal import run_blocking
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.cache import EmbeddingCache
from axon.embedders.pipeline import EmbeddingPipeline

T = TypeVar("T")

# Turning float32 rows into lists takes about 8 us per row of 384; the loop gets a turn in between.
_ROWS_PER_TURN = 256


class PendingEmbedding(Generic[T]):
    """An embedding that can be awaited any number of times, at once, and from several event loops.

    The model is asked at the first ``await``, not before; each further one gives an equal list of its own.
    After a failure the next ``await`` asks again.
    """

    __slots__ = ("_array", "_ask", "_unpack")

    def __init__(
        self,
        ask: Callable[[], Coroutine[Any, Any, NDArray[np.float32]]],
        unpack: Callable[[NDArray[np.float32]], Coroutine[Any, Any, T]],
    ) -> None:
        self._ask = ask
        self._unpack = unpack
        self._array: NDArray[np.float32] | None = None

    def __await__(self) -> Generator[Any, None, T]:
        return self._resolve().__await__()

    async def _resolve(self) -> T:
        if self._array is None:
            self._array = await self._ask()
        return await self._unpack(self._array)


async def _first_row(array: NDArray[np.float32]) -> list[float]:
    row: list[float] = array[0].tolist()
    return row


async def _all_rows(array: NDArray[np.float32]) -> list[list[float]]:
    rows: list[list[float]] = []
    for start in range(0, len(array), _ROWS_PER_TURN):
        if start:
            await asyncio.sleep(0)
        rows.extend(array[start : start + _ROWS_PER_TURN].tolist())
    return rows


class TextEmbedder(ABC):
    """Base of all embedders: a subclass makes the raw model call, everything else is here.

    Parameters
    ----------
    spec : which model it is; ``dims`` may be None until the model's first answer.
    cache : disk cache, or None. It stays open when the embedder is closed.
    lru_entries : vectors kept in memory, >= 0.

    Attributes
    ----------
    runs_inline : a call takes microseconds and waits for nothing; the pipeline then needs no caches, no
        batching with other callers and no threads.
    """

    runs_inline: ClassVar[bool] = False

    def __init__(
        self, spec: EmbedderSpec, *, cache: EmbeddingCache | None = None, lru_entries: int = 10_000
    ) -> None:
        self._spec = spec
        self._pipeline = EmbeddingPipeline(
            self._call_model,
            lambda: self._spec,
            load=self._load,
            cache=cache,
            lru_entries=lru_entries,
            runs_inline=self.runs_inline,
        )

    @abstractmethod
    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> ArrayLike:
        """Ask the model for 1 to ``spec.max_batch`` distinct texts: one row of numbers per text, in order."""

    async def _load(self) -> None:  # noqa: B027 - most models have nothing to load
        """Complete ``self._spec``, where that takes more than the constructor may do."""

    @property
    def spec(self) -> EmbedderSpec:
        """Which model this is; complete after :meth:`prepare` or a first embedding."""
        return self._pipeline.spec

    @property
    def pipeline(self) -> EmbeddingPipeline:
        """The pipeline around the model; the memory talks to this."""
        return self._pipeline

    async def prepare(self) -> EmbedderSpec:
        """Load a local model; return the spec with ``dims`` known. See :meth:`EmbeddingPipeline.prepare`."""
        return await self._pipeline.prepare()

    async def embed_array(
        self, texts: Iterable[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        """Embed texts into one array; see :meth:`EmbeddingPipeline.embed_array`."""
        return await self._pipeline.embed_array(texts, kind=kind)

    def embed(self, text: str) -> Awaitable[list[float]]:
        """Embed a text that will be stored.

        Parameters
        ----------
        text : not blank.

        Returns
        -------
        What may be awaited any number of times, so that it can be kept by ``functools.lru_cache`` or passed
        to ``store(embedding=...)``. Each ``await`` gives a new list of ``spec.dims`` numbers and may raise
        ``EmptyTextError`` or ``EmbeddingError``.
        """
        return PendingEmbedding(lambda: self._pipeline.embed_array([text]), _first_row)

    def embed_query(self, text: str) -> Awaitable[list[float]]:
        """Embed a text that will be asked; otherwise like :meth:`embed`."""
        return PendingEmbedding(lambda: self._pipeline.embed_array([text], kind="query"), _first_row)

    def embed_batch(self, texts: Iterable[str]) -> Awaitable[list[list[float]]]:
        """Embed texts that will be stored, in as few model calls as the model's limit allows.

        Parameters
        ----------
        texts : any number, none blank; read at once.

        Returns
        -------
        What may be awaited any number of times; each ``await`` gives one new list per text, in order, and
        may raise ``EmptyTextError`` (its ``index`` says which text) or ``EmbeddingError``.
        """
        given = texts if isinstance(texts, str) else list(texts)
        return PendingEmbedding(lambda: self._pipeline.embed_array(given), _all_rows)

    def embed_sync(self, text: str) -> list[float]:
        """Blocking form of :meth:`embed`; raises ``SyncCallError`` on Axon's own event loop."""
        row: list[float] = run_blocking(self.embed_array([text]))[0].tolist()
        return row

    def embed_query_sync(self, text: str) -> list[float]:
        """Blocking form of :meth:`embed_query`; raises ``SyncCallError`` on Axon's own event loop."""
        row: list[float] = run_blocking(self.embed_array([text], kind="query"))[0].tolist()
        return row

    def embed_batch_sync(self, texts: Iterable[str]) -> list[list[float]]:
        """Blocking form of :meth:`embed_batch`; raises ``SyncCallError`` on Axon's own event loop."""
        rows: list[list[float]] = run_blocking(self.embed_array(texts)).tolist()
        return rows

    async def aclose(self) -> None:  # noqa: B027 - most models hold nothing
        """Release connections and threads; closing twice does nothing. A later call makes new ones."""

    def close(self) -> None:
        """Blocking form of :meth:`aclose`."""
        run_blocking(self.aclose())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        spec = self.spec
        return f"{type(self).__name__}(model={spec.model!r}, dims={spec.dims})"
