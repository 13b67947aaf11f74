"""The Qdrant adapter: a server, the client's own engine in memory or in a folder, or the embedded engine."""

from __future__ import annotations

from importlib.util import find_spec

from axon.adapters._filters.qdrant import compile_filter, support
from axon.adapters._shared.room import Session
from axon.adapters._shared.threaded import ThreadedAdapter
from axon.core.adapter_options import AdapterOptions, QdrantOptions
from axon.core.clock import Clock
from axon.core.errors import MissingDependencyError
from axon.core.filter.ast import FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.ports import Capabilities

_MAX_BATCH = 1000
"""Entries per request; at 1536 dimensions some 15 of the 32 megabytes that a server takes."""


class QdrantAdapter(ThreadedAdapter):
    """Keeps entries in Qdrant: one collection per size of vectors, in which each namespace is a tenant.

    Parameters
    ----------
    options : see ``QdrantOptions``.
    clock : decides what has expired.

    Raises
    ------
    MissingDependencyError
        If the package ``qdrant-client`` is not installed, or the embedded engine's where it is asked for.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        super().__init__("Qdrant", clock)
        if find_spec("qdrant_client") is None:
            raise MissingDependencyError("qdrant-client", "qdrant")
        self._options = options if isinstance(options, QdrantOptions) else QdrantOptions()
        if self._options.engine == "edge" and find_spec("qdrant_edge") is None:
            raise MissingDependencyError("qdrant-edge-py", "qdrant-edge")
        durable = self._options.location != ":memory:"
        self.capabilities = Capabilities(
            text_search=self._options.text_index, durable=durable, max_batch=_MAX_BATCH
        )

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter into a Qdrant condition and what Qdrant cannot check."""
        return compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what Qdrant does with one predicate."""
        return support(predicate)

    def _connect(self) -> Session:
        # The import takes half a second, so it waits until the adapter is opened.
        from axon.adapters._qdrant.session import QdrantSession

        return QdrantSession(self._options, _MAX_BATCH)
