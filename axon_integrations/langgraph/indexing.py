"""What of an item's value is embedded, and by which model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from langgraph.store.base import IndexConfig, ensure_embeddings, get_text_at_path, tokenize_path

from axon.core.errors import ConfigError, InvalidInputError
from axon.core.models import JsonValue
from axon.core.ports import Embedder
from axon.embedders.callable import EmbeddingFunction, from_callable
from axon_integrations._shared.langchain_embeddings import from_langchain

_KEYS = ("dims", "embed", "fields")

Path = str | list[str]
"""A path of LangGraph's, taken apart; ``$`` is the whole value."""


class Indexing(NamedTuple):
    """How items are embedded.

    Attributes
    ----------
    paths : of the texts that an item is found by, unless its own put says otherwise.
    embedder : None for the memory's.
    """

    paths: tuple[Path, ...]
    embedder: Embedder | None


def read_index(config: IndexConfig | None) -> Indexing | None:
    """Read LangGraph's index configuration; every key may be left out, ``embed`` for the memory's own embedder.

    Raises
    ------
    ConfigError
        For an unknown key, fields that are no paths, or an ``embed`` that embeds nothing.
    """
    if config is None:
        return None
    for key in config:
        if key not in _KEYS:
            raise ConfigError(f"index has the unknown key {key!r}; known: {', '.join(_KEYS)}")
    fields = config.get("fields")
    if fields is None:
        fields = ["$"]
    try:
        paths = tokenized(fields)
    except InvalidInputError as error:
        raise ConfigError(f"index: {error}") from error
    return Indexing(paths, _embedder(config.get("embed"), config.get("dims")))


def _embedder(embed: Any, dims: int | None) -> Embedder | None:
    """Take any of LangGraph's four forms of a model, or an embedder of Axon's."""
    if embed is None or isinstance(embed, Embedder):
        return embed
    if isinstance(embed, str):
        try:
            embed = ensure_embeddings(embed)
        except (ImportError, ValueError) as error:
            raise ConfigError(f"index: {error}") from error
    if hasattr(embed, "embed_documents"):
        return from_langchain(embed, dims=dims)
    if not callable(embed):
        raise ConfigError(
            f"embed must be an embedder, LangChain Embeddings or a function, not {type(embed).__name__}"
        )
    return from_callable(cast("EmbeddingFunction", embed), name=_name(embed), dims=dims)


def _name(function: Callable[..., object]) -> str:
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"


def tokenized(paths: Any) -> tuple[Path, ...]:
    """Take paths apart.

    Raises
    ------
    InvalidInputError
        If it is no list, or one is no string.
    """
    if not isinstance(paths, list | tuple) or not all(isinstance(path, str) for path in paths):
        raise InvalidInputError(f"a list of paths such as 'text' or 'notes[*].body' is needed, not {paths!r}")
    return tuple(path if path == "$" else tokenize_path(path) for path in paths)


def texts_at(value: Mapping[str, JsonValue], paths: Sequence[Path]) -> list[str]:
    """Return the texts at some paths, in order, each once; blank ones are left out."""
    texts = [text for path in paths for text in get_text_at_path(value, path)]
    return [text for text in dict.fromkeys(texts) if text.strip()]


def words_of(value: JsonValue) -> str:
    """Return what an item without embedded fields is found by in a text index: all texts and numbers in it."""
    words = " ".join(_leaves(value))
    return words if words.strip() else "(no words)"


def _leaves(value: JsonValue) -> list[str]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _leaves(item)]
    return [] if value is None else [str(value)]
