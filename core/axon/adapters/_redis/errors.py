"""From redis-py's errors to Axon's."""

from __future__ import annotations

from redis import exceptions as vendor

from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable

_UNREACHABLE = "check that the server runs and that url is right"

ERRORS: tuple[tuple[type[BaseException], type[AdapterError], str], ...] = (
    (vendor.AuthenticationError, AdapterUnavailable, "check the user and password in url"),
    (vendor.AuthorizationError, AdapterUnavailable, "check the user's permissions"),
    (vendor.NoPermissionError, AdapterUnavailable, "the user may not run a command that Axon needs"),
    (vendor.MaxConnectionsError, AdapterTimeout, "raise max_connections"),
    (vendor.BusyLoadingError, AdapterUnavailable, "the server is still loading its data"),
    (vendor.ReadOnlyError, AdapterUnavailable, "the server is a replica; name the primary"),
    (vendor.MasterDownError, AdapterUnavailable, "the replica has lost its primary"),
    (vendor.ClusterDownError, AdapterUnavailable, "the cluster does not cover all slots"),
    (vendor.TryAgainError, AdapterUnavailable, "the cluster is moving the slot"),
    (vendor.SlotNotCoveredError, AdapterUnavailable, "the cluster does not cover all slots"),
    (vendor.RedisClusterException, AdapterUnavailable, _UNREACHABLE),
    (vendor.OutOfMemoryError, AdapterUnavailable, "the server is full; raise maxmemory or delete entries"),
    (vendor.TimeoutError, AdapterTimeout, "raise socket_timeout or look at the server's load"),
    (vendor.ConnectionError, AdapterUnavailable, _UNREACHABLE),
    (TimeoutError, AdapterTimeout, "raise socket_timeout or look at the server's load"),
    (OSError, AdapterUnavailable, _UNREACHABLE),
    (vendor.RedisError, AdapterError, ""),
)
"""Most specific first. The advice completes the message."""

TRANSIENT: tuple[type[BaseException], ...] = (
    vendor.BusyLoadingError,
    vendor.ReadOnlyError,
    vendor.MasterDownError,
    vendor.ClusterDownError,
    vendor.TryAgainError,
    vendor.SlotNotCoveredError,
    vendor.RedisClusterException,
    vendor.ConnectionError,
    OSError,
)
"""What may be over in a moment. A time-out is not among them: it has already cost ``socket_timeout``."""

_PERMANENT = (
    vendor.AuthenticationError,
    vendor.AuthorizationError,
    vendor.MaxConnectionsError,
    TimeoutError,
    AdapterError,
)
"""Children of the errors above that waiting does not cure; the last is the circuit's, which is not to be waited for."""

VENDOR_ERRORS = (vendor.RedisError, vendor.RedisClusterException, OSError)
"""Everything that redis-py lets out of a call that was made rightly."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same call may succeed in a moment."""
    return isinstance(error, TRANSIENT) and not isinstance(error, _PERMANENT)


def mapped(error: BaseException, server: str) -> AdapterError:
    """Make Axon's error for one of redis-py's.

    Parameters
    ----------
    error : what redis-py raised or answered.
    server : the address without user and password.
    """
    if isinstance(error, AdapterError):
        return error
    text = str(error) or type(error).__name__
    if "No connection available" in text:
        return AdapterTimeout(f"{server}: all connections are in use; raise max_connections")
    for kind, ours, advice in ERRORS:
        if isinstance(error, kind):
            return ours(f"{server}: {text}" + (f"; {advice}" if advice else ""))
    return AdapterError(f"{server}: {text}")
