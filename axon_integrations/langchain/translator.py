"""Self-query: what a language model wrote as a structured query, as Axon's dict form of a filter.

Pass ``AxonTranslator()`` as ``structured_query_translator`` of LangChain's ``SelfQueryRetriever``; its own
look-up of translators knows LangChain's stores only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.structured_query import (
    Comparator,
    Comparison,
    Operation,
    Operator,
    StructuredQuery,
    Visitor,
)

from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import Field

AXON_ATTRIBUTES: list[dict[str, str]] = [
    {
        "name": "tags",
        "description": "Labels of the memory; contain or eq asks for one of them",
        "type": "list[string]",
    },
    {"name": "importance", "description": "How much the memory matters, from 0 to 1", "type": "float"},
    {"name": "tier", "description": "One of 'ephemeral', 'session', 'persistent'", "type": "string"},
    {"name": "session_id", "description": "The conversation the memory belongs to", "type": "string"},
    {
        "name": "created_at",
        "description": "When the memory was first stored, ISO 8601 in UTC",
        "type": "date",
    },
    {
        "name": "updated_at",
        "description": "When the memory was last written, ISO 8601 in UTC",
        "type": "date",
    },
    {"name": "expires_at", "description": "When the memory expires, ISO 8601 in UTC", "type": "date"},
    {"name": "id", "description": "The identifier of the memory", "type": "string"},
]
"""The entry fields that a self-query may use, as ``metadata_field_info`` takes them; add your own keys."""

_WORDS = {
    Comparator.EQ: "$eq",
    Comparator.NE: "$ne",
    Comparator.GT: "$gt",
    Comparator.GTE: "$gte",
    Comparator.LT: "$lt",
    Comparator.LTE: "$lte",
    Comparator.IN: "$in",
    Comparator.NIN: "$nin",
}
_WILDCARDS = frozenset("%_\\")


class AxonTranslator(Visitor):
    """Translate a structured query into ``(query, {"filter": dict})``.

    All ten comparators and the three operators are known. ``contain`` looks into lists and, on a key of the
    user's own, also for a part of a string. ``like`` takes ``%part%`` and ``start%``.
    """

    allowed_comparators = tuple(Comparator)
    allowed_operators = tuple(Operator)

    def visit_structured_query(self, structured_query: StructuredQuery) -> tuple[str, dict[str, Any]]:
        """Translate a whole query; without a filter the keywords are empty.

        Raises
        ------
        FilterError
            If the filter cannot be expressed.
        """
        if structured_query.filter is None:
            return structured_query.query, {}
        return structured_query.query, {"filter": structured_query.filter.accept(self)}

    def visit_operation(self, operation: Operation) -> dict[str, Any]:
        """Translate And, Or, Not.

        Raises
        ------
        InvalidFilterError
            If Not has not exactly one argument, or And or Or has none.
        """
        operands = [argument.accept(self) for argument in operation.arguments]
        if operation.operator is not Operator.NOT:
            if not operands:
                raise InvalidFilterError(f"{operation.operator.value} needs at least one argument")
            return {f"${operation.operator.value}": operands}
        if len(operands) != 1:
            raise InvalidFilterError(f"not takes one argument, not {len(operands)}; wrap them in and or or")
        return {"$not": operands[0]}

    def visit_comparison(self, comparison: Comparison) -> dict[str, Any]:
        """Translate one comparison.

        Raises
        ------
        UnsupportedFilterError
            For a ``like`` pattern other than ``%part%`` and ``start%``.
        """
        field = Field.parse(comparison.attribute)
        # Written out as "metadata.x", so that an attribute such as "$or" stays a key.
        key, value = str(field), _plain_value(comparison.value)
        if comparison.comparator is Comparator.CONTAIN:
            return _contain(field, value)
        if comparison.comparator is Comparator.LIKE:
            return {key: _like(key, value)}
        return {key: {_WORDS[comparison.comparator]: value}}


def _plain_value(value: Any) -> Any:
    """Unwrap the dates and times of LangChain's query parser, ``{"type": "date", "date": "2024-05-01"}``."""
    if isinstance(value, Mapping) and value.get("type") in ("date", "datetime"):
        return value.get(value["type"], value)
    return value


def _contain(field: Field, value: Any) -> dict[str, Any]:
    key = str(field)
    if key == "tags":
        return {key: {"$eq": value}}
    inside = {key: {"$contains": value}}
    if field.is_metadata and isinstance(value, str):
        return {"$or": [inside, {key: {"$text_match": value}}]}
    return inside


def _like(key: str, pattern: Any) -> dict[str, str]:
    if isinstance(pattern, str) and pattern.endswith("%"):
        part = pattern[:-1].removeprefix("%")
        if part and _WILDCARDS.isdisjoint(part):
            return {"$text_match" if pattern.startswith("%") else "$prefix": part}
    raise UnsupportedFilterError(f"like on {key} takes '%part%' or 'start%', not {pattern!r}")
