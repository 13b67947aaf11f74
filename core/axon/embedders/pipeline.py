"""The one way from texts to vectors, around every model.

validate -> de-duplicate -> LRU -> disk cache -> coalesce with other callers -> chunk to the limit -> check
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from threading import Lock
from typing import Any, TypeAlias
from weakref import WeakValueDictionary

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.core.errors import AxonError, ConfigError, EmbeddingError
from axon.core.models import Vector
from axon.core.ports import Embedder, EmbedderSpec, EmbeddingKind
from axon.embedders.cache import EmbeddingCache, disk_key, text_key
from axon.embedders.checks import checked_rows, checked_texts
from axon.embedders.coalesce import Coalescer
from axon.embedders.lru import VectorLru

RawCall: TypeAlias = Callable[[list[str], EmbeddingKind], Awaitable[ArrayLike]]
"""One call of a model: 1 to ``max_batch`` texts in, one row of numbers per text out."""

# Texts handled between two turns of the event loop, at some microseconds each.
_WINDOW = 512
# The same for models that run inside the loop, counted in characters, because their time grows with these.
_INLINE_CHARS = 2048
_PROBE = "dimensions"


class EmbeddingPipeline:
    """Validation, caches and batching around one model.

    Works from several event loops and threads; callers are joined into batches per loop.

    Parameters
    ----------
    call : one call of the model. Errors other than Axon's become ``EmbeddingError``.
    spec : tells which model it is; its ``dims`` may be None until the first answer.
    load : completes what ``spec`` tells, such as by loading a local model; None if there is nothing to load.
    cache : disk cache, or None. Stays open when the pipeline goes.
    lru_entries : vectors kept in memory, >= 0.
    runs_inline : a call takes microseconds and does not wait for anything, so that neither caches nor
        batching with other callers pay off.
    owner : the object the pipeline was made for, kept alive by it.
    """

    def __init__(
        self,
        call: RawCall,
        spec: Callable[[], EmbedderSpec],
        *,
        load: Callable[[], Awaitable[None]] | None = None,
        cache: EmbeddingCache | None = None,
        lru_entries: int = 10_000,
        runs_inline: bool = False,
        owner: object = None,
    ) -> None:
        if lru_entries < 0:
            raise ConfigError(f"lru_entries must be >= 0, not {lru_entries}")
        self.owner = owner
        self._call = call
        self._spec = spec
        self._load = load
        self._cache = cache
        self._lru = VectorLru(lru_entries)
        self._runs_inline = runs_inline
        self._dims: int | None = None
        kinds: tuple[EmbeddingKind, ...] = ("document", "query")
        self._lookups = Coalescer(self._look_up, lambda: _WINDOW)
        self._models = {kind: Coalescer(self._asker(kind), lambda: self.spec.max_batch) for kind in kinds}

    @property
    def spec(self) -> EmbedderSpec:
        """Which model this is, with the dimensions learned from its answers."""
        spec = self._spec()
        if spec.dims is None and self._dims is not None:
            return msgspec.structs.replace(spec, dims=self._dims)
        return spec

    @property
    def fingerprint(self) -> str:
        """What a collection remembers; complete after :meth:`prepare` or a first answer."""
        return self.spec.fingerprint

    async def prepare(self) -> EmbedderSpec:
        """Find out everything about the model, and return it with ``dims`` known.

        Loads a local model. Of a remote one whose dimensions nobody stated, a single word is embedded.

        Raises
        ------
        EmbeddingError
            If the model cannot be loaded or asked.
        """
        if self.spec.dims is None and self._load is not None:
            await self._load()
        if self.spec.dims is None:
            await self._models["document"].fetch({text_key("document", _PROBE): _PROBE})
        return self.spec

    async def embed_array(
        self, texts: Iterable[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        """Embed texts.

        Parameters
        ----------
        texts : any number, none blank.
        kind : whether the texts are stored or asked.

        Returns
        -------
        float32, shape (len(texts), dims), C-contiguous, finite, the caller's own; one row per text in order.

        Raises
        ------
        EmptyTextError
            If a text is blank; its ``index`` says which. Nothing was embedded.
        EmbeddingError
            If the model failed or its answer is not one finite row per text.
        AdapterError
            If the disk cache failed.
        """
        answer = self._inline if self._runs_inline else self._through_caches
        windows = await _checked_windows(texts)
        if len(windows) == 1:
            return await answer(windows[0], kind)
        if not windows:
            return np.empty((0, (await self.prepare()).dims or 0), np.float32)
        return await _joined(windows, lambda window: answer(window, kind))

    async def _inline(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        parts: list[NDArray[np.float32]] = []
        for chunk in _slices(texts, min(self.spec.max_batch, _WINDOW), _INLINE_CHARS):
            if parts:
                await asyncio.sleep(0)
            parts.append(await self._ask(chunk, kind))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    async def _through_caches(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        keys = [text_key(kind, text) for text in texts]
        rows: dict[bytes, Vector] = {}
        missing: dict[bytes, str] = {}
        for key, text in dict(zip(keys, texts, strict=True)).items():
            row = self._lru.get(key)
            if row is None:
                missing[key] = text
            else:
                rows[key] = row
        if missing and self._cache is not None:
            await self.prepare()
            found = await self._lookups.fetch(missing)
            rows.update((key, row) for key, row in found.items() if row is not None)
            missing = {key: text for key, text in missing.items() if key not in rows}
        if missing:
            rows.update(await self._models[kind].fetch(missing))
        return np.stack([rows[key] for key in keys])

    async def _look_up(self, batch: Mapping[bytes, str]) -> dict[bytes, Vector | None]:
        assert self._cache is not None
        spec = self.spec
        found = await self._cache.get_many([disk_key(spec, key) for key in batch], spec.dims)
        return {
            key: None if row is None else self._lru.put(key, row)
            for key, row in zip(batch, found, strict=True)
        }

    def _asker(self, kind: EmbeddingKind) -> Callable[[Mapping[bytes, str]], Awaitable[dict[bytes, Vector]]]:
        async def ask(batch: Mapping[bytes, str]) -> dict[bytes, Vector]:
            rows = await self._ask(list(batch.values()), kind)
            answer = {key: self._lru.put(key, row) for key, row in zip(batch, rows, strict=True)}
            if self._cache is not None:
                spec = self.spec
                await self._cache.put_many([(disk_key(spec, key), row) for key, row in answer.items()])
            return answer

        return ask

    async def _ask(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        try:
            answer = await self._call(texts, kind)
        except AxonError:
            raise
        except Exception as error:  # a user's function or a third-party model raises what it likes
            raise EmbeddingError(f"{self.spec.model} failed: {type(error).__name__}: {error}") from error
        spec = self.spec
        rows = checked_rows(answer, len(texts), spec.dims, spec.model)
        self._dims = rows.shape[1]
        return rows


async def _checked_windows(texts: Iterable[str]) -> list[list[str]]:
    given = texts if isinstance(texts, str | bytes) else list(texts)
    windows: list[list[str]] = []
    for start in range(0, len(given), _WINDOW):
        if windows:
            await asyncio.sleep(0)
        windows.append(checked_texts(given[start : start + _WINDOW], start))
    return windows


async def _joined(
    windows: Sequence[list[str]], answer: Callable[[list[str]], Coroutine[Any, Any, NDArray[np.float32]]]
) -> NDArray[np.float32]:
    """Run windows side by side, so that they fill the model's batches, and put their rows together."""
    tasks: list[asyncio.Task[NDArray[np.float32]]] = []
    try:
        for window in windows:
            tasks.append(asyncio.ensure_future(answer(window)))
            await asyncio.sleep(0)
        parts = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    rows = np.empty((sum(map(len, parts)), parts[0].shape[1]), np.float32)
    start = 0
    for part in parts:
        rows[start : start + len(part)] = part
        start += len(part)
        await asyncio.sleep(0)
    return rows


