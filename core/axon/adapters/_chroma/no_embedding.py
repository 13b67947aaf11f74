"""What Chroma is given in place of a model."""

from __future__ import annotations

from typing import Any, NoReturn

from axon.core.errors import AdapterError


class NoEmbedding:
    """An embedding function that refuses: left to itself, Chroma would download a model and use that."""

    def __call__(self, input: Any) -> NoReturn:
        """Refuse to embed."""
        raise AdapterError("Chroma was asked to embed; give it vectors, which Axon's embedder makes")

    def embed_query(self, input: Any) -> NoReturn:
        """Refuse to embed."""
        self(input)

    @staticmethod
    def name() -> str:
        """Name this function, as Chroma asks of every one."""
        return "axon-none"
