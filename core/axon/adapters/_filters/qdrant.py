"""Qdrant's filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import support_of
from axon.core.filter.ast import Field, FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

if TYPE_CHECKING:
    from qdrant_client.models import Condition

TOKENS = "tokens"
NUMBERS = "numbers"
NAMESPACE = "namespace"

_RANGES: dict[Op, str] = {"lt": "lt", "lte": "lte", "gt": "gt", "gte": "gte"}


class QdrantCompiler(TokenCompiler["Condition"]):
    """Turn supported predicates into conditions; Qdrant's models are made, so nothing is text that is parsed."""

    def has(self, token: str) -> Condition:
        """Ask that the entry has the token: a keyword match looks inside a list."""
        from qdrant_client.models import FieldCondition, MatchValue

        return FieldCondition(key=TOKENS, match=MatchValue(value=token))

    def lacks(self, token: str) -> Condition:
        """Ask that the entry does not have the token."""
        return self._without(self.has(token))

    def compare(self, field: Field, op: Op, value: float) -> Condition:
        """Ask that the numeric field is there and compares so; Qdrant compares float64."""
        from qdrant_client.models import FieldCondition, Range

        if op in _RANGES:
            bounds: dict[str, float] = {_RANGES[op]: value}
        else:
            bounds = {"gte": value, "lte": value}
        condition = FieldCondition(key=number_key(field), range=Range(**bounds))
        return self._without(condition) if op == "ne" else condition

    def conjunction(self, clauses: list[Condition]) -> Condition:
        """All of at least two clauses."""
        from qdrant_client.models import Filter

        return Filter(must=clauses)

    def disjunction(self, clauses: list[Condition]) -> Condition:
        """Any of at least two clauses."""
        from qdrant_client.models import Filter

        return Filter(should=clauses)

    def _without(self, condition: Condition) -> Condition:
        from qdrant_client.models import Filter

        return Filter(must_not=[condition])


def number_key(field: Field) -> str:
    """Name the payload key of a numeric field; the user's are in hexadecimal, since dots and brackets are paths."""
    return f"{NUMBERS}.{encoded_key(field.name)}" if field.is_metadata else field.name


def encoded_key(key: str) -> str:
    """Spell a metadata key so that no path syntax is in it."""
    return "k" + key.encode(errors="surrogatepass").hex()


def support(predicate: Predicate) -> Support:
    """Tell what Qdrant does with one predicate."""
    return support_of(predicate, exact_times=False)


def compile_filter(node: FilterNode) -> CompiledFilter:
    """Split a filter; ``native`` is a condition, or True for none, or False where nothing matches."""
    supported, residual = split(node, support)
    native: Any = QdrantCompiler().visit(supported)
    return CompiledFilter(native, residual)
