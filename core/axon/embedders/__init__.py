"""Models that turn texts into vectors, and the pipeline around them. Names load when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from axon.embedders.base import TextEmbedder
    from axon.embedders.cache import EmbeddingCache
    from axon.embedders.callable import CallableEmbedder, from_callable
    from axon.embedders.hashing import HashingEmbedder
    from axon.embedders.openai import OpenAIEmbedder
    from axon.embedders.pipeline import EmbeddingPipeline, as_pipeline
    from axon.embedders.sentence_transformer import SentenceTransformerEmbedder

__all__ = [
    "CallableEmbedder",
    "EmbeddingCache",
    "EmbeddingPipeline",
    "HashingEmbedder",
    "OpenAIEmbedder",
    "SentenceTransformerEmbedder",
    "TextEmbedder",
    "as_pipeline",
    "from_callable",
]

_HOMES = {
    "CallableEmbedder": "callable",
    "EmbeddingCache": "cache",
    "EmbeddingPipeline": "pipeline",
    "HashingEmbedder": "hashing",
    "OpenAIEmbedder": "openai",
    "SentenceTransformerEmbedder": "sentence_transformer",
    "TextEmbedder": "base",
    "as_pipeline": "pipeline",
    "from_callable": "callable",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
