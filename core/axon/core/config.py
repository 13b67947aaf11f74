"""Which tiers a memory has, and the ready-made combinations."""

from __future__ import annotations

from os import PathLike, fspath
from typing import Any, Self

from pydantic import Field, model_validator

from axon.core.policies import (
    EphemeralPolicy,
    PersistentPolicy,
    Policy,
    RankingPolicy,
    RoutingPolicy,
    SessionPolicy,
    TierPolicy,
)


class MemoryConfig(Policy):
    """Any non-empty set of tiers, the embedder, and the rules that span tiers.

    Attributes
    ----------
    ephemeral, session, persistent : rules of each tier, or None to do without it; without any, all three are
        in process.
    embedder : a model object, or None for the built-in lexical ``HashingEmbedder``.
    routing, ranking : where entries go, how results are ordered.
    """

    ephemeral: EphemeralPolicy | None = None
    session: SessionPolicy | None = None
    persistent: PersistentPolicy | None = None
    embedder: Any = Field(default=None, repr=False)
    routing: RoutingPolicy = RoutingPolicy()
    ranking: RankingPolicy = RankingPolicy()

    @model_validator(mode="after")
    def _check_tiers(self) -> MemoryConfig:
        if not self.tiers:
            raise ValueError("at least one of ephemeral, session, persistent is needed")
        return self

    @property
    def tiers(self) -> list[TierPolicy]:
        """The policies of the configured tiers, from the most fleeting to the most durable."""
        return [policy for policy in (self.ephemeral, self.session, self.persistent) if policy is not None]

    @classmethod
    def in_memory(cls, *, embedder: Any = None) -> Self:
        """Three tiers in this process; gone when it ends."""
        return cls(
            ephemeral=EphemeralPolicy(),
            session=SessionPolicy(),
            persistent=PersistentPolicy(),
            embedder=embedder,
        )

    @classmethod
    def local(cls, path: str | PathLike[str], *, embedder: Any = None) -> Self:
        """Embed everything in one SQLite file: an in-process ephemeral tier, durable session and persistent tiers.

        Parameters
        ----------
        path : the file; made when missing, its folder must exist.
        embedder : a model object, or None for the built-in lexical one.
        """
        file = fspath(path)
        return cls(
            ephemeral=EphemeralPolicy(),
            session=SessionPolicy(
                adapter_type="sqlite", adapter_config={"path": file, "collection": "session"}
            ),
            persistent=PersistentPolicy(
                adapter_type="sqlite", adapter_config={"path": file, "collection": "persistent"}
            ),
            embedder=embedder,
        )
