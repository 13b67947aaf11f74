"""The embeddings protocol of OpenAI: how much fits into a request, what an answer and an error mean."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import AdapterTimeout, AdapterUnavailable, AxonError, EmbeddingError, RateLimited
from axon.core.retry import retry_after_seconds

if TYPE_CHECKING:
    import openai

MAX_INPUTS = 2048
_MAX_TOKENS_PER_INPUT = 8192
_MAX_TOKENS_PER_REQUEST = 300_000

# Worth another attempt, besides everything from 500 up.
_TRANSIENT_STATUS: dict[int, type[AxonError]] = {
    408: AdapterTimeout,
    409: AdapterUnavailable,
    429: RateLimited,
}


def token_bound(text: str) -> int:
    """Estimate the tokens of a text from above, without the tokenizer, whose tables are a download.

    One token per two ASCII characters, or one per byte where there are others; English takes about half of
    that. Never more than the limit of one input, since a longer one is refused by the server whatever is
    sent with it.
    """
    bound = (len(text) + 1) // 2 if text.isascii() else len(text.encode())
    return min(bound, _MAX_TOKENS_PER_INPUT)


def requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into requests within the limits of inputs and tokens."""
    request: list[str] = []
    tokens = 0
    for text in texts:
        bound = token_bound(text)
        if request and (len(request) == MAX_INPUTS or tokens + bound > _MAX_TOKENS_PER_REQUEST):
            yield request
            request, tokens = [], 0
        request.append(text)
        tokens += bound
    if request:
        yield request


def read_answer(answer: Any, count: int, model: str) -> NDArray[np.float32]:
    """Read the vectors of an answer in the order of the inputs.

    Parameters
    ----------
    answer : the SDK's response object, not trusted.
    count : how many texts were sent.
    model : name for messages.

    Returns
    -------
    float32, shape (count, dims).

    Raises
    ------
    EmbeddingError
        If a text has no vector, or more than one, or a vector cannot be read.
    """
    items = getattr(answer, "data", None)
    if not isinstance(items, list):
        raise EmbeddingError(f"{model} answered without data: is base_url an embeddings API?")
    rows = {getattr(item, "index", None): getattr(item, "embedding", None) for item in items}
    if len(items) != count or set(rows) != set(range(count)):
        raise EmbeddingError(
            f"{model} was given {count} texts and answered for {len(items)}, or with wrong positions"
        )
    try:
        return np.stack([_vector(rows[index]) for index in range(count)])
    except (TypeError, ValueError) as error:
        raise EmbeddingError(f"{model} answered with vectors that cannot be read: {error}") from error


def _vector(value: Any) -> NDArray[np.float32]:
    if isinstance(value, str):
        try:
            return np.frombuffer(base64.b64decode(value, validate=True), "<f4").astype(np.float32, copy=False)
        except binascii.Error as error:
            raise ValueError(f"bad base64 ({error})") from error
    return np.asarray(value, dtype=np.float32)


def own_error(error: Exception, sdk: Any, where: str, secret: str) -> AxonError:
    """Translate an error of the SDK.

    Parameters
    ----------
    error : what the SDK raised.
    sdk : the ``openai`` module.
    where : host that was asked.
    secret : the key, never repeated in a message.
    """
    if isinstance(error, sdk.APITimeoutError):
        return AdapterTimeout(f"{where} did not answer in time")
    if isinstance(error, sdk.APIConnectionError):
        return AdapterUnavailable(f"{where} cannot be reached: {error.__cause__ or error}")
    if isinstance(error, sdk.APIStatusError):
        return _status_error(error, where, secret)
    return EmbeddingError(f"{where} gave an answer that cannot be read: {_without(secret, str(error))}")


def _status_error(error: openai.APIStatusError, where: str, secret: str) -> AxonError:
    status = error.status_code
    if status in (401, 403):
        # The server's own text may repeat parts of the key.
        return EmbeddingError(
            f"{where} refused the API key (status {status}): check api_key or OPENAI_API_KEY"
        )
    said = f"{where} answered with status {status}: {_without(secret, error.message)}"
    if status == 429 and error.code == "insufficient_quota":
        return EmbeddingError(f"{said} (waiting will not help)")
    kind = _TRANSIENT_STATUS.get(status, AdapterUnavailable if status >= 500 else EmbeddingError)
    wait = retry_after_seconds(error.response.headers)
    if kind is RateLimited or (kind is AdapterUnavailable and wait is not None):
        return RateLimited(said, wait)
    return kind(said)


def _without(secret: str, text: str) -> str:
    return text.replace(secret, "***") if secret else text
