"""From a URL to the arguments of a client, and to a name that may be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection, parse_url
from redis.asyncio.sentinel import SentinelConnectionPool

from axon.core.adapter_options import RedisOptions
from axon.core.errors import ConfigError

_SENTINEL = {"redis+sentinel": False, "rediss+sentinel": True}
_DEFAULT_SENTINEL_PORT = 26379
_CLIENTS_OWN = frozenset(
    {
        "encoding",
        "encoding_errors",
        "parser_class",
        "retry_on_error",
        "redis_connect_func",
        "event_dispatcher",
    }
) | {
    "maint_notifications_config",
    "oss_cluster_maint_notifications_handler",
    "maint_notifications_pool_handler",
}
"""Settings of a client's connections that make sense for that client only."""

_FORMS = "redis://, rediss://, unix:// or redis+sentinel://host:port,host:port/service/db"


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server is.

    Attributes
    ----------
    arguments : of a connection, credentials included; never shown.
    label : the address without user and password.
    sentinels : hosts and ports to ask for the primary; empty where the address is the server's own.
    service : the name under which the sentinels know the primary.
    """

    arguments: Mapping[str, Any] = field(repr=False)
    label: str
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""


def read_address(url: str) -> Address:
    """Read a URL.

    Raises
    ------
    ConfigError
        If it has none of the known forms; the message does not repeat it, since it may hold a password.
    """
    scheme = url.partition("://")[0]
    try:
        if scheme in _SENTINEL:
            return _read_sentinel(url, tls=_SENTINEL[scheme])
        arguments: dict[str, Any] = dict(parse_url(url))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"url cannot be read; it must be {_FORMS}") from error
    return Address(arguments, _label(scheme, arguments))


def address_of(options: RedisOptions) -> Address:
    """Find out where the server of some options is: from the client the user gave, else from the URL.

    Raises
    ------
    ConfigError
        If the URL cannot be read, or the client is none of ``redis.asyncio``.
    """
    if options.client is None:
        return read_address(options.url.get_secret_value())
    pool = getattr(options.client, "connection_pool", None)
    if not isinstance(options.client, Redis) or pool is None:
        raise ConfigError("client must be a redis.asyncio.Redis; name a cluster by url")
    if isinstance(pool, SentinelConnectionPool):
        raise ConfigError(
            "a client behind sentinels cannot be shared; name the sentinels by url=redis+sentinel://"
        )
    arguments = {key: value for key, value in pool.connection_kwargs.items() if key not in _CLIENTS_OWN}
    if pool.connection_class is not Connection:
        arguments["connection_class"] = pool.connection_class
    return Address(
        arguments, _label("rediss" if pool.connection_class is SSLConnection else "redis", arguments)
    )


def _label(scheme: str, arguments: Mapping[str, Any]) -> str:
    if "path" in arguments:
        return f"{scheme}://{arguments['path']}"
    host, port = arguments.get("host", "localhost"), arguments.get("port", 6379)
    return f"{scheme}://{host}:{port}/{arguments.get('db', 0)}"


def _read_sentinel(url: str, *, tls: bool) -> Address:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.lstrip("/").partition("/")
    sentinels = tuple(_host_and_port(each) for each in hosts.split(",") if each)
    if not sentinels or not service:
        raise ValueError("a sentinel URL names sentinels and a service")
    user, _, password = credentials.partition(":")
    arguments: dict[str, Any] = {"db": int(database or 0)}
    if user:
        arguments["username"] = unquote(user)
    if password:
        arguments["password"] = unquote(password)
    if tls:
        arguments["connection_class"] = SSLConnection
        arguments.update(
            {key: values[0] for key, values in parse_qs(parts.query).items() if key.startswith("ssl_")}
        )
    label = f"{parts.scheme}://{','.join(f'{host}:{port}' for host, port in sentinels)}/{service}"
    return Address(arguments, label, sentinels, service)


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    return (host.strip("[]"), int(port)) if colon else (text, _DEFAULT_SENTINEL_PORT)
