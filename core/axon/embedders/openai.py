"""Embeddings from OpenAI, or from any server that speaks its protocol."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from pydantic import SecretStr

from axon.core.errors import (
    AdapterTimeout,
    AdapterUnavailable,
    ConfigError,
    MissingDependencyError,
    RateLimited,
)
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.core.retry import RetryPolicy, retry
from axon.embedders.base import TextEmbedder
from axon.embedders.cache import EmbeddingCache
from axon.embedders.openai_wire import MAX_INPUTS, own_error, read_answer, requests
from axon.embedders.per_loop import PerLoop

if TYPE_CHECKING:
    from openai import AsyncOpenAI

# https://platform.openai.com/docs/guides/embeddings
_DIMS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
_TRANSIENT = (AdapterTimeout, AdapterUnavailable, RateLimited)


class OpenAIEmbedder(TextEmbedder):
    """Embeds through the ``openai`` package, with retries, time limits and answers checked by Axon.

    Parameters
    ----------
    model : any model name that the server knows.
    api_key : None takes the environment variable ``OPENAI_API_KEY``.
    base_url : of another server with the same protocol; None takes ``OPENAI_BASE_URL`` or OpenAI itself.
    dimensions : shorten the vectors to so many numbers, >= 1 (``text-embedding-3`` models); None for the
        model's own.
    client : an ``openai.AsyncOpenAI`` to use instead of ``api_key`` and ``base_url``. It is never closed,
        and serves the event loop that uses it first.
    timeout : seconds for one attempt, > 0.
    max_retries : attempts after the first, >= 0; on lost connections, timeouts and status 408, 409, 429 and
        5xx.
    deadline : seconds for a request with all its attempts, > 0.
    cache : disk cache, or None.
    lru_entries : vectors kept in memory, >= 0.

    Raises
    ------
    MissingDependencyError
        If ``openai`` is not installed.
    ConfigError
        If there is no key, or an option is out of range.

    Notes
    -----
    Failing calls raise ``RateLimited``, ``AdapterTimeout``, ``AdapterUnavailable`` or ``EmbeddingError``.
    """

    def __init__(
        self,
        model: str = "text-embedding-3-small",
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        dimensions: int | None = None,
        client: AsyncOpenAI | None = None,
        timeout: float = 30.0,
        max_retries: int = 3,
        deadline: float = 120.0,
        cache: EmbeddingCache | None = None,
        lru_entries: int = 10_000,
    ) -> None:
        self._sdk = _load_sdk()
        if not model:
            raise ConfigError("model must not be empty")
        if dimensions is not None and dimensions < 1:
            raise ConfigError(f"dimensions must be >= 1, not {dimensions}")
        if not timeout > 0 or max_retries < 0:
            raise ConfigError("timeout must be > 0 seconds and max_retries >= 0")
        self._model = model
        self._dimensions = dimensions
        self._timeout = timeout
        self._retries = RetryPolicy(attempts=max_retries + 1, deadline=deadline)
        self._key = SecretStr("" if client is not None else _checked_key(api_key))
        self._base_url = base_url
        self._given = client
        self._given_loop: ref[asyncio.AbstractEventLoop] | None = None
        self._clients: PerLoop[AsyncOpenAI] = PerLoop(self._make_client, lambda made: made.close())
        if client is not None:
            self._given = self._checked_client(client)
        super().__init__(
            EmbedderSpec(
                provider="openai",
                model=model,
                dims=dimensions or _DIMS.get(model),
                max_batch=MAX_INPUTS,
                normalized=model in _DIMS,
            ),
            cache=cache,
            lru_entries=lru_entries,
        )

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> NDArray[np.float32]:
        client = await self._client()
        parts = []
        for part in requests(texts):
            attempt = partial(self._attempt, client, part)
            parts.append(await retry(attempt, on=_TRANSIENT, policy=self._retries))
        return np.concatenate(parts)

    async def _attempt(self, client: AsyncOpenAI, texts: list[str]) -> NDArray[np.float32]:
        where = client.base_url.host
        options: dict[str, Any] = {} if self._dimensions is None else {"dimensions": self._dimensions}
        try:
            # The SDK limits each read; this limits the attempt, also against a server that sends byte by
            # byte.
            async with asyncio.timeout(self._timeout):
                answer = await client.embeddings.create(
                    model=self._model, input=texts, encoding_format="base64", timeout=self._timeout, **options
                )
        except TimeoutError as error:
            raise AdapterTimeout(f"{where} did not answer within {self._timeout} s") from error
        except (self._sdk.OpenAIError, ValueError) as error:
            own = own_error(error, self._sdk, where, self._key.get_secret_value())
            if isinstance(error, self._sdk.AuthenticationError | self._sdk.PermissionDeniedError):
                # A traceback would print the server's text, which may repeat the key.
                raise own from None
            raise own from error
        return read_answer(answer, len(texts), self._model)

    async def _client(self) -> AsyncOpenAI:
        if self._given is None:
            return await self._clients.get()
        loop = asyncio.get_running_loop()
        if self._given_loop is None:
            self._given_loop = ref(loop)
        if self._given_loop() is not loop:
            raise ConfigError(
                "the client passed to OpenAIEmbedder belongs to another event loop: pass api_key and "
                "base_url instead, and each loop gets a client of its own"
            )
        return self._given

    def _make_client(self) -> AsyncOpenAI:
        client: AsyncOpenAI = self._sdk.AsyncOpenAI(
            api_key=self._key.get_secret_value(), base_url=self._base_url, max_retries=0
        )
        return client

    def _checked_client(self, client: AsyncOpenAI) -> AsyncOpenAI:
        if not isinstance(client, self._sdk.AsyncOpenAI):
            raise ConfigError(f"client must be an openai.AsyncOpenAI, not {type(client).__name__}")
        # Two layers of retries would multiply their delays. The copy shares the caller's connections.
        self._key = SecretStr(client.api_key)
        copy: AsyncOpenAI = client.with_options(max_retries=0)
        return copy

    async def aclose(self) -> None:
        """Close the connections made here; a client that was passed in stays open."""
        await self._clients.aclose()


def _load_sdk() -> Any:
    try:
        return import_module("openai")
    except ModuleNotFoundError as error:
        raise MissingDependencyError("openai", "openai") from error


def _checked_key(api_key: str | None) -> str:
    key = (os.environ.get("OPENAI_API_KEY", "") if api_key is None else api_key).strip()
    if not key:
        raise ConfigError(
            "OpenAI needs an API key: set the environment variable OPENAI_API_KEY or pass api_key=; "
            "a local server that needs none takes any text"
        )
    return key
