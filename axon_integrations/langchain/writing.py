"""What the add methods are given, checked and laid out one value per text. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from langchain_core.documents import Document

from axon.core.errors import InvalidInputError
from axon.core.models import JsonValue, MemoryInput, Tier
from axon_integrations._shared.inputs import entry_fields

WRITE_KEYWORDS = ("importance", "tags", "ttl", "tier", "session_id", "batch_size")

_LISTS = (list, tuple, np.ndarray)


class WriteBatch(NamedTuple):
    """Texts to be stored, and one value per text of everything else.

    Attributes
    ----------
    texts : at least none.
    ids : None where the store chooses.
    metadatas : None where there is none.
    importance, tags, ttl, tier, session_id : None where not given.
    """

    texts: list[str]
    ids: list[str | None]
    metadatas: list[Mapping[str, JsonValue] | None]
    importance: list[Any]
    tags: list[Any]
    ttl: list[Any]
    tier: list[Any]
    session_id: list[Any]

    def inputs(self, tiers: tuple[Tier, ...]) -> Iterator[MemoryInput]:
        """Yield what the memory stores.

        Parameters
        ----------
        tiers : from the most fleeting to the most durable. A text that states no tier goes to one of them: by
            its importance if it states one, else to the last.
        """
        for text, id_, metadata, importance, tags, ttl, tier, session_id in zip(*self, strict=True):
            stated = entry_fields(metadata or {})
            if importance is None:
                importance = stated.importance
            if tier is None:
                tier = tiers[-1] if importance is None else tiers
            yield MemoryInput(
                text=text,
                id=id_,
                metadata=metadata,
                importance=importance,
                tags=(stated.tags or ()) if tags is None else tags,
                ttl=ttl,
                tier=tier,
                session_id=stated.session_id if session_id is None else session_id,
            )

    def without_repeats(self) -> tuple[WriteBatch, list[int]]:
        """Drop texts whose id comes again later.

        Returns
        -------
        (batch, positions) : ``positions[i]`` is where in ``batch`` the id of text ``i`` is stored.
        """
        last = {id_: i for i, id_ in enumerate(self.ids) if id_ is not None}
        kept = [i for i, id_ in enumerate(self.ids) if id_ is None or last[id_] == i]
        if len(kept) == len(self.ids):
            return self, kept
        place = {i: position for position, i in enumerate(kept)}
        positions = [place[i if id_ is None else last[id_]] for i, id_ in enumerate(self.ids)]
        columns: Iterator[list[Any]] = ([column[i] for i in kept] for column in self)
        return WriteBatch(*columns), positions


def read_texts(
    texts: Iterable[str],
    metadatas: Iterable[Mapping[str, JsonValue] | None] | None,
    ids: Iterable[str | None] | None,
    keywords: Mapping[str, Any],
) -> WriteBatch:
    """Lay out texts, which may come from a generator.

    Parameters
    ----------
    keywords : any of ``WRITE_KEYWORDS``; each a single value for all texts or a list with one per text.
        A list of strings as ``tags`` is a single value.

    Raises
    ------
    InvalidInputError
        If a list is longer or shorter than the texts, or ``texts`` or ``ids`` is itself a string.
    """
    all_texts = _as_list("texts", texts)
    count = len(all_texts)
    tags = keywords.get("tags")
    return WriteBatch(
        texts=all_texts,
        ids=_matching("ids", ids, count),
        metadatas=_matching("metadatas", metadatas, count),
        tags=[tags] * count if _is_one_tag_list(tags) else _matching("tags", tags, count),
        importance=_spread("importance", keywords, count),
        ttl=_spread("ttl", keywords, count),
        tier=_spread("tier", keywords, count),
        session_id=_spread("session_id", keywords, count),
    )


def read_documents(
    documents: Iterable[Document], ids: Iterable[str | None] | None, keywords: Mapping[str, Any]
) -> WriteBatch:
    """Lay out documents; ``ids`` beat the documents' own, which fill their holes. See :func:`read_texts`."""
    all_documents = list(documents)
    chosen = _matching("ids", ids, len(all_documents))
    return read_texts(
        [document.page_content for document in all_documents],
        [document.metadata for document in all_documents],
        [document.id if id_ is None else id_ for document, id_ in zip(all_documents, chosen, strict=True)],
        keywords,
    )


def _as_list(name: str, values: Iterable[Any]) -> list[Any]:
    if isinstance(values, str | bytes):
        raise InvalidInputError(f"{name} takes a list of strings, not one string; wrap it in [ ]")
    return list(values)


def _matching(name: str, values: Iterable[Any] | None, count: int) -> list[Any]:
    if values is None:
        return [None] * count
    column = _as_list(name, values)
    if len(column) != count:
        raise InvalidInputError(f"{len(column)} {name} for {count} texts; nothing was stored")
    return column


def _is_one_tag_list(tags: Any) -> bool:
    return (
        isinstance(tags, Sequence) and not isinstance(tags, str) and all(isinstance(tag, str) for tag in tags)
    )


def _spread(name: str, keywords: Mapping[str, Any], count: int) -> list[Any]:
    value = keywords.get(name)
    return _matching(f"values of {name}", value, count) if isinstance(value, _LISTS) else [value] * count
