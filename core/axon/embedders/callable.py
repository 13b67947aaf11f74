"""Any function from texts to vectors as an embedder."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from numpy.typing import ArrayLike

from axon.core.errors import ConfigError
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.base import TextEmbedder
from axon.embedders.cache import EmbeddingCache
from axon.embedders.worker import WorkerThread

EmbeddingFunction: TypeAlias = Callable[[list[str]], ArrayLike | Awaitable[ArrayLike]]


class CallableEmbedder(TextEmbedder):
    """An embedder around a function; made by :func:`from_callable`."""

    def __init__(
        self,
        function: EmbeddingFunction,
        spec: EmbedderSpec,
        *,
        cache: EmbeddingCache | None = None,
        lru_entries: int = 10_000,
    ) -> None:
        super().__init__(spec, cache=cache, lru_entries=lru_entries)
        self._function = function
        call = getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__ is meant
        self._is_async = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
        self._worker = WorkerThread("axon-callable-embedder")

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> ArrayLike:
        if self._is_async:
            answer = self._function(texts)
        else:
            answer = await self._worker.run(lambda: self._function(texts))
        # A plain function may still return an awaitable, as a lambda around an async one does.
        return await answer if isinstance(answer, Awaitable) else answer

    async def aclose(self) -> None:
        """Let the worker thread end."""
        self._worker.close()


def from_callable(
    function: EmbeddingFunction,
    *,
    name: str,
    dims: int | None = None,
    max_batch: int = 256,
    revision: str = "",
    cache: EmbeddingCache | None = None,
    lru_entries: int = 10_000,
) -> CallableEmbedder:
    """Make an embedder from a function.

    Parameters
    ----------
    function : takes a list of 1 to ``max_batch`` distinct texts and returns one row of numbers per text, in
        order. A coroutine function is awaited on the caller's loop; any other runs in one worker thread,
        one call at a time.
    name : which model it is; collections and caches tell models apart by ``name``, ``revision`` and ``dims``.
    dims : numbers per vector, >= 1; None learns it from the first answer.
    max_batch : most texts per call, >= 1.
    revision : change it when the same text gives another vector than before.
    cache : disk cache, or None.
    lru_entries : vectors kept in memory, >= 0.

    Raises
    ------
    ConfigError
        If ``function`` cannot be called, ``name`` is empty, or a number is out of range.

    Examples
    --------
    >>> embedder = from_callable(lambda texts: [[len(text), 1.0] for text in texts], name="length")
    >>> embedder.embed_sync("four")
    [4.0, 1.0]
    """
    if not callable(function):
        raise ConfigError(f"an embedding function is needed, not {type(function).__name__}")
    if not name:
        raise ConfigError("name must not be empty: it tells this model's vectors from those of others")
    if max_batch < 1 or (dims is not None and dims < 1):
        raise ConfigError("max_batch and dims must be >= 1")
    spec = EmbedderSpec(
        provider="callable", model=name, revision=revision, dims=dims, max_batch=max_batch, normalized=False
    )
    return CallableEmbedder(function, spec, cache=cache, lru_entries=lru_entries)
