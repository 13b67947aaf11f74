"""What may go into a model, and what may come out of it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from axon.core.errors import EmbeddingError, EmptyTextError, InvalidInputError
from axon.core.models import checked_str


def checked_texts(texts: Iterable[str], first: int = 0) -> list[str]:
    """Return texts that can be embedded, as a list of plain strings.

    Parameters
    ----------
    texts : any number.
    first : position of the first one, for messages; >= 0.

    Raises
    ------
    EmptyTextError
        If one is blank; its ``index`` says which.
    InvalidInputError
        If one is no string or cannot be encoded (``index`` says which), or ``texts`` is itself a string.
    """
    if isinstance(texts, str | bytes):
        raise InvalidInputError("a list of texts is needed, not one string; embed() takes a single text")
    checked = []
    for index, text in enumerate(texts, first):
        try:
            checked.append(_checked_text(text))
        except (EmptyTextError, InvalidInputError) as error:
            error.index = index
            error.args = (f"text {index} {error.args[0]}",)
            raise
    return checked


def _checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidInputError(f"must be a string, not {type(text).__name__}")
    if not text or text.isspace():
        raise EmptyTextError("is blank, and blank text has no embedding")
    return checked_str(text, "of this call")


def checked_rows(answer: ArrayLike, count: int, dims: int | None, model: str) -> NDArray[np.float32]:
    """Return a model's answer as an array that can be trusted.

    Parameters
    ----------
    answer : numbers, shape (count, dims).
    count : how many texts the model was given.
    dims : numbers per vector, >= 1, or None if not known yet.
    model : name for messages.

    Returns
    -------
    float32, shape (count, dims), C-contiguous, finite.

    Raises
    ------
    EmbeddingError
        If the shape is another one, or a number is NaN, infinite or beyond float32.
    """
    try:
        # A number beyond float32 becomes infinite, which is refused below with the text's position.
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(answer, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise EmbeddingError(f"{model} did not answer with one list of numbers per text: {error}") from error
    if rows.ndim != 2 or rows.shape[0] != count or rows.shape[1] == 0:
        raise EmbeddingError(f"{model} was given {count} texts and answered with shape {rows.shape}")
    if dims is not None and rows.shape[1] != dims:
        raise EmbeddingError(f"{model} should give {dims} numbers per text and gave {rows.shape[1]}")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise EmbeddingError(f"{model} gave NaN or infinity for text {int(finite.argmin())} of {count}")
    return rows
