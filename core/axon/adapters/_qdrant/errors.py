"""From Qdrant's errors to Axon's."""

from __future__ import annotations

import grpc
import httpx
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from axon.adapters._shared.translation import NoCollectionError, Translated, by_status
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    EmbeddingMismatchError,
)
from axon.core.retry import retry_after_seconds

GRPC_STATUS: dict[grpc.StatusCode, int] = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
}

ERRORS: tuple[tuple[type[Exception], type[AdapterError], str, bool], ...] = (
    (httpx.TimeoutException, AdapterTimeout, "raise the timeout option, or look at the server's load", True),
    (httpx.TransportError, AdapterUnavailable, "check that the server runs at this address", True),
    (OSError, AdapterUnavailable, "check that the folder exists, is writable and has room", False),
    (Exception, AdapterError, "", False),
)
"""What the client meets below itself: the error, Axon's, advice, and whether it passes.

Answers of a server are judged by their status. What passes is tried again whatever the call was, since every call to
Qdrant may be repeated: writes replace by id.
"""


def translated(error: Exception, place: str) -> Translated:
    """Find out what one of Qdrant's errors means."""
    where = f"Qdrant at {place}"
    if isinstance(error, ResponseHandlingException):
        return _by_table(error.source, where)
    if isinstance(error, UnexpectedResponse):
        content = error.content.decode(errors="replace")
        return _by_answer(error.status_code or 0, content, where, retry_after_seconds(error.headers))
    if isinstance(error, ResourceExhaustedResponse):
        return by_status(429, str(error), where, error.retry_after_s)
    if isinstance(error, QdrantException):
        # The client reads no other Retry-After than a number.
        return by_status(429, str(error), where, None)
    if isinstance(error, grpc.RpcError):
        return _of_grpc(error, where)
    if isinstance(error, OSError | httpx.HTTPError):
        return _by_table(error, where)
    # The client's local form raises bare ValueErrors.
    return _by_answer(400, str(error) or type(error).__name__, where, None)


def _by_table(error: Exception, where: str) -> Translated:
    ours, advice, passes = next(row[1:] for row in ERRORS if isinstance(error, row[0]))
    text = str(error) or type(error).__name__
    return Translated(ours(f"{where}: {text}" + (f"; {advice}" if advice else "")), passes)


def _of_grpc(error: grpc.RpcError, where: str) -> Translated:
    code = error.code() if hasattr(error, "code") else None
    detail = str(error.details() if hasattr(error, "details") else error)
    status = GRPC_STATUS.get(code, 500)
    if status == 429 and "larger than max" in detail:
        status = 413
    return _by_answer(status, detail, where, None)


def _by_answer(status: int, text: str, where: str, retry_after: float | None) -> Translated:
    lower = text.lower()
    if status == 404 or ("collection" in lower and ("not found" in lower or "doesn't exist" in lower)):
        return Translated(NoCollectionError(f"{where}: {text}"), False)
    if status == 400 and "dimension" in lower:
        message = f"{where}: {text}; use the embedder the namespace was filled with"
        return Translated(EmbeddingMismatchError(message), False)
    return by_status(status, text, where, retry_after)
