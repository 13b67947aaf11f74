"""What a vendor's error means: which of Axon's it becomes, and whether it may pass."""

from __future__ import annotations

import copy
from typing import NamedTuple, TypeVar

from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, AxonError, RateLimited

ErrorT = TypeVar("ErrorT", bound=BaseException)


class NoCollectionError(AdapterError):
    """The collection is not there; met where it went away while it was used."""


class Translated(NamedTuple):
    """The meaning of one error.

    Attributes
    ----------
    error : Axon's.
    passes : the same call may succeed in a moment.
    """

    error: AxonError
    passes: bool


class Interrupted(Exception):
    """An attempt that may be repeated; ``cause`` is what it met. Never leaves the adapter."""

    def __init__(self, cause: BaseException) -> None:
        super().__init__(str(cause))
        self.cause = cause

    @property
    def retry_after(self) -> float | None:
        """Seconds the backend asks to wait, or None where it does not say."""
        asked: float | None = getattr(self.cause, "retry_after", None)
        return asked


_REFUSED = "check the credentials in adapter_config: the server refused them"
_SLOW = "raise the timeout option, or look at the server's load"

STATUS: dict[int, tuple[type[AdapterError], str, bool]] = {
    401: (AdapterUnavailable, _REFUSED, False),
    403: (AdapterUnavailable, _REFUSED, False),
    408: (AdapterTimeout, _SLOW, True),
    429: (RateLimited, "slow down", True),
    502: (AdapterUnavailable, "the server cannot be reached behind its proxy", True),
    503: (AdapterUnavailable, "the server is not ready", True),
    504: (AdapterTimeout, _SLOW, True),
}
"""By HTTP status: the error, advice that completes its message, and whether it passes."""


def by_status(status: int, text: str, place: str, retry_after: float | None) -> Translated:
    """Translate the answer of a server or of a proxy before it.

    Parameters
    ----------
    status : of HTTP; one that is not in ``STATUS`` is an ``AdapterError`` that stays.
    text : what the server wrote.
    place : for messages.
    retry_after : seconds the server asks to wait, or None.
    """
    kind, advice, passes = STATUS.get(status, (AdapterError, "", False))
    message = f"{place}: {text[:500] or status}" + (f"; {advice}" if advice else "")
    return Translated(RateLimited(message, retry_after) if kind is RateLimited else kind(message), passes)


def own_copy(error: ErrorT) -> ErrorT:
    """Copy an error for one of several callers, since a raised one gathers tracebacks and may be given a position."""
    if not isinstance(error, AxonError):
        return error
    own = copy.copy(error)
    own.__cause__ = error.__cause__
    return own
