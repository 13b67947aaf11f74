"""What a user states about a tier: where it lives, how long entries stay, how many, when they are condensed.

All policies are frozen and refuse unknown fields. The defaults never lose data.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from axon.core.adapter_options import explain, nearest, read_options
from axon.core.errors import ConfigError
from axon.core.models import DEFAULT_IMPORTANCE, Tier

Eviction = Literal["lru", "fifo", "importance"]
RecallMode = Literal["vector", "text", "hybrid"]

_REMOTE_ADAPTERS = frozenset({"pinecone", "qdrant", "chroma"})


class Policy(BaseModel):
    """Base of all policies: frozen, no unknown fields, errors of our own."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def __init__(self, **values: Any) -> None:
        for key in values:
            if key not in type(self).model_fields:
                raise ConfigError(
                    f"{type(self).__name__} has no field {key!r}{nearest(key, type(self).model_fields)}"
                )
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigError(f"{type(self).__name__}: {explain(error)}") from None


class TierPolicy(Policy):
    """Rules of one tier.

    Attributes
    ----------
    adapter_type : ``memory``, ``sqlite``, ``redis``, ``qdrant``, ``chroma``, ``pinecone`` or a registered name.
    adapter_config : options of that adapter; kept read-only and out of every ``repr``, since it may hold secrets.
    ttl_seconds : > 0; entries expire this long after they were written; None for never.
    max_entries : >= 1; most entries per namespace; None for no limit.
    eviction : which entry goes when there is one too many: least recently used, oldest, or least important.
    overflow : an evicted entry is deleted, or moves to the next more durable tier.
    compaction_threshold : >= 1; past this many entries the oldest are condensed; None for never.
    compaction_batch_size : >= 2; entries condensed per step.
    promote_after : >= 1; recalls after which an entry moves to the next more durable tier; None for never.
    demote_after_seconds : > 0; time without access after which an entry moves to the next less durable tier; None for
        never.
    """

    tier: ClassVar[Tier]

    adapter_type: str = "memory"
    adapter_config: Mapping[str, Any] = Field(default_factory=dict, repr=False)
    ttl_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    max_entries: int | None = Field(default=None, ge=1)
    eviction: Eviction = "lru"
    overflow: Literal["evict", "move"] = "evict"
    compaction_threshold: int | None = Field(default=None, ge=1)
    compaction_batch_size: int = Field(default=100, ge=2)
    promote_after: int | None = Field(default=None, ge=1)
    demote_after_seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("adapter_config", mode="after")
    @classmethod
    def _freeze(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        return MappingProxyType(dict(value))

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        # Not in a validator: pydantic runs those again when the policy becomes part of a configuration.
        if self.tier is Tier.EPHEMERAL and self.adapter_type in _REMOTE_ADAPTERS:
            warnings.warn(
                f"{self.adapter_type} is a durable remote store; the ephemeral tier is meant for adapter_type='memory'",
                UserWarning,
                stacklevel=2,
            )

    @model_validator(mode="after")
    def _check_adapter(self) -> TierPolicy:
        if self.adapter_config:
            read_options(self.adapter_type, self.adapter_config)
        return self


class EphemeralPolicy(TierPolicy):
    """Rules of the tier for what matters now: in process by default."""

    tier: ClassVar[Tier] = Tier.EPHEMERAL


class SessionPolicy(TierPolicy):
    """Rules of the tier for what matters in this conversation."""

    tier: ClassVar[Tier] = Tier.SESSION


class PersistentPolicy(TierPolicy):
    """Rules of the tier for what matters for good."""

    tier: ClassVar[Tier] = Tier.PERSISTENT


class RoutingPolicy(Policy):
    """Where an entry goes that names no tier.

    Attributes
    ----------
    ephemeral_below : importance in [0, 1]; below it an entry is ephemeral.
    session_below : importance in [0, 1], at least ``ephemeral_below``; below it an entry belongs to the session.
    default_importance : in [0, 1]; of entries that state none.
    """

    ephemeral_below: float = Field(default=0.3, ge=0, le=1)
    session_below: float = Field(default=0.7, ge=0, le=1)
    default_importance: float = Field(default=DEFAULT_IMPORTANCE, ge=0, le=1)

    @model_validator(mode="after")
    def _check_order(self) -> RoutingPolicy:
        if self.ephemeral_below > self.session_below:
            raise ValueError("ephemeral_below must not exceed session_below")
        return self


class RankingPolicy(Policy):
    """How recalled entries are ordered.

    Attributes
    ----------
    mode : default of ``recall``; None takes ``hybrid`` where a tier has a text index, else ``vector``.
    text_weight : in [0, 1]; share of the text channel in hybrid recall, the rest is the vector's. None takes 0.7
        beside a lexical embedder and 0.4 beside a semantic one; measured, see docs/explanation/recall.md.
    recency_weight, importance_weight : >= 0, relative to relevance with weight 1. Off by default: equal weights
        are known to ruin recall.
    recency_half_life_seconds : > 0; after this long the recency signal has halved.
    """

    mode: RecallMode | None = None
    text_weight: float | None = Field(default=None, ge=0, le=1)
    recency_weight: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    importance_weight: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    recency_half_life_seconds: float = Field(default=7 * 86400.0, gt=0, allow_inf_nan=False)
