"""Vectors of texts seen before, kept in a folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from hashlib import sha256
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
import numpy as np

from axon.core.errors import ConfigError
from axon.core.models import Vector
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.cache_file import CacheFile
from axon.embedders.checks import checked_rows, checked_texts


class Embeds(Protocol):
    """Anything with an awaitable ``embed``, which is all that :meth:`EmbeddingCache.get_embedding` needs."""

    def embed(self, text: str, /) -> Awaitable[Any]:
        """Return the vector of a text."""
        ...


def text_key(kind: EmbeddingKind, text: str) -> bytes:
    """Return 32 bytes that stand for a text asked or stored; the text cannot be read back from them."""
    return sha256(f"{kind}:{text}".encode("utf-8", "surrogatepass")).digest()


def disk_key(spec: EmbedderSpec, key: bytes) -> bytes:
    """Return 32 bytes that stand for a model and a text: provider, model, revision, dims, kind, text."""
    model = msgspec.json.encode((spec.provider, spec.model, spec.revision, spec.dims))
    return sha256(key + model).digest()


class EmbeddingCache:
    """A disk cache of vectors, shared by any number of embedders, threads and processes.

    Entries are found by provider, model, revision, dimensions, kind and text together, of which only a digest
    is stored. Pass it to an embedder as ``cache=``, or ask it directly:

    >>> cache = EmbeddingCache()
    >>> embedding = await cache.get_embedding(text, embedder)

    Parameters
    ----------
    cache_dir : folder; made when missing. The data is one SQLite file in it.

    Raises
    ------
    ConfigError
        If the folder cannot be made.
    """

    def __init__(self, cache_dir: str | PathLike[str] = ".embedding_cache") -> None:
        self.cache_dir = Path(cache_dir)
        try:
            self.cache_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make the cache folder {self.cache_dir}: {error.strerror}") from error
        self._file = CacheFile(self.cache_dir / "embeddings.sqlite3")

    @property
    def path(self) -> Path:
        """The file that holds the vectors. It may be deleted while no process uses it."""
        return self._file.path

    async def get_embedding(self, text: str, embedder: Embeds) -> list[float]:
        """Return the vector of a text, from the cache or from the embedder.

        Parameters
        ----------
        text : not blank.
        embedder : one of Axon's, or any object whose ``embed(text)`` can be awaited. Of a foreign one, the
            class and its ``model`` or ``model_name`` attribute tell it from others.

        Returns
        -------
        A new list of float32 numbers.

        Raises
        ------
        EmptyTextError
            If the text is blank.
        EmbeddingError
            If the embedder failed or gave something else than finite numbers.
        AdapterError
            If the cache cannot be read or written.
        """
        (checked,) = checked_texts([text])
        spec = await _spec_of(embedder)
        key = disk_key(spec, text_key("document", checked))
        (row,) = await self.get_many([key], spec.dims)
        if row is None:
            answer = await embedder.embed(checked)
            row = checked_rows([answer], 1, spec.dims, spec.model)[0]
            await self.put_many([(key, row)])
        numbers: list[float] = row.tolist()
        return numbers

    async def get_many(self, keys: Sequence[bytes], dims: int | None) -> list[Vector | None]:
        """Read vectors, off the event loop.

        Parameters
        ----------
        keys : made by :func:`disk_key`.
        dims : numbers per vector, >= 1, or None for any.

        Returns
        -------
        One vector, float32 and read-only, or None per key, in order.

        Raises
        ------
        CorruptStoreError
            If the file or a vector in it is damaged; the message says to delete it.
        AdapterError
            If the file cannot be opened or stays locked.
        """
        blobs = await asyncio.to_thread(self._file.read, keys)
        return [None if blob is None else self._row(blob, dims) for blob in blobs]

    async def put_many(self, items: Sequence[tuple[bytes, Vector]]) -> None:
        """Write vectors, off the event loop, replacing those with the same keys.

        Raises
        ------
        AdapterError
            If the file cannot be written.
        """
        blobs = [(key, row.astype("<f4", copy=False).tobytes()) for key, row in items]
        await asyncio.to_thread(self._file.write, blobs)

    def _row(self, blob: bytes, dims: int | None) -> Vector:
        if len(blob) % 4 or not blob or (dims is not None and len(blob) != 4 * dims):
            raise self._file.corrupt(f"a vector of {len(blob)} bytes")
        return np.frombuffer(blob, "<f4").astype(np.float32, copy=False)

    async def clear(self) -> None:
        """Forget everything."""
        await asyncio.to_thread(self._file.clear)

    def close(self) -> None:
        """Close the file; using the cache again opens it again."""
        self._file.close()

    async def aclose(self) -> None:
        """Close the file; using the cache again opens it again."""
        await asyncio.to_thread(self._file.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _spec_of(embedder: Embeds) -> EmbedderSpec:
    prepare = getattr(embedder, "prepare", None)
    spec = getattr(embedder, "spec", None)
    if isinstance(spec, EmbedderSpec):
        if spec.dims is None and prepare is not None:
            spec = await prepare()
        return spec
    model = getattr(embedder, "model_name", None) or getattr(embedder, "model", None)
    cls = type(embedder)
    # Apart from our providers' names, which have no dot.
    return EmbedderSpec(
        provider=f"{cls.__module__}.{cls.__qualname__}", model=model if isinstance(model, str) else ""
    )
