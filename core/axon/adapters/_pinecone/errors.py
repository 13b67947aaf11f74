"""From Pinecone's errors to Axon's."""

from __future__ import annotations

import httpx
from pinecone.errors.exceptions import (
    ApiError,
    NotFoundError,
    PineconeConnectionError,
    PineconeError,
    PineconeTimeoutError,
    RateLimitError,
)

from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    EmbeddingMismatchError,
    RateLimited,
)
from axon.core.retry import retry_after_seconds

VENDOR_ERRORS = (PineconeError, httpx.HTTPError, OSError)


class NoNamespaceError(Exception):
    """The namespace is not there; never leaves the adapter."""


class Passing(Exception):
    """A failure that may pass when tried again; never leaves the adapter.

    Parameters
    ----------
    error : what to raise when it does not pass.
    """

    def __init__(self, error: AdapterError) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after: float | None = getattr(error, "retry_after", None)


_KEY = "check the api_key option: Pinecone refused it"
_LOAD = "raise the timeout option, or look at Pinecone's status page"

STATUS: dict[int, tuple[type[AdapterError], str, bool]] = {
    401: (AdapterUnavailable, _KEY, False),
    402: (AdapterUnavailable, "Pinecone asks for the account's billing to be settled", False),
    403: (AdapterUnavailable, _KEY + ", or a limit of the project is reached", False),
    408: (AdapterTimeout, _LOAD, True),
    500: (AdapterUnavailable, "Pinecone failed inside; try again later", True),
    502: (AdapterUnavailable, "Pinecone cannot be reached behind its proxy", True),
    503: (AdapterUnavailable, "Pinecone is not ready", True),
    504: (AdapterTimeout, _LOAD, True),
}
"""By HTTP status: the error, what to do, and whether trying again may help; any other is an ``AdapterError``."""


def translated(error: Exception, place: str) -> Exception:
    """Find the error that stands for one of Pinecone's; wrapped in ``Passing`` where trying again may help."""
    where = f"Pinecone at {place}"
    if isinstance(error, RateLimitError):
        asked = error.retry_after
        if asked is None:
            asked = retry_after_seconds(error.headers or {})
        return Passing(RateLimited(f"{where}: slow down", asked))
    if isinstance(error, NotFoundError):
        return NoNamespaceError(str(error))
    if isinstance(error, ApiError):
        return _of_status(error, where)
    if isinstance(error, PineconeTimeoutError):
        return Passing(AdapterTimeout(f"{where}: no answer in time; {_LOAD}"))
    if isinstance(error, PineconeConnectionError | OSError):
        return Passing(AdapterUnavailable(f"{where}: {error}; check the host option and the network"))
    return AdapterError(f"{where}: {error}")


def _of_status(error: ApiError, where: str) -> Exception:
    message = str(error.message)[:500]
    if error.status_code == 400 and "dimension" in message.lower():
        return EmbeddingMismatchError(f"{where}: {message}; use an index of the embedder's dimensions")
    kind, advice, may_pass = STATUS.get(error.status_code, (AdapterError, "", False))
    ours = kind(f"{where}: {error.status_code} {message}" + (f"; {advice}" if advice else ""))
    return Passing(ours) if may_pass else ours
