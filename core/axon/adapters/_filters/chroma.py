"""Chroma's ``where`` clauses."""

from __future__ import annotations

from typing import Any, TypeAlias

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import support_of
from axon.core.filter.ast import Field, FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

Where: TypeAlias = dict[str, Any]

TOKENS = "tokens"
NUMBER = "n:"
"""Prefix of the metadata keys that hold the user's numbers."""

_MOST_LEAVES = 200
_DEEPEST = 12
"""Chroma refuses clauses nested some 35 levels deep, and SQLite expressions of a thousand terms."""


class ChromaCompiler(TokenCompiler[Where]):
    """Turn supported predicates into a ``where`` clause; one key and one operator per level."""

    def has(self, token: str) -> Where:
        """Ask that the entry has the token."""
        return {TOKENS: {"$contains": token}}

    def lacks(self, token: str) -> Where:
        """Ask that the entry does not have the token."""
        return {TOKENS: {"$not_contains": token}}

    def compare(self, field: Field, op: Op, value: float) -> Where:
        """Ask that the numeric field is there and compares so."""
        return {number_key(field): {f"${op}": value}}

    def conjunction(self, clauses: list[Where]) -> Where:
        """All of at least two clauses."""
        return {"$and": _flat("$and", clauses)}

    def disjunction(self, clauses: list[Where]) -> Where:
        """Any of at least two clauses."""
        return {"$or": _flat("$or", clauses)}


def number_key(field: Field) -> str:
    """Name the metadata key of a numeric field."""
    return NUMBER + field.name if field.is_metadata else field.name


def support(predicate: Predicate) -> Support:
    """Tell what Chroma does with one predicate."""
    return support_of(predicate, exact_times=True)


def compile_filter(node: FilterNode) -> CompiledFilter:
    """Split a filter; ``native`` is a clause, or True for no clause, or False where nothing matches."""
    supported, residual = split(node, support)
    native = ChromaCompiler().visit(supported)
    if isinstance(native, dict) and (_leaves(native) > _MOST_LEAVES or _depth(native) > _DEEPEST):
        return CompiledFilter(True, node)
    return CompiledFilter(native, residual)


def both(one: Where | bool, other: Where | bool) -> Where | bool:
    """Conjunction of two compiled filters."""
    if isinstance(one, bool):
        return other if one else False
    if isinstance(other, bool):
        return one if other else False
    return {"$and": _flat("$and", [one, other])}


def _flat(word: str, clauses: list[Where]) -> list[Where]:
    flat: list[Where] = []
    for clause in clauses:
        flat += clause.get(word, (clause,))
    return flat


def _children(clause: Where) -> list[Where]:
    return clause.get("$and") or clause.get("$or") or []


def _leaves(clause: Where) -> int:
    return sum(map(_leaves, _children(clause))) or 1


def _depth(clause: Where) -> int:
    return 1 + max(map(_depth, _children(clause)), default=0)
