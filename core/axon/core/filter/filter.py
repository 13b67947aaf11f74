"""The front door of the algebra: what users write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Self, TypeAlias

from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import (
    EVERYTHING,
    Contains,
    Eq,
    Field,
    FilterNode,
    Gt,
    Gte,
    Lt,
    Lte,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.parse import filter_value, filter_values, parse_condition, parse_filter, to_dict


class Filter:
    """Which entries may be returned.

    Parameters
    ----------
    tags : the entry has all of these; an empty list matches nothing.
    any_tags : the entry has at least one of these; an empty list matches nothing.
    min_importance, max_importance : bounds in [0, 1], both included.
    created_after, created_before : bounds on the time of creation, both excluded; a naive time is UTC,
        ISO strings and epoch seconds are read too.
    session_id : the entry belongs to this conversation.
    metadata : conditions on the user's own keys, as in the dict form (``{"lang": "en", "year": {"$gte": 2020}}``).

    Raises
    ------
    InvalidFilterError
        For a value of the wrong kind.

    Examples
    --------
    >>> recent = Filter(tags=["work"], min_importance=0.7) & ~Filter(metadata={"draft": True})
    """

    __slots__ = ("node",)

    node: FilterNode

    def __init__(
        self,
        *,
        tags: Iterable[str] | None = None,
        any_tags: Iterable[str] | None = None,
        min_importance: float | None = None,
        max_importance: float | None = None,
        created_after: datetime | str | float | None = None,
        created_before: datetime | str | float | None = None,
        session_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        parts: list[FilterNode] = []
        for values, mode in ((tags, "all"), (any_tags, "any")):
            if values is not None:
                if isinstance(values, str):
                    raise InvalidFilterError(f"tags need a list of strings, not the string {values!r}")
                parts.append(Contains(_TAGS, filter_values(_TAGS, list(values), "tags"), mode))  # type: ignore[arg-type]  # a literal of the tuple above
        for bound in (min_importance, max_importance):
            if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
                raise InvalidFilterError(f"bounds of importance are numbers in [0, 1], not {bound!r}")
        bounds = (
            (_IMPORTANCE, Gte, min_importance),
            (_IMPORTANCE, Lte, max_importance),
            (_CREATED_AT, Gt, created_after),
            (_CREATED_AT, Lt, created_before),
            (_SESSION_ID, Eq, session_id),
        )
        parts += [
            kind(field, filter_value(field, value)) for field, kind, value in bounds if value is not None
        ]
        if metadata is not None:
            if not isinstance(metadata, Mapping):
                raise InvalidFilterError(f"metadata needs a dict of conditions, not {metadata!r}")
            for key, value in metadata.items():
                if not isinstance(key, str):
                    raise InvalidFilterError(f"metadata keys must be strings, not {key!r}")
                parts.append(parse_condition(Field(key, is_metadata=True), value))
        self.node = all_of(parts)

    @classmethod
    def from_dict(cls, source: Mapping[str, Any]) -> Self:
        """Read the Mongo-like dict form; see the filter reference for its words.

        Raises
        ------
        UnsupportedFilterError
            For an unknown operator.
        InvalidFilterError
            For operands of the wrong shape.
        """
        return cls.of(parse_filter(source))

    @classmethod
    def of(cls, node: FilterNode) -> Self:
        """Wrap a tree."""
        made = cls.__new__(cls)
        made.node = node
        return made

    def to_dict(self) -> dict[str, Any]:
        """Write the dict form; reading it back gives a filter of the same meaning.

        Raises
        ------
        UnsupportedFilterError
            For a tree made by hand that compares the whole list of tags, for which there is no word.
        """
        return to_dict(self.node)

    def __and__(self, other: Filter) -> Filter:
        return Filter.of(all_of((self.node, other.node)))

    def __or__(self, other: Filter) -> Filter:
        return Filter.of(any_of((self.node, other.node)))

    def __invert__(self) -> Filter:
        return Filter.of(negate(self.node))

    def __eq__(self, other: object) -> bool:
        # By spelling: the nodes themselves compare True with 1 and 2 with 2.0, of which only the latter means the same.
        return isinstance(other, Filter) and repr(self.node) == repr(other.node)

    def __hash__(self) -> int:
        return hash(repr(self.node))

    def __repr__(self) -> str:
        try:
            return f"Filter.from_dict({self.to_dict()!r})"
        except UnsupportedFilterError:
            return f"Filter.of({self.node!r})"


_TAGS = Field("tags")
_IMPORTANCE = Field("importance")
_CREATED_AT = Field("created_at")
_SESSION_ID = Field("session_id")

FilterLike: TypeAlias = Filter | FilterNode | Mapping[str, Any] | None


def as_node(source: FilterLike) -> FilterNode:
    """Lower whatever a caller passes as ``filter=`` to a tree; None and ``{}`` match everything.

    Raises
    ------
    FilterError
        If it cannot be read.
    """
    if source is None:
        return EVERYTHING
    if isinstance(source, Filter):
        return source.node
    return source if isinstance(source, FilterNode) else parse_filter(source)