def _slices(texts: Sequence[str], most: int, chars: int) -> list[list[str]]:
    """Cut into runs of at most ``most`` texts and, beyond the first text of each, ``chars`` characters."""
    runs: list[list[str]] = [[]]
    size = 0
    for text in texts:
        size += len(text)
        if runs[-1] and (size > chars or len(runs[-1]) == most):
            runs.append([])
            size = len(text)
        runs[-1].append(text)
    return runs


_wrapped: WeakValueDictionary[int, EmbeddingPipeline] = WeakValueDictionary()
_wrapping = Lock()


def as_pipeline(embedder: Embedder) -> EmbeddingPipeline:
    """Return the pipeline of an embedder: its own, or one made around it.

    Parameters
    ----------
    embedder : a ``TextEmbedder``, a pipeline, or any object with ``spec`` and ``embed_array``.

    Returns
    -------
    The same pipeline for the same object, for as long as somebody holds it.

    Raises
    ------
    ConfigError
        If the object is no embedder.
    """
    if isinstance(embedder, EmbeddingPipeline):
        return embedder
    own = getattr(embedder, "pipeline", None)
    if isinstance(own, EmbeddingPipeline):
        return own
    if not isinstance(embedder, Embedder):
        raise ConfigError(
            f"{type(embedder).__name__} is no embedder: it needs `spec` and "
            "`async embed_array(texts, *, kind)`; axon.embedders.from_callable makes one from a function"
        )
    # By identity, since an embedder need not be hashable; the pipeline keeps its owner alive, so that the
    # number stays the owner's for as long as the entry is there.
    with _wrapping:
        pipeline = _wrapped.get(id(embedder))
        if pipeline is None:
            pipeline = _wrapped[id(embedder)] = _around(embedder)
        return pipeline


def _around(embedder: Embedder) -> EmbeddingPipeline:
    def call(texts: list[str], kind: EmbeddingKind) -> Awaitable[NDArray[np.float32]]:
        return embedder.embed_array(texts, kind=kind)

    inline = getattr(embedder, "runs_inline", False) is True
    return EmbeddingPipeline(call, lambda: embedder.spec, runs_inline=inline, owner=embedder)
