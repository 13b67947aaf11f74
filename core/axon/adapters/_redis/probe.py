"""Finding out what the server is, before anything is asked of it."""

from __future__ import annotations

from typing import Any

import msgspec
from redis.exceptions import ResponseError

from axon.adapters._redis.address import Address
from axon.adapters._redis.connection import make_client
from axon.adapters._redis.errors import VENDOR_ERRORS, mapped
from axon.adapters._redis.session import close_client
from axon.core.adapter_options import RedisOptions
from axon.core.errors import ConfigError


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What the server can do.

    Attributes
    ----------
    version : of the server.
    cluster : it is part of a Redis Cluster.
    search : it has the search module, and that can be used: it indexes database 0 only, and not a cluster as a whole.
    persistence : what it writes to disk: ``aof``, ``rdb``, ``none``, or ``unknown`` where it does not tell.
    eviction : its ``maxmemory-policy``; anything but ``noeviction`` may drop entries when memory is short.
    """

    version: str
    cluster: bool
    search: bool
    persistence: str
    eviction: str


async def probe(address: Address, options: RedisOptions) -> Features:
    """Ask the server what it is.

    Raises
    ------
    AdapterError
        If it cannot be reached or refuses.
    ConfigError
        If it is a cluster, and another database than 0 was chosen.
    """
    client = make_client(address, options, cluster=False)
    try:
        info: dict[str, Any] = await client.execute_command("INFO")
        snapshots = await _snapshot_rules(client)
    except VENDOR_ERRORS as error:
        if "not allowed in cluster mode" in str(error):
            raise ConfigError("a Redis Cluster has database 0 only; leave the number out of url") from error
        raise mapped(error, address.label) from error
    finally:
        await close_client(client)
    return Features(
        version=str(info.get("redis_version", "")),
        cluster=bool(info.get("cluster_enabled")),
        search=_has_search(info) and not info.get("cluster_enabled") and not address.arguments.get("db"),
        persistence=_persistence(info, snapshots),
        eviction=str(info.get("maxmemory_policy", "unknown")),
    )


def _has_search(info: dict[str, Any]) -> bool:
    return any(module.get("name") == "search" for module in info.get("modules", ()))


async def _snapshot_rules(client: Any) -> list[bytes] | None:
    """Ask when the server writes snapshots; None where a hosted server does not tell."""
    try:
        rules: list[bytes] = await client.execute_command("CONFIG", "GET", "save")
    except ResponseError:
        return None
    return rules


def _persistence(info: dict[str, Any], snapshots: list[bytes] | None) -> str:
    if info.get("aof_enabled"):
        return "aof"
    if snapshots is None:
        return "unknown"
    return "rdb" if any(snapshots[1::2]) else "none"
