"""Queries of Redis's search module."""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import is_number, support_of
from axon.core.filter.ast import And, Field, FilterNode, IsEmpty, Ordered, Predicate, all_of
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

TOKENS = "t"
_NEGATION = re.compile(r"\(-[@(]")
_RANGES: dict[Op, str] = {"lt": "[-inf ({0}]", "lte": "[-inf {0}]", "gt": "[({0} +inf]", "gte": "[{0} +inf]"}


class RedisCompiler(TokenCompiler[str]):
    """Turn supported predicates into a query; only letters, digits and numbers of ours are ever put into it."""

    def has(self, token: str) -> str:
        """Ask that the entry has the token."""
        return f"@{TOKENS}:{{{tag(token)}}}"

    def lacks(self, token: str) -> str:
        """Ask that the entry does not have the token."""
        return f"(-{self.has(token)})"

    def compare(self, field: Field, op: Op, value: float) -> str:
        """Ask that the numeric field compares so; entry fields are always there."""
        number = f"{value:d}" if isinstance(value, int) else repr(value)
        if op in _RANGES:
            return f"@{field.name}:{_RANGES[op].format(number)}"
        clause = f"@{field.name}:[{number} {number}]"
        return clause if op == "eq" else f"(-{clause})"

    def conjunction(self, clauses: list[str]) -> str:
        """All of at least two clauses."""
        return f"({' '.join(clauses)})"

    def disjunction(self, clauses: list[str]) -> str:
        """Any of at least two clauses."""
        return f"({'|'.join(clauses)})"


@lru_cache(maxsize=10_000)
def tag(token: str) -> str:
    """Spell a token so that nothing in it is syntax: a letter and hexadecimal digits."""
    return "x" + blake2b(token.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def support(predicate: Predicate) -> Support:
    """Tell what the search module does with one predicate; it knows no numeric fields of the user's."""
    field = predicate.field
    if isinstance(predicate, Ordered) and field.is_metadata and is_number(predicate.value):
        return Support.RESIDUAL
    if isinstance(predicate, IsEmpty) and (field.is_metadata or field.name == "session_id"):
        # "Missing, or one of these": a negation among alternatives; see compile_filter.
        return Support.RESIDUAL
    return support_of(predicate, exact_times=False)


def compile_filter(node: FilterNode) -> CompiledFilter:
    """Split a filter; ``native`` is a query, or True for no condition, or False where nothing matches.

    RediSearch 2.10.5 loses matches of a vector query where a negation stands among alternatives. Such a part of a
    filter is left to Python, as a whole.
    """
    supported, residual = split(node, support)
    query = RedisCompiler().visit(supported)
    if not _negates_among_alternatives(query):
        return CompiledFilter(query, residual)
    kept: list[FilterNode] = []
    left: list[FilterNode] = [residual]
    for part in supported.children if isinstance(supported, And) else (supported,):
        (left if _negates_among_alternatives(RedisCompiler().visit(part)) else kept).append(part)
    return CompiledFilter(RedisCompiler().visit(all_of(kept)), all_of(left))


def _negates_among_alternatives(query: str | bool) -> bool:
    return isinstance(query, str) and "|" in query and _NEGATION.search(query) is not None
