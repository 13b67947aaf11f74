"""Chroma's ``where`` clauses."""

from __future__ import annotations

from typing import Any, TypeAlias

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import is_exact_whole, number_token, support_of
from axon.core.filter.ast import Field, FilterNode, FilterValue, Predicate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

Where: TypeAlias = dict[str, Any]

TOKENS = "tokens"
NUMBER = "n:"
"""Prefix of the metadata keys that hold the user's numbers."""

EXPIRES_AT = Field("expires_at")
UPDATED_AT = Field("updated_at")
EXPIRES = number_token(EXPIRES_AT)
UPDATED = number_token(UPDATED_AT)
"""Tokens of entries that expire, and of those changed after they were made; others do not write these times."""

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
        clause = {number_key(field): {f"${op}": value}}
        if field == EXPIRES_AT:
            # Where it is not written it would be NEVER; "$ne" alone finds the entries that lack a key.
            return {"$or": [self.lacks(EXPIRES), clause]} if op in ("gt", "gte") else clause
        if field == UPDATED_AT:
            return _either_time(clause, {"created_at": clause["updated_at"]}, op, self)
        return clause

    def _equal(self, field: Field, value: FilterValue, token: str, wanted: bool) -> Where:
        """Compare whole numbers as numbers: their tokens are not written, since each costs Chroma a row."""
        if field.is_metadata and is_exact_whole(value):
            return self.compare(field, "eq" if wanted else "ne", float(value))
        return super()._equal(field, value, token, wanted)

    def conjunction(self, clauses: list[Where]) -> Where:
        """All of at least two clauses."""
        return {"$and": _flat("$and", clauses)}

    def disjunction(self, clauses: list[Where]) -> Where:
        """Any of at least two clauses."""
        return {"$or": _flat("$or", clauses)}


def _either_time(updated: Where, created: Where, op: Op, compiler: ChromaCompiler) -> Where:
    """Ask a question of the time of updating where it is written, else of that of creation."""
    if op == "ne":
        return {"$and": [updated, {"$or": [compiler.has(UPDATED), created]}]}
    return {"$or": [updated, {"$and": [compiler.lacks(UPDATED), created]}]}


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
