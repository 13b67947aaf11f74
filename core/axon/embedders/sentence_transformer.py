"""Embeddings from a local model of the sentence-transformers library."""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from axon.core.errors import ConfigError, EmbeddingError, MissingDependencyError
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.base import TextEmbedder
from axon.embedders.cache import EmbeddingCache
from axon.embedders.worker import WorkerThread

# What makes a model, as against its read-me and licence.
_MODEL_FILES = {".bin", ".json", ".model", ".safetensors", ".txt"}
_SAMPLE = 1 << 20


class SentenceTransformerEmbedder(TextEmbedder):
    """A model that runs in this process, in one worker thread; loaded when first needed.

    Parameters
    ----------
    model_name : a name on the Hugging Face hub, or the path of a local folder.
    device : such as ``cpu`` or ``cuda``; None lets the library choose.
    batch_size : texts per step inside the model, >= 1.
    normalize : scale the vectors to length 1.
    cache : disk cache, or None.
    lru_entries : vectors kept in memory, >= 0.

    Raises
    ------
    MissingDependencyError
        If ``sentence-transformers`` is not installed.
    ConfigError
        If ``model_name`` is empty or ``batch_size`` is out of range.

    Notes
    -----
    If the model cannot be loaded, every call raises ``EmbeddingError``; no other model takes its place. The
    ``query`` and ``document`` prompts of models that have them are used.
    """

    def __init__(
        self,
        model_name: str = "all-MiniLM-L6-v2",
        *,
        device: str | None = None,
        batch_size: int = 32,
        normalize: bool = True,
        cache: EmbeddingCache | None = None,
        lru_entries: int = 10_000,
    ) -> None:
        if find_spec("sentence_transformers") is None:
            raise MissingDependencyError("sentence-transformers", "sentence-transformers")
        if not model_name or batch_size < 1:
            raise ConfigError("model_name must not be empty and batch_size must be >= 1")
        self._name = str(model_name)
        self._device = device
        self._batch_size = batch_size
        self._normalize = normalize
        self._worker = WorkerThread("axon-sentence-transformer")
        self._loaded: Any = None
        folder = Path(self._name)
        # A folder may lie elsewhere on the next machine; the digest in the revision tells what is in it.
        model = folder.resolve().name if folder.is_dir() else self._name
        super().__init__(
            EmbedderSpec(provider="sentence-transformers", model=model, max_batch=256, normalized=normalize),
            cache=cache,
            lru_entries=lru_entries,
        )

    async def _load(self) -> None:
        await self._worker.run(self._model)

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        return await self._worker.run(lambda: self._encode(texts, kind))

    def _encode(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        model = self._model()
        # Before version 5 the library had no methods of these names, and prompts were chosen by name.
        encode = getattr(model, "encode_query" if kind == "query" else "encode_document", None)
        options = {}
        if encode is None:
            encode = model.encode
            if kind in (model.prompts or {}):
                options["prompt_name"] = kind
        rows: NDArray[np.float32] = encode(
            texts,
            batch_size=self._batch_size,
            normalize_embeddings=self._normalize,
            convert_to_numpy=True,
            show_progress_bar=False,
            **options,
        )
        return rows

    def _model(self) -> Any:
        """Return the model, loading it first; called in the worker thread only."""
        if self._loaded is None:
            library = import_module("sentence_transformers")
            try:
                loaded = library.SentenceTransformer(self._name, device=self._device)
            except (OSError, ValueError, RuntimeError) as error:
                raise EmbeddingError(
                    f"cannot load the model {self._name!r}: a name needs the Hugging Face hub "
                    "(https://huggingface.co) or its local cache; without a network, pass the path of a "
                    f"folder that holds the model ({type(error).__name__}: {error})"
                ) from error
            # In another order, a caller could see the dimensions without the revision.
            self._spec = msgspec.structs.replace(
                self._spec, dims=_dims(loaded), revision=_revision(Path(self._name))
            )
            self._loaded = loaded
        return self._loaded

    async def aclose(self) -> None:
        """Let go of the model and its thread; a later call loads it again."""
        self._loaded = None
        self._worker.close()


def _dims(model: Any) -> int:
    # Renamed in version 5.3 of the library; the old name warns there.
    dims = getattr(model, "get_embedding_dimension", None) or model.get_sentence_embedding_dimension
    return int(dims())


def _revision(folder: Path) -> str:
    """Return a digest of a local model's files, and "" for a name on the hub.

    Of long files the size and the first and last MiB count: enough to tell trained weights apart, and cheap.
    """
    if not folder.is_dir():
        return ""
    digest = sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in _MODEL_FILES and path.is_file():
            size = path.stat().st_size
            digest.update(f"{path.relative_to(folder).as_posix()}:{size}:".encode())
            with path.open("rb") as file:
                digest.update(file.read(_SAMPLE))
                file.seek(max(size - _SAMPLE, 0))
                digest.update(file.read(_SAMPLE))
    return digest.hexdigest()[:16]
