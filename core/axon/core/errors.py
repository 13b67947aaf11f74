"""Every error that leaves Axon.

The tree (builtin parents in brackets)::

    AxonError
    ├── ConfigError [ValueError]              a policy, option or path that cannot work
    ├── MissingDependencyError [ImportError]  an optional package is not installed
    ├── InvalidInputError [ValueError]        text, importance, tags, metadata, id, k, tier of a call
    │   ├── UnknownEntryError [LookupError]   no entry has the id that is to be changed or moved
    │   └── FilterError
    │       ├── InvalidFilterError            a filter that cannot be read
    │       └── UnsupportedFilterError        a filter that cannot be compiled nor checked
    ├── EmbeddingError                        an embedder failed or answered nonsense
    │   ├── EmptyTextError [ValueError]       blank text has no embedding
    │   └── EmbeddingMismatchError [ValueError]   another model or another number of dimensions
    ├── AdapterError                          a backend failed
    │   ├── AdapterTimeout [TimeoutError]
    │   ├── AdapterUnavailable [ConnectionError]
    │   ├── RateLimited
    │   ├── SchemaVersionError                written by a newer Axon
    │   ├── CorruptStoreError                 the file or collection cannot be read
    │   └── CorruptEntryError                 one entry cannot be decoded; its neighbours can
    ├── TierError                             one tier of a call failed; carries the tier and the cause
    └── SyncCallError [RuntimeError]          a blocking call that would wait on its own event loop

The split follows what a caller can do: mend the call, install something, wait and retry, or look at the data.
"""

from __future__ import annotations

from typing import TypeVar


class AxonError(Exception):
    """Root of the tree.

    Attributes
    ----------
    index : position of the item a bulk call failed on, counted from 0; None outside bulk calls.
    stored : how many items of that bulk call were already stored; None outside bulk calls.
    """

    index: int | None = None
    stored: int | None = None


class ConfigError(AxonError, ValueError):
    """A policy, an option or a path that cannot work; the message names the nearest valid choice."""


class MissingDependencyError(AxonError, ImportError):
    """An optional package is not installed; the message is the pip command that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f"{package} is not installed. Run: pip install 'axon-integrations[{extra}]'")
        self.package = package
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingDependencyError], tuple[str, str]]:
        return MissingDependencyError, (self.package, self.extra)


class InvalidInputError(AxonError, ValueError):
    """An argument of a call is outside what the call accepts; nothing was written."""


class UnknownEntryError(InvalidInputError, LookupError):
    """No entry has the id that is to be changed or moved."""


class FilterError(InvalidInputError):
    """A filter cannot be used."""


class InvalidFilterError(FilterError):
    """A filter cannot be read: an operand of the wrong shape, an empty operand list, a bad time."""


class UnsupportedFilterError(FilterError):
    """A filter uses an operator that is unknown, or that can be neither compiled nor checked."""


class EmbeddingError(AxonError):
    """An embedder failed, or answered with the wrong number of rows, dimensions or with NaN."""


class EmptyTextError(EmbeddingError, ValueError):
    """Blank text cannot be embedded or stored."""


class EmbeddingMismatchError(EmbeddingError, ValueError):
    """Vectors of another model or another number of dimensions than the collection holds."""


class AdapterError(AxonError):
    """A storage backend failed."""


class AdapterTimeout(AdapterError, TimeoutError):
    """A backend did not answer within its time limit."""


class AdapterUnavailable(AdapterError, ConnectionError):
    """A backend cannot be reached, was closed, or its file cannot be opened."""


class RateLimited(AdapterError):
    """A backend asks to slow down.

    Attributes
    ----------
    retry_after : seconds to wait, or None when the backend did not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SchemaVersionError(AdapterError):
    """The data was written by a newer version of Axon; upgrade before opening it."""


class CorruptStoreError(AdapterError):
    """A file or collection is damaged or is not Axon's."""


class CorruptEntryError(AdapterError):
    """One stored entry cannot be decoded.

    Attributes
    ----------
    entry_id : the id of the entry, as far as it could be read.
    """

    def __init__(self, message: str, entry_id: str | None = None) -> None:
        super().__init__(message)
        self.entry_id = entry_id


class TierError(AxonError):
    """One tier of a call failed.

    Attributes
    ----------
    tier : name of the tier.
    cause : the error of its adapter.
    """

    def __init__(self, tier: str, cause: BaseException) -> None:
        super().__init__(f"the {tier} tier failed: {cause}")
        self.tier = tier
        self.cause = cause

    def __reduce__(self) -> tuple[type[TierError], tuple[str, BaseException]]:
        return TierError, (self.tier, self.cause)


class SyncCallError(AxonError, RuntimeError):
    """A blocking call was made on the event loop that would have to serve it; use the ``await`` form."""


ErrorT = TypeVar("ErrorT", bound=AxonError)


def at_position(error: ErrorT, index: int, stored: int) -> ErrorT:
    """Name the item of a bulk call in ``error``, keeping its type.

    Parameters
    ----------
    error : the error of one item; changed in place.
    index : position of the item, from 0.
    stored : how many items of the call were stored before the error.

    Returns
    -------
    The same error object.
    """
    kept = "nothing of this call was stored" if stored == 0 else f"{stored} items before it were stored"
    message = error.args[0] if error.args else type(error).__name__
    error.args = (f"item {index}: {message} ({kept})", *error.args[1:])
    error.index = index
    error.stored = stored
    return error
