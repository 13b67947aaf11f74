"""From Chroma's errors to Axon's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import httpx
from chromadb import errors as vendor

from axon.adapters._shared.translation import NoCollectionError, Translated, by_status
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    EmbeddingMismatchError,
    RateLimited,
)
from axon.core.retry import retry_after_seconds

T = TypeVar("T")

_OTHER_EMBEDDER = "use the embedder the namespace was filled with"
_CREDENTIALS = "check the headers option: the server refused the credentials"

ERRORS: tuple[tuple[type[Exception], type[AxonError], str, bool], ...] = (
    (vendor.NotFoundError, NoCollectionError, "", False),
    (vendor.InvalidDimensionException, EmbeddingMismatchError, _OTHER_EMBEDDER, False),
    (vendor.RateLimitError, RateLimited, "slow down", True),
    (vendor.ChromaAuthError, AdapterUnavailable, _CREDENTIALS, False),
    (vendor.AuthorizationError, AdapterUnavailable, _CREDENTIALS, False),
    (vendor.ChromaError, AdapterError, "", False),
    (httpx.TimeoutException, AdapterTimeout, "raise the timeout option, or look at the server's load", True),
    (httpx.TransportError, AdapterUnavailable, "check that the server runs at this host and port", True),
    (httpx.HTTPError, AdapterError, "", False),
    (OSError, AdapterUnavailable, "check that the folder exists, is writable and has room", False),
)
"""Most specific first: Chroma's error, Axon's, advice, and whether it passes; anything else is an ``AdapterError``.

An answer of a server is judged by its status before this table is asked, where ``STATUS`` has it. What passes is tried
again whatever the call was, since every call to Chroma may be repeated: writes replace by id.
"""


def translated(error: Exception, place: str) -> Translated:
    """Find out what one of Chroma's errors means."""
    text = str(error) or type(error).__name__
    where = f"Chroma at {place}"
    if isinstance(error, httpx.HTTPStatusError):
        response = error.response
        return by_status(response.status_code, response.text, where, retry_after_seconds(response.headers))
    if isinstance(error, vendor.InvalidArgumentError) and "dimension" in text:
        return Translated(EmbeddingMismatchError(f"{where}: {text}; {_OTHER_EMBEDDER}"), False)
    for kind, ours, advice, passes in ERRORS:
        if isinstance(error, kind):
            return Translated(ours(f"{where}: {text}" + (f"; {advice}" if advice else "")), passes)
    return Translated(AdapterError(f"{where}: {text}"), False)


def quietly(call: Callable[[], T]) -> T | None:
    """Call, and return None where the collection is not there."""
    try:
        return call()
    except NoCollectionError:
        return None
