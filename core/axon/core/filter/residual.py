"""Splitting a filter between a backend and Python.

``CompiledFilter.native`` may match more than the filter, never less; ``residual`` is what the tier still
checks on every row that comes back. Negation turns "more" into "less", so under Not only exact parts count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from axon.core.errors import UnsupportedFilterError
from axon.core.filter.ast import (
    EVERYTHING,
    NOTHING,
    And,
    FilterNode,
    Not,
    Or,
    Predicate,
    all_of,
    any_of,
    negate,
)
from axon.core.filter.evaluate import holds
from axon.core.filter.visitor import Support


class CompiledFilter(msgspec.Struct, frozen=True):
    """A filter in two parts.

    Attributes
    ----------
    native : the backend's own form, or None where everything is fetched.
    residual : what remains to be checked in Python; ``EVERYTHING`` where the backend is exact.
    """

    native: Any
    residual: FilterNode = EVERYTHING


def split(node: FilterNode, support: Callable[[Predicate], Support]) -> tuple[FilterNode, FilterNode]:
    """Split ``node`` into a part for the backend and a residual, so that their conjunction is ``node``.

    Parameters
    ----------
    node : the filter.
    support : tells for one predicate what the backend does with it.

    Returns
    -------
    (native, residual) : ``native`` uses supported predicates only and matches at least what ``node`` does;
        ``residual`` is ``EVERYTHING`` when ``native`` is exact.

    Raises
    ------
    UnsupportedFilterError
        If a predicate can be neither compiled nor checked.
    """
    if _is_supported(node, support):
        return node, EVERYTHING
    if isinstance(node, And):
        parts = [split(child, support) for child in node.children]
        return all_of(native for native, _ in parts), all_of(residual for _, residual in parts)
    if isinstance(node, Or):
        return any_of(split(child, support)[0] for child in node.children), node
    return EVERYTHING, node


def _is_supported(node: FilterNode, support: Callable[[Predicate], Support]) -> bool:
    if isinstance(node, Predicate):
        answer = support(node)
        if answer is Support.UNSUPPORTED:
            raise UnsupportedFilterError(
                f"{type(node).__name__} on {node.field} is not supported by this backend"
            )
        return answer is Support.SUPPORTED
    if isinstance(node, And | Or):
        answers = [_is_supported(child, support) for child in node.children]  # every child may be UNSUPPORTED
        return all(answers)
    return _is_supported(node.child, support) if isinstance(node, Not) else True


def bind_tier(node: FilterNode, tier: str) -> FilterNode:
    """Replace every predicate on ``tier`` by its truth for ``tier``, which adapters do not know themselves."""
    if isinstance(node, Predicate):
        if node.field.name == "tier" and not node.field.is_metadata:
            return EVERYTHING if holds(node, tier) else NOTHING
        return node
    if isinstance(node, And):
        return all_of(bind_tier(child, tier) for child in node.children)
    if isinstance(node, Or):
        return any_of(bind_tier(child, tier) for child in node.children)
    return negate(bind_tier(node.child, tier)) if isinstance(node, Not) else node
