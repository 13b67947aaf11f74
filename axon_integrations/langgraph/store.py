"""LangGraph's long-term memory, over the tiers of a memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from langgraph.store.base import BaseStore, IndexConfig, Op, Result, TTLConfig

from axon.core.compartments import compartment
from axon.core.errors import SyncCallError
from axon.core.keyed import KeyedEntries
from axon.core.memory_system import MemorySystem
from axon.core.portal import on_portal, run_blocking
from axon.core.validation import check_tiers
from axon.embedders.base import TextEmbedder
from axon_integrations._shared.closing import Closable
from axon_integrations._shared.owning import owner_of
from axon_integrations.langgraph.execution import Execution
from axon_integrations.langgraph.indexing import read_index
from axon_integrations.langgraph.lifetimes import Sweeper, read_ttl
from axon_integrations.langgraph.requests import Put, Request, read_op
from axon_integrations.langgraph.searching import ItemSearch
from axon_integrations.langgraph.turns import in_turns
from axon_integrations.langgraph.writing import ItemWriter


class AxonStore(Closable, BaseStore):
    """A LangGraph store whose items live in a tier of a memory.

    Items lie in a compartment of the memory's namespace: a search of the memory does not find them, and no tier
    condenses or moves what is addressed by key. Two stores on the same memory and namespace hold the same items.

    Parameters
    ----------
    memory : where items live; stays open when the store closes. None makes one in this process.
    index : LangGraph's index configuration: ``dims``, ``embed`` (LangChain ``Embeddings``, a function, a
        coroutine function, ``"provider:model"``, or an embedder of Axon's; left out, the memory's own) and
        ``fields`` (paths, ``["$"]`` by default). None embeds nothing: queries then rank by the words of an item,
        where the tier has a text index.
    ttl : LangGraph's lifetime configuration, in minutes. Expired items are never returned, whatever
        ``omit_expired`` says. With ``sweep_interval_minutes`` they are also deleted in the background.
    tier : takes the items; None for the most durable one.
    namespace : of the memory, such as the tenant; None for the memory's own.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``, or for a configuration that cannot work.
    InvalidInputError
        For an unknown tier or an empty namespace.

    Examples
    --------
    >>> store = AxonStore(index={"fields": ["text"]})
    >>> store.put(("users", "ada"), "tea", {"text": "Ada drinks green tea", "strength": 2})
    >>> store.search(("users",), query="what does Ada drink?", filter={"strength": {"$lt": 3}})[0].key
    'tea'
    """

    supports_ttl = True
    index_config: IndexConfig | None
    """The index configuration, as given."""

    def __init__(
        self,
        memory: MemorySystem | None = None,
        *,
        index: IndexConfig | None = None,
        ttl: TTLConfig | None = None,
        tier: str | None = None,
        namespace: str | None = None,
    ) -> None:
        super().__init__()
        self._owner: MemorySystem | None = None
        if memory is None:
            memory = self._owner = MemorySystem()
        scope = owner_of(memory, namespace)
        indexing = read_index(index)
        self.index_config = index
        self.ttl_config = read_ttl(ttl)
        self._embedder = None if indexing is None else indexing.embedder
        self._memory = scope.scope(compartment(scope.namespace, "items"), embedder=self._embedder)
        entries = KeyedEntries(self._memory, check_tiers(tier, scope.tiers)[-1])
        self._entries = entries
        self._execution = Execution(
            entries,
            ItemSearch(self._memory, entries, by_meaning=indexing is not None),
            ItemWriter(self._memory, entries, None if indexing is None else indexing.paths),
        )
        self._sweeper = Sweeper(self.sweep_ttl)

    @property
    def memory(self) -> MemorySystem:
        """The memory, bound to the items of this store."""
        return self._memory

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations; the reads among them see the state before the writes, and the last write of a key wins.

        Operations that come alone are joined with all others that come in the same turn of the event loop.

        Returns
        -------
        One result per operation, in order; None for a put.

        Raises
        ------
        InvalidNamespaceError, InvalidInputError
            (both a ``ValueError``) If an operation cannot be done; then none is.
        EmbeddingError
            If a text cannot be embedded; nothing was written.
        AdapterError, TierError
            If a backend failed.
        """
        return await self._run(await in_turns(read_op, ops))

    async def _run(self, requests: Sequence[Request]) -> list[Result]:
        self._sweep_as_configured()
        if len(requests) == 1:
            return [await self._execution.calls.submit(requests[0])]
        return await self._execution.run_batch(requests) if requests else []

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Run operations like :meth:`abatch`, blocking; every blocking method of the store goes through here.

        Raises
        ------
        SyncCallError
            If called on Axon's own event loop, or on one that is just writing the same key: it would wait for itself.
        """
        requests = [read_op(op) for op in ops]
        changed = [request.id for request in requests if isinstance(request, Put)]
        if on_portal() or self._execution.calls.would_wait_for_itself(changed):
            raise SyncCallError(
                "this blocking call would wait for its own event loop; there, await aget, aput, asearch, adelete, "
                "alist_namespaces or abatch"
            )
        return run_blocking(self._run(requests))

    async def asweep_ttl(self) -> int:
        """Delete what has expired; returns how many entries went, of an item with several vectors one for each."""
        return await self._entries.sweep()

    def sweep_ttl(self) -> int:
        """Sweep like :meth:`asweep_ttl`, blocking."""
        return run_blocking(self._entries.sweep())

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> None:
        """Sweep in the background from now on; the first operation does this where the configuration says so.

        Parameters
        ----------
        sweep_interval_minutes : > 0; None takes the configuration's, else 5.
        """
        configured = (self.ttl_config or {}).get("sweep_interval_minutes")
        self._sweeper.start(sweep_interval_minutes or configured or 5.0)

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """Stop sweeping; waits at most ``timeout`` seconds for a sweep under way, and tells whether it has ended."""
        return self._sweeper.stop(timeout)

    def _sweep_as_configured(self) -> None:
        interval = (self.ttl_config or {}).get("sweep_interval_minutes")
        if interval is not None:
            self._sweeper.start(interval)

    async def aclose(self) -> None:
        """Close what this store made; a memory passed in stays open. Closing twice does nothing."""
        self._sweeper.stop(timeout=0.0)
        if isinstance(self._embedder, TextEmbedder):
            await self._embedder.aclose()
        owner, self._owner = self._owner, None
        if owner is not None:
            await owner.aclose()
