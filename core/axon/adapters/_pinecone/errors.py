"""From Pinecone's errors to Axon's."""

from __future__ import annotations

from pinecone.errors import exceptions as vendor

from axon.adapters._shared.translation import NoCollectionError, Translated, by_status
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    EmbeddingMismatchError,
)
from axon.core.retry import retry_after_seconds


class OlderStateError(Exception):
    """An answer lacks what was in one before; never leaves the adapter."""


ERRORS: tuple[tuple[type[Exception], type[AxonError], str, bool], ...] = (
    (
        OlderStateError,
        AdapterError,
        "it answers from a state older than what it showed before; try again",
        True,
    ),
    (
        vendor.PineconeTimeoutError,
        AdapterTimeout,
        "raise the timeout option, or look at its status page",
        True,
    ),
    (vendor.PineconeConnectionError, AdapterUnavailable, "check that the server runs at this host", True),
    (vendor.PineconeError, AdapterError, "", False),
    (TimeoutError, AdapterTimeout, "raise the timeout option, or look at its status page", True),
    (OSError, AdapterUnavailable, "check that the server runs at this host", True),
)
"""Most specific first: Pinecone's error, Axon's, advice, and whether it passes; anything else is an ``AdapterError``.

An answer with an HTTP status is judged by that before this table is asked. What passes is tried again whatever the call
was, since every call to Pinecone may be repeated: writes replace by id.
"""

OWN_STATUS: dict[int, tuple[type[AdapterError], str, bool]] = {
    402: (AdapterUnavailable, "settle the billing of the account", False),
    500: (AdapterUnavailable, "it failed inside; try again later", True),
}
"""By HTTP status, where Pinecone's meaning is not the common one of ``by_status``."""


def translated(error: Exception, place: str) -> Translated:
    """Find out what one of Pinecone's errors means."""
    where = f"Pinecone at {place}"
    if isinstance(error, vendor.ApiError):
        return _of_status(error, where)
    text = str(error) or type(error).__name__
    for kind, ours, advice, passes in ERRORS:
        if isinstance(error, kind):
            return Translated(ours(f"{where}: {text}" + (f"; {advice}" if advice else "")), passes)
    return Translated(AdapterError(f"{where}: {text}"), False)


def _of_status(error: vendor.ApiError, where: str) -> Translated:
    status, message = int(error.status_code), str(error.message)[:500]
    if status == 404:
        return Translated(NoCollectionError(f"{where}: {message}"), False)
    if status == 400 and "dimension" in message.lower():
        return Translated(
            EmbeddingMismatchError(f"{where}: {message}; use an index of the embedder's dimensions"), False
        )
    if status in OWN_STATUS:
        kind, advice, passes = OWN_STATUS[status]
        return Translated(kind(f"{where}: {message}; {advice}"), passes)
    return by_status(status, message, where, retry_after_seconds(error.headers or {}))
