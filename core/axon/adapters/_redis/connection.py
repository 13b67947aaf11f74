"""Making clients: for a server, for a cluster, for a primary that sentinels name."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import SSLConnection
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff

from axon.adapters._redis.address import Address
from axon.adapters._redis.session import Client
from axon.core.adapter_options import RedisOptions

_NOT_FOR_CLUSTERS = ("db", "connection_class", "path")


def make_client(address: Address, options: RedisOptions, *, cluster: bool) -> Client:
    """Build a client without I/O, to be used on one loop.

    Answers are bytes and in RESP 2 whatever the user's other clients prefer, and retries are Axon's own: two layers
    of them would multiply the time-outs.
    """
    own: dict[str, Any] = {
        "socket_timeout": options.socket_timeout,
        "socket_connect_timeout": options.socket_connect_timeout,
        "decode_responses": False,
        "protocol": 2,
        "retry": Retry(NoBackoff(), 0),
    }
    arguments = {**address.arguments, **own}
    if cluster:
        return _cluster(arguments, options)
    if address.sentinels:
        return _behind_sentinels(address, arguments, options)
    pool = BlockingConnectionPool(
        max_connections=options.max_connections, timeout=options.socket_timeout, **arguments
    )
    return Redis(connection_pool=pool)


def _cluster(arguments: dict[str, Any], options: RedisOptions) -> RedisCluster:
    tls = arguments.get("connection_class") is SSLConnection
    kept = {key: value for key, value in arguments.items() if key not in _NOT_FOR_CLUSTERS}
    return RedisCluster(**kept, ssl=tls, max_connections=options.max_connections)


def _behind_sentinels(address: Address, arguments: dict[str, Any], options: RedisOptions) -> Redis:
    tls = "connection_class" in arguments
    arguments.pop("connection_class", None)
    asking = {key: arguments[key] for key in ("socket_timeout", "socket_connect_timeout", "retry")}
    make_sentinel: Any = Sentinel
    make_pool: Any = SentinelConnectionPool
    sentinel = make_sentinel(list(address.sentinels), sentinel_kwargs={**asking, "protocol": 2}, ssl=tls)
    pool = make_pool(address.service, sentinel, max_connections=options.max_connections, ssl=tls, **arguments)
    return Redis(connection_pool=pool)
