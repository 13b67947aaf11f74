"""Checks at the edge of the API. Written by hand because every store passes through them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Any

import numpy as np

from axon.core.compartments import SEPARATOR, Compartment
from axon.core.errors import EmbeddingError, EmptyTextError, InvalidInputError
from axon.core.models import Tier, Vector, checked_str

_FLOAT32 = np.dtype(np.float32)
_MAX_SQUARED = 1e30
"""Squared length up to which float32 arithmetic on a vector is safe."""


def check_text(text: Any) -> str:
    """Return ``text``; blank text is an ``EmptyTextError``, anything but text an ``InvalidInputError``."""
    if not isinstance(text, str):
        raise InvalidInputError(f"text must be a string, not {type(text).__name__}")
    if not text or text.isspace():
        raise EmptyTextError("text is blank; store something that can be recalled")
    return text if type(text) is str and text.isascii() else checked_str(text, "text")


def check_id(id: Any) -> str:
    """Return ``id``: any string but the empty one."""
    if not isinstance(id, str) or not id:
        raise InvalidInputError(f"an id must be a non-empty string, not {id!r}")
    return id if type(id) is str and id.isascii() else checked_str(id, "an id")


def check_importance(importance: Any) -> float:
    """Return ``importance`` as a float in [0, 1]."""
    if isinstance(importance, bool) or not isinstance(importance, int | float | np.floating | np.integer):
        raise InvalidInputError(f"importance must be a number in [0, 1], not {importance!r}")
    if not 0.0 <= importance <= 1.0:
        raise InvalidInputError(f"importance must be in [0, 1], not {importance}")
    return float(importance)


def check_tags(tags: Any) -> tuple[str, ...]:
    """Return tags without repeats, in order; each a non-empty string."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise InvalidInputError(f"tags must be a list of strings, not {tags!r}")
    unique = dict.fromkeys(tags)
    for tag in unique:
        if not isinstance(tag, str) or not tag:
            raise InvalidInputError(f"a tag must be a non-empty string, not {tag!r}")
    return tuple(checked_str(tag, "a tag") for tag in unique)


def check_session_id(session_id: Any) -> str | None:
    """Return ``session_id``: a non-empty string, or None."""
    if session_id is None:
        return None
    if not isinstance(session_id, str) or not session_id:
        raise InvalidInputError(f"session_id must be a non-empty string or None, not {session_id!r}")
    return checked_str(session_id, "session_id")


def check_ttl(ttl: Any) -> float | None:
    """Return ``ttl``: seconds > 0, or None."""
    if ttl is None:
        return None
    if isinstance(ttl, bool) or not isinstance(ttl, int | float) or not isfinite(ttl) or ttl <= 0:
        raise InvalidInputError(f"ttl must be a number of seconds above 0, not {ttl!r}")
    if ttl > 1e11:
        raise InvalidInputError(
            f"ttl={ttl} seconds is beyond the calendar; leave it out for entries that stay"
        )
    return float(ttl)


def check_k(k: Any) -> int:
    """Return ``k``: an integer >= 1."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InvalidInputError(f"k must be an integer >= 1, not {k!r}")
    return int(k)


def check_namespace(namespace: Any) -> str:
    """Return ``namespace``: any non-empty string without U+001F, or a compartment."""
    if not isinstance(namespace, str) or not namespace:
        raise InvalidInputError(f"a namespace must be a non-empty string, not {namespace!r}")
    if SEPARATOR in namespace and not isinstance(namespace, Compartment):
        raise InvalidInputError(
            f"the namespace {namespace!r} holds U+001F, which Axon keeps for the compartments of a namespace"
        )
    return checked_str(namespace, "a namespace")


def check_tiers(tier: Any, configured: Sequence[Tier]) -> tuple[Tier, ...]:
    """Read ``tier=``, one name or several, from the most fleeting to the most durable; None means all configured."""
    if tier is None:
        return tuple(configured)
    names = [tier] if isinstance(tier, str) else list(tier)
    if not names:
        raise InvalidInputError("tier=[] names no tier; leave it out to use all")
    for name in names:
        if name not in configured:
            known = ", ".join(configured)
            raise InvalidInputError(f"there is no tier {name!r} in this memory; configured: {known}")
    return tuple(each for each in configured if each in names)


def check_vector(source: Any) -> Vector:
    """Return a vector as float32 of shape (dims,), finite and not too long for float32 arithmetic.

    Raises
    ------
    EmbeddingError
        If it is no vector, or holds NaN or infinity.
    """
    return measure_vector(source)[0]


def measure_vector(source: Any) -> tuple[Vector, float]:
    """Like :func:`check_vector`; also returns the squared length, which the check needs anyway."""
    vector: Vector = source
    if type(source) is not np.ndarray or source.dtype is not _FLOAT32:
        try:
            vector = np.asarray(source, dtype=np.float32)
        except (TypeError, ValueError, OverflowError) as error:
            raise EmbeddingError(f"an embedding must be a list or array of numbers ({error})") from error
    if vector.ndim != 1 or not vector.size:
        raise EmbeddingError(
            f"an embedding must have one dimension and at least one number, not shape {vector.shape}"
        )
    # One product tells that all numbers are finite: NaN and infinity both spoil it.
    squared = float(vector.dot(vector))
    if not squared < _MAX_SQUARED:
        raise EmbeddingError("an embedding must be finite: it holds NaN, infinity or numbers beyond 1e15")
    return vector, squared


def check_matrix(matrix: Any, rows: int) -> Any:
    """Return embeddings as C-contiguous float32 of shape (rows, dims), finite; the error names the first bad row."""
    try:
        matrix = np.ascontiguousarray(matrix, dtype=np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise EmbeddingError(
            f"embeddings must be an array or lists of numbers of one length ({error})"
        ) from error
    if matrix.ndim != 2 or matrix.shape[0] != rows or matrix.shape[1] == 0:
        raise EmbeddingError(
            f"embeddings must have shape ({rows}, dims), one row per item, not {matrix.shape}"
        )
    good = np.einsum("ij,ij->i", matrix, matrix) < _MAX_SQUARED
    if not good.all():
        bad = EmbeddingError("an embedding must be finite: it holds NaN, infinity or numbers beyond 1e15")
        bad.index = int(np.argmin(good))
        raise bad
    return matrix
