"""A question whose vector is known already, because the index embedded it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from axon.core.ports import EmbedderSpec, EmbeddingKind

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem


class _GivenVector:
    """An embedder that knows one answer."""

    def __init__(self, spec: EmbedderSpec, vector: NDArray[np.float32]) -> None:
        # The memory's own model by name, so that a namespace filled by it is open to this question.
        self.spec = msgspec.structs.replace(spec, dims=len(vector), normalized=False)
        self._vector = vector

    async def embed_array(
        self, texts: Sequence[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        """Answer every text with the given vector, shape (len(texts), dims)."""
        return np.tile(self._vector, (len(texts), 1))


def asking_with(memory: MemorySystem, vector: NDArray[np.float32]) -> MemorySystem:
    """Give the same memory with a known vector for whatever is asked; meant for one recall of words.

    Parameters
    ----------
    vector : float32, shape (dims,), of the model that made the stored vectors.
    """
    return memory.scope(memory.namespace, embedder=_GivenVector(memory.embedder.spec, vector))
