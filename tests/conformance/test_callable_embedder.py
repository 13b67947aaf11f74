"""The conformance suite on the pipeline around a user's function, which runs in a worker thread."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from axon.embedders import CallableEmbedder, from_callable
from axon.embedders.hashing import HashingEmbedder
from axon.testing import EmbedderSuite


class TestCallableEmbedder(EmbedderSuite):
    backend = "callable"

    @pytest.fixture
    async def embedder(self) -> AsyncIterator[CallableEmbedder]:
        model = HashingEmbedder(dims=64)

        def embed(texts: list[str]) -> list[list[float]]:
            return model.embed_batch_sync(texts)

        async with from_callable(embed, name="function", max_batch=16) as embedder:
            yield embedder
