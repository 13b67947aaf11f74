"""The Pinecone adapter: one index, one Pinecone namespace per namespace."""

from __future__ import annotations

import os
import warnings
from importlib.util import find_spec

from axon.adapters._filters.pinecone import compile_filter, support
from axon.adapters._shared.room import Session
from axon.adapters._shared.threaded import ThreadedAdapter
from axon.core.adapter_options import AdapterOptions, PineconeOptions
from axon.core.clock import Clock
from axon.core.errors import ConfigError, MissingDependencyError
from axon.core.filter.ast import FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.ports import Capabilities

_MAX_BATCH = 1000
"""Entries per write; a request holds as many, or 2 MB."""


class PineconeAdapter(ThreadedAdapter):
    """Keeps entries in a Pinecone index that exists already.

    Pinecone is eventually consistent. Adapters of one process see their own writes at once; another process sees them
    when Pinecone shows them, after seconds as a rule.

    Parameters
    ----------
    options : see ``PineconeOptions``.
    clock : decides what has expired.

    Raises
    ------
    ConfigError
        If neither ``index_name`` nor ``host`` is given, or no API key.
    MissingDependencyError
        If the package ``pinecone`` is not installed.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        super().__init__("Pinecone", clock)
        if find_spec("pinecone") is None:
            raise MissingDependencyError("pinecone", "pinecone")
        self._options = options if isinstance(options, PineconeOptions) else PineconeOptions()
        if not (self._options.index_name or self._options.host):
            raise ConfigError("pinecone needs the option index_name or host")
        if self._options.environment is not None:
            warnings.warn(
                "pinecone's option environment is ignored, since an index is found by its name or host; remove it",
                DeprecationWarning,
                stacklevel=2,
            )
        self._api_key()
        self.capabilities = Capabilities(text_search=False, durable=True, max_batch=_MAX_BATCH)

    def _api_key(self) -> str:
        given = self._options.api_key
        key = os.environ.get("PINECONE_API_KEY", "") if given is None else given.get_secret_value()
        if not key:
            raise ConfigError(
                "pinecone needs the option api_key, or the environment variable PINECONE_API_KEY"
            )
        return key

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter into a Pinecone filter and what Pinecone cannot check."""
        return compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what Pinecone does with one predicate."""
        return support(predicate)

    def _connect(self) -> Session:
        # The import takes time, so it waits until the adapter is opened.
        from axon.adapters._pinecone.session import PineconeSession

        return PineconeSession(self._options, self._api_key(), _MAX_BATCH)
