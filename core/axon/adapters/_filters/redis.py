"""Queries of Redis's search module."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

from axon.adapters._filters.compiler import Op, TokenCompiler
from axon.adapters._filters.tokens import is_number, support_of
from axon.core.filter.ast import Field, FilterNode, Ordered, Predicate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support

TOKENS = "t"
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
    if isinstance(predicate, Ordered) and predicate.field.is_metadata and is_number(predicate.value):
        return Support.RESIDUAL
    return support_of(predicate, exact_times=False)


def compile_filter(node: FilterNode) -> CompiledFilter:
    """Split a filter; ``native`` is a query, or True for no condition, or False where nothing matches."""
    supported, residual = split(node, support)
    return CompiledFilter(RedisCompiler().visit(supported), residual)
