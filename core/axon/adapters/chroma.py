"""The Chroma adapter: embedded in memory or in a folder, or on a server."""

from __future__ import annotations

from importlib.util import find_spec

from axon.adapters._filters.chroma import compile_filter, support
from axon.adapters._shared.room import Session
from axon.adapters._shared.threaded import ThreadedAdapter
from axon.core.adapter_options import AdapterOptions, ChromaOptions
from axon.core.clock import Clock
from axon.core.errors import MissingDependencyError
from axon.core.filter.ast import FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.ports import Capabilities


class ChromaAdapter(ThreadedAdapter):
    """Keeps entries in Chroma, one collection per namespace, and a second one for entries without a vector.

    Chroma's client blocks, so it lives in threads: one that writes, joining what gathers, and for a server a few that
    read. Nothing is ever embedded by Chroma, and no model is downloaded.

    Parameters
    ----------
    options : see ``ChromaOptions``.
    clock : decides what has expired.

    Raises
    ------
    MissingDependencyError
        If the package ``chromadb`` is not installed.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        super().__init__("Chroma", clock)
        if find_spec("chromadb") is None:
            raise MissingDependencyError("chromadb", "chroma")
        self._options = options if isinstance(options, ChromaOptions) else ChromaOptions()
        durable = self._options.path is not None or self._options.host is not None
        self.capabilities = Capabilities(text_search=False, durable=durable, max_batch=5000)

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter into a ``where`` clause and what Chroma cannot check."""
        return compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what Chroma does with one predicate."""
        return support(predicate)

    def _connect(self) -> Session:
        # The import takes more than a second, so it waits until the adapter is opened.
        from axon.adapters._chroma.session import ChromaSession

        return ChromaSession(self._options)
