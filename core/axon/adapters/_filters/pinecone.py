"""Pinecone's metadata filters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import eq_token, support_of
from axon.core.filter.ast import Field, FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

Where: TypeAlias = dict[str, Any]

TOKENS = "tokens"

_MOST_VALUES = 10_000
"""Values that one ``$in`` or ``$nin`` takes."""


class PineconeFilter(NamedTuple):
    """One filter in two languages.

    Attributes
    ----------
    where : what Pinecone is asked; None for everything.
    node : the same for entries that this process wrote and Pinecone does not show yet.
    """

    where: Where | None
    node: FilterNode


class PineconeCompiler(TokenCompiler[Where]):
    """Turn supported predicates into a filter; what a user wrote is only ever a value in it."""

    def has(self, token: str) -> Where:
        """Ask that the entry has the token: ``$in`` looks inside a list of strings."""
        return {TOKENS: {"$in": [token]}}

    def lacks(self, token: str) -> Where:
        """Ask that the entry does not have the token."""
        return {TOKENS: {"$nin": [token]}}

    def compare(self, field: Field, op: Op, value: float) -> Where:
        """Ask that the numeric field is there and compares so; Pinecone compares float64."""
        return {number_key(field): {f"${op}": value}}

    def conjunction(self, clauses: list[Where]) -> Where:
        """All of at least two clauses."""
        return _joined("$and", clauses, "$nin")

    def disjunction(self, clauses: list[Where]) -> Where:
        """Any of at least two clauses."""
        return _joined("$or", clauses, "$in")


def all_of_clauses(*clauses: Where) -> Where:
    """Conjunction of filters, without needless levels."""
    flat = [part for clause in clauses for part in clause.get("$and", (clause,))]
    return flat[0] if len(flat) == 1 else {"$and": flat}


def none_of_ids(ids: Iterable[str]) -> list[Where]:
    """Ask that the entry has none of the ids; as many clauses as it takes."""
    tokens = [eq_token(Field("id"), id) for id in ids]
    return [{TOKENS: {"$nin": some}} for some in _portions(tokens)]


def _portions(tokens: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(tokens), _MOST_VALUES):
        yield tokens[start : start + _MOST_VALUES]


def _joined(word: str, clauses: list[Where], operator: str) -> Where:
    """Join clauses, and those that ask for tokens with ``operator`` into one: any of many, or none of many."""
    tokens = [token for clause in clauses for token in clause.get(TOKENS, {}).get(operator, ())]
    joined = [clause for clause in clauses if operator not in clause.get(TOKENS, {})]
    joined += [{TOKENS: {operator: some}} for some in _portions(tokens)]
    return joined[0] if len(joined) == 1 else {word: joined}


def number_key(field: Field) -> str:
    """Name the metadata key of a numeric field."""
    return encoded_key(field.name) if field.is_metadata else field.name


def encoded_key(key: str) -> str:
    """Spell a metadata key in hexadecimal: Pinecone takes no key that begins with ``$``, and promises no others."""
    return "n" + key.encode(errors="surrogatepass").hex()


def support(predicate: Predicate) -> Support:
    """Tell what Pinecone does with one predicate."""
    return support_of(predicate, exact_times=False)


def compile_filter(node: FilterNode) -> CompiledFilter:
    """Split a filter; ``native`` is a ``PineconeFilter``, or False where nothing matches."""
    supported, residual = split(node, support)
    where = PineconeCompiler().visit(supported)
    if where is False:
        return CompiledFilter(False, residual)
    return CompiledFilter(PineconeFilter(where if isinstance(where, dict) else None, supported), residual)
