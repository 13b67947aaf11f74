"""One namespace of a memory, with the embedder that serves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from axon.core.errors import EmbeddingMismatchError
from axon.core.models import Tier
from axon.core.operations.runtime import Runtime
from axon.core.ports import EmbedderSpec, EmbeddingKind


class Pipeline(Protocol):
    """What a scope needs of an embedding pipeline."""

    @property
    def spec(self) -> EmbedderSpec:
        """Which model it is."""
        ...

    async def prepare(self) -> EmbedderSpec:
        """Find out everything about the model."""
        ...

    async def embed_array(self, texts: Any, *, kind: EmbeddingKind = "document") -> NDArray[np.float32]:
        """Embed texts."""
        ...


class Scope:
    """A namespace on shared tiers.

    Parameters
    ----------
    runtime : what all scopes share.
    namespace : not empty.
    pipeline : makes vectors.
    embedder_chosen : the user named the embedder, so that vectors of another size are a mistake.
    """

    __slots__ = ("__weakref__", "bound", "embedder_chosen", "namespace", "pipeline", "runtime")

    def __init__(
        self, runtime: Runtime, namespace: str, pipeline: Pipeline, *, embedder_chosen: bool
    ) -> None:
        self.runtime = runtime
        self.namespace = namespace
        self.pipeline = pipeline
        self.embedder_chosen = embedder_chosen
        self.bound: set[Tier] = set()
        runtime.scopes.add(self)

    async def embed(self, texts: Sequence[str], kind: EmbeddingKind = "document") -> NDArray[np.float32]:
        """Embed texts, shape (len(texts), dims)."""
        return await self.pipeline.embed_array(texts, kind=kind)

    async def bind(self, tier: Tier) -> None:
        """Record that the vectors of a tier are this embedder's, or find out that they are not.

        Raises
        ------
        EmbeddingMismatchError
            If another embedder filled this namespace of the tier.
        """
        mine = (await self.pipeline.prepare()).fingerprint
        self._compare(tier, mine, await self.runtime.tiers[tier].adapter.bind_embedder(self.namespace, mine))

    async def check(self, tier: Tier) -> None:
        """Like :meth:`bind`, but record nothing: an empty namespace stays open to any embedder."""
        recorded = await self.runtime.tiers[tier].adapter.bind_embedder(self.namespace, None)
        if recorded is not None:
            self._compare(tier, (await self.pipeline.prepare()).fingerprint, recorded)

    def _compare(self, tier: Tier, mine: str, recorded: str | None) -> None:
        if recorded != mine:
            raise EmbeddingMismatchError(
                f"namespace {self.namespace!r} of the {tier} tier was filled with the embedder {recorded}, "
                f"this memory uses {mine}; use the same embedder, another namespace, or store the texts anew"
            )
        self.bound.add(tier)
