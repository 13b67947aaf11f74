"""The conformance suite on the built-in lexical embedder."""

from __future__ import annotations

import pytest

from axon.embedders.hashing import HashingEmbedder
from axon.testing import EmbedderSuite


class TestHashingEmbedder(EmbedderSuite):
    backend = "hashing"

    @pytest.fixture
    def embedder(self) -> HashingEmbedder:
        return HashingEmbedder()
