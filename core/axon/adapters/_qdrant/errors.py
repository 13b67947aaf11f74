"""From Qdrant's errors to Axon's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import httpx
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    EmbeddingMismatchError,
    RateLimited,
)
from axon.core.retry import retry_after_seconds


class NoCollectionError(Exception):
    """The collection is not there; never leaves the adapter."""


STATUS: dict[int, tuple[type[AdapterError], str]] = {
    401: (AdapterUnavailable, "check the api_key option: the server refused it"),
    403: (AdapterUnavailable, "check the api_key option: the server refused it"),
    408: (AdapterTimeout, "raise the timeout option, or look at the server's load"),
    502: (AdapterUnavailable, "the server cannot be reached behind its proxy"),
    503: (AdapterUnavailable, "the server is not ready"),
    504: (AdapterTimeout, "raise the timeout option, or look at the server's load"),
}
"""By HTTP status; any other is an ``AdapterError``."""

GRPC_STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
}

TRANSIENT = (AdapterUnavailable, AdapterTimeout, RateLimited)
"""What trying again may mend. Every call to Qdrant may be repeated: writes replace by id."""


@contextmanager
def mapped_errors(place: str) -> Iterator[None]:
    """Turn Qdrant's errors inside the block into Axon's, and a missing collection into ``NoCollectionError``."""
    try:
        yield
    except (AxonError, NoCollectionError):
        raise
    except Exception as error:  # The client's local form raises bare ValueErrors, and gRPC errors of its own.
        raise translated(error, f"Qdrant at {place}") from error


def translated(error: Exception, place: str) -> Exception:
    """Find the error that stands for one of Qdrant's."""
    if isinstance(error, ResponseHandlingException):
        return _of_transport(error.source, place)
    if isinstance(error, UnexpectedResponse):
        content = error.content.decode(errors="replace")
        return _of_status(error.status_code or 0, content, place, retry_after_seconds(error.headers))
    if isinstance(error, ResourceExhaustedResponse):
        return RateLimited(f"{place}: slow down", error.retry_after_s)
    if isinstance(error, grpc.RpcError):
        code = error.code() if hasattr(error, "code") else None
        detail = error.details() if hasattr(error, "details") else str(error)
        return _of_status(GRPC_STATUS.get(code, 500), str(detail), place, None)
    if isinstance(error, OSError):
        return AdapterUnavailable(f"{place}: {error}; check that the folder exists, is writable and has room")
    return _of_status(400, str(error) or type(error).__name__, place, None)


def _of_transport(source: Exception, place: str) -> AdapterError:
    if isinstance(source, httpx.TimeoutException):
        return AdapterTimeout(
            f"{place}: no answer in time; raise the timeout option, or look at the server's load"
        )
    if isinstance(source, httpx.TransportError | OSError):
        return AdapterUnavailable(f"{place}: {source}; check that the server runs at this address")
    return AdapterError(f"{place}: {source}")


def _of_status(status: int, text: str, place: str, retry_after: float | None) -> Exception:
    lower = text.lower()
    if status == 404 or ("collection" in lower and ("not found" in lower or "doesn't exist" in lower)):
        return NoCollectionError(text)
    if status == 400 and "dimension" in lower:
        return EmbeddingMismatchError(f"{place}: {text}; use the embedder the namespace was filled with")
    if status == 429:
        return RateLimited(f"{place}: slow down", retry_after)
    kind, advice = STATUS.get(status, (AdapterError, ""))
    return kind(f"{place}: {text[:500]}" + (f"; {advice}" if advice else ""))
