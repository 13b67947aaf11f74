"""Which tiers a memory has, and the ready-made combinations."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

from pydantic import Field, model_validator

from axon.core.errors import ConfigError
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

    @classmethod
    def from_file(cls, path: str | PathLike[str], *, embedder: Any = None) -> Self:
        """Read a configuration from a TOML or JSON file: one table per tier, ``routing`` and ``ranking``.

        Parameters
        ----------
        path : ends in ``.toml`` or ``.json``. ``${NAME}`` in a string stands for an environment variable, so that no
            secret need be in the file. Paths in it are relative to the current directory.
        embedder : a model object, or None for the built-in lexical one.

        Raises
        ------
        ConfigError
            If the file cannot be read, a variable is not set, or a table, field or value is wrong.
        """
        # Needed by those alone who configure by file.
        from axon.core.config_file import read_config_file

        tables = read_config_file(Path(path))
        if "embedder" in tables:
            raise ConfigError(
                f"{path}: a file cannot hold an embedder; give it to MemorySystem(embedder=...)"
            )
        try:
            parts = {name: _read_table(name, table) for name, table in tables.items()}
            return cls(**parts, embedder=embedder)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None


_TABLES: dict[str, type[Policy]] = {
    "ephemeral": EphemeralPolicy,
    "session": SessionPolicy,
    "persistent": PersistentPolicy,
    "routing": RoutingPolicy,
    "ranking": RankingPolicy,
}


def _read_table(name: str, table: Any) -> Any:
    policy = _TABLES.get(name)
    if policy is None:
        return table
    if not isinstance(table, dict):
        raise ConfigError(f"{name} must be a table")
    try:
        return policy(**table)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from None
