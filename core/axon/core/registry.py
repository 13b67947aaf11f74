"""Adapters by name. Reached by string only, so that no client package is imported before it is used."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

from axon.core.adapter_options import OPTIONS, AdapterOptions, nearest, read_options
from axon.core.clock import Clock
from axon.core.errors import ConfigError
from axon.core.policies import TierPolicy
from axon.core.ports import StorageAdapter


class Registration(NamedTuple):
    """Where an adapter lives.

    Attributes
    ----------
    target : ``"module:Class"``; the class takes its options and a clock.
    extra : the optional dependency group it needs, or None.
    """

    target: str
    extra: str | None = None


_ADAPTERS: dict[str, Registration] = {
    "memory": Registration("axon.adapters.memory:MemoryAdapter"),
    "sqlite": Registration("axon.adapters.sqlite:SqliteAdapter"),
    "redis": Registration("axon.adapters.redis:RedisAdapter", "redis"),
    "qdrant": Registration("axon.adapters.qdrant:QdrantAdapter", "qdrant"),
    "pinecone": Registration("axon.adapters.pinecone:PineconeAdapter", "pinecone"),
    "chroma": Registration("axon.adapters.chroma:ChromaAdapter", "chroma"),
}


def register_adapter(name: str, target: str, options: type[AdapterOptions], extra: str | None = None) -> None:
    """Make an adapter known under ``adapter_type=name``.

    Raises
    ------
    ConfigError
        If the name is taken by another adapter or ``target`` is not ``"module:Class"``.
    """
    if target.count(":") != 1:
        raise ConfigError(f"target must be 'module:Class', not {target!r}")
    known = _ADAPTERS.get(name)
    if known is not None and known.target != target:
        raise ConfigError(f"adapter_type {name!r} is taken by {known.target}")
    _ADAPTERS[name] = Registration(target, extra)
    OPTIONS[name] = options


def adapter_names() -> list[str]:
    """Names that ``adapter_type`` takes, sorted."""
    return sorted(_ADAPTERS)


def build_adapter(policy: TierPolicy, clock: Clock) -> StorageAdapter:
    """Make the adapter a policy names; no I/O.

    Raises
    ------
    ConfigError
        For an unknown adapter or wrong options.
    MissingDependencyError
        If the adapter's client package is not installed.
    """
    registration = _ADAPTERS.get(policy.adapter_type)
    if registration is None:
        raise ConfigError(
            f"no adapter is registered as {policy.adapter_type!r}{nearest(policy.adapter_type, _ADAPTERS)}"
        )
    options = read_options(policy.adapter_type, policy.adapter_config).for_tier(policy.tier)
    module, _, name = registration.target.partition(":")
    adapter = getattr(import_module(module), name)(options, clock=clock)
    if not isinstance(adapter, StorageAdapter):
        raise ConfigError(f"{registration.target} is not a StorageAdapter")
    return adapter
