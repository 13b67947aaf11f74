"""From Chroma's errors to Axon's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import httpx
from chromadb import errors as vendor

from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    EmbeddingMismatchError,
    RateLimited,
)

T = TypeVar("T")

ERRORS: tuple[tuple[type[Exception], type[AxonError], str], ...] = (
    (
        vendor.InvalidDimensionException,
        EmbeddingMismatchError,
        "use the embedder the namespace was filled with",
    ),
    (vendor.RateLimitError, RateLimited, "slow down"),
    (
        vendor.ChromaAuthError,
        AdapterUnavailable,
        "check the headers option: the server refused the credentials",
    ),
    (
        vendor.AuthorizationError,
        AdapterUnavailable,
        "check the headers option: the server refused the credentials",
    ),
    (vendor.ChromaError, AdapterError, ""),
    (httpx.TimeoutException, AdapterTimeout, "raise the timeout option, or look at the server's load"),
    (httpx.TransportError, AdapterUnavailable, "check that the server runs at this host and port"),
    (httpx.HTTPError, AdapterError, ""),
    (OSError, AdapterUnavailable, "check that the folder exists, is writable and has room"),
)
"""Most specific first; anything else that Chroma raises is an ``AdapterError``."""

TRANSIENT = (AdapterUnavailable, AdapterTimeout, RateLimited)
"""What trying again may mend. Every call to Chroma may be repeated: writes replace by id."""


@contextmanager
def mapped_errors(place: str) -> Iterator[None]:
    """Turn Chroma's errors inside the block into Axon's, but for ``NotFoundError``, which callers expect."""
    try:
        yield
    except (AxonError, vendor.NotFoundError):
        raise
    except Exception as error:  # Chroma raises bare Exceptions for answers it does not know
        raise as_axon_error(error, place) from error


def as_axon_error(error: Exception, place: str) -> AxonError:
    """Find the error of Axon's that stands for one of Chroma's."""
    text = str(error) or type(error).__name__
    if isinstance(error, vendor.InvalidArgumentError) and "dimension" in text:
        return EmbeddingMismatchError(
            f"Chroma at {place}: {text}; use the embedder the namespace was filled with"
        )
    for kind, ours, advice in ERRORS:
        if isinstance(error, kind):
            return ours(f"Chroma at {place}: {text}" + (f"; {advice}" if advice else ""))
    return AdapterError(f"Chroma at {place}: {text}")


def quietly(call: Callable[[], T]) -> T | None:
    """Call, and return None where the collection is not there."""
    try:
        return call()
    except vendor.NotFoundError:
        return None
