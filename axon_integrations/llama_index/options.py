"""What the keywords of a vector store's calls say: where to look, and what else must hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from axon.core.errors import InvalidInputError
from axon.core.filter import as_node
from axon.core.filter.ast import EVERYTHING, Eq, Field, FilterNode, Gte, In, all_of
from axon.core.filter.parse import filter_value
from axon.core.models import Tier

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem

TierChoice: TypeAlias = str | Sequence[str] | None

_IMPORTANCE = Field("importance")
_TIER = Field("tier")
_KEYWORDS = ("tier", "namespace", "min_importance", "filter")


@dataclass(frozen=True, slots=True)
class Target:
    """Where one call looks.

    Attributes
    ----------
    memory : bound to the namespace.
    tiers : names, at least one; None for all tiers.
    node : what else must hold, besides the call's own filters.
    """

    memory: MemorySystem
    tiers: tuple[str, ...] | None = None
    node: FilterNode = EVERYTHING

    @property
    def restriction(self) -> FilterNode:
        """``node`` and the tiers in one tree, for calls that take no ``tier=``."""
        if self.tiers is None:
            return self.node
        only = Eq(_TIER, self.tiers[0]) if len(self.tiers) == 1 else In(_TIER, self.tiers)
        return all_of((only, self.node))


def read_target(
    memory: MemorySystem, bound_tier: str | None, bound_namespace: str | None, keywords: Mapping[str, Any]
) -> Target:
    """Combine what a store is bound to with the keywords of one call.

    Parameters
    ----------
    memory : already in ``bound_namespace``.
    bound_tier, bound_namespace : what the store was made with; None for not bound.
    keywords : ``tier`` (one or several), ``namespace``, ``min_importance`` in [0, 1], ``filter``.

    Raises
    ------
    TypeError
        For any other keyword: what it was meant to restrict must not be dropped.
    InvalidInputError
        If a keyword would lead out of the tier or the namespace that the store is bound to.
    """
    _check_known(keywords, _KEYWORDS)
    parts = [as_node(keywords.get("filter"))]
    min_importance = keywords.get("min_importance")
    if min_importance is not None:
        parts.append(Gte(_IMPORTANCE, filter_value(_IMPORTANCE, min_importance)))
    return Target(
        _in_namespace(memory, bound_namespace, keywords.get("namespace")),
        _read_tiers(bound_tier, keywords.get("tier")),
        all_of(parts),
    )


@dataclass(frozen=True, slots=True)
class WriteTarget:
    """Where one call writes.

    Attributes
    ----------
    memory : bound to the namespace.
    tier : of every node; None to let each node's importance decide.
    ttl : seconds, > 0; None for the tier's own.
    """

    memory: MemorySystem
    tier: str | None = None
    ttl: float | None = None

    def tier_of(self, importance: float | None) -> str | None:
        """Name the tier of a node; None where its importance routes it."""
        if self.tier is not None:
            return self.tier
        # What nobody called fleeting must not expire by accident.
        return None if importance is not None else self.memory.tiers[-1]


def read_write_target(
    memory: MemorySystem, bound_tier: str | None, bound_namespace: str | None, keywords: Mapping[str, Any]
) -> WriteTarget:
    """Combine what a store is bound to with the keywords of ``add``: ``tier``, ``namespace``, ``ttl``.

    Raises
    ------
    TypeError
        For any other keyword.
    InvalidInputError
        If a keyword leads out of what the store is bound to, or more than one tier is named.
    """
    _check_known(keywords, ("tier", "namespace", "ttl"))
    tiers = _read_tiers(bound_tier, keywords.get("tier"))
    if tiers is not None and len(tiers) > 1:
        raise InvalidInputError(f"a node is written to one tier, not to {', '.join(tiers)}")
    return WriteTarget(
        _in_namespace(memory, bound_namespace, keywords.get("namespace")),
        None if tiers is None else tiers[0],
        keywords.get("ttl"),
    )


def read_tier(name: str) -> Tier:
    """Read the name of a tier.

    Raises
    ------
    InvalidInputError
        If there is no such tier.
    """
    try:
        return Tier(name)
    except ValueError:
        raise InvalidInputError(f"unknown tier {name!r}; known: {', '.join(Tier)}") from None


def _check_known(keywords: Mapping[str, Any], known: Sequence[str]) -> None:
    for keyword in keywords:
        if keyword not in known:
            raise TypeError(f"AxonVectorStore takes no keyword {keyword!r} here; known: {', '.join(known)}")


def _in_namespace(memory: MemorySystem, bound: str | None, namespace: str | None) -> MemorySystem:
    if namespace is None or namespace == bound:
        return memory
    if bound is not None:
        raise InvalidInputError(f"this store is bound to namespace {bound!r}; make another for {namespace!r}")
    return memory.scope(namespace)


def _read_tiers(bound: str | None, choice: TierChoice) -> tuple[str, ...] | None:
    if choice is None:
        return None if bound is None else (bound,)
    tiers = tuple(read_tier(name) for name in ((choice,) if isinstance(choice, str) else choice))
    if not tiers:
        raise InvalidInputError("tier=[] names no tier; leave it out to ask all of them")
    if bound is not None and tiers != (bound,):
        raise InvalidInputError(
            f"this store is bound to the {bound} tier; make another for {', '.join(tiers)}"
        )
    return tiers
