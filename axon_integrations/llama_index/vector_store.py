"""Axon as a LlamaIndex vector store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.bridge.pydantic import BaseModel, PrivateAttr
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import EVERYTHING, all_of
from axon.core.filter.evaluate import matches
from axon.core.models import Tier
from axon.core.portal import run_blocking
from axon_integrations._shared.owning import owner_of
from axon_integrations.llama_index.filters import compile_filters, of_document, with_ids
from axon_integrations.llama_index.options import Target, read_target, read_tier, read_write_target
from axon_integrations.llama_index.persistence import FileSystem, default_path, load, save
from axon_integrations.llama_index.portions import to_items, to_nodes
from axon_integrations.llama_index.query import MMR_PREFETCH_FACTOR, MmrOptions, run_query
from axon_integrations.llama_index.spans import spanned

if TYPE_CHECKING:
    from axon.core.memory_system import MemorySystem


class AxonVectorStore(BasePydanticVectorStore):
    """A memory as the vector store of an index, an ingestion pipeline or a memory block.

    Every method has a blocking and a native asynchronous form; both may be used on one object, from any
    thread and any event loop. The memory is not closed by the store.

    A node without an ``importance`` (a number in [0, 1]) in its metadata goes to the most durable tier, one
    with it is routed by it. ``tags`` (a list of strings) and ``session_id`` in its metadata fill the entry's
    fields too. All of them stay in the metadata.

    Parameters
    ----------
    memory : build it with ``embedder=from_llama_index(embed_model)``, so that both sides embed alike.
    tier : name of the only tier to write to and to look into; None for all tiers.
    namespace : the part of the memory to use; None for the memory's own.

    Examples
    --------
    >>> index = VectorStoreIndex.from_vector_store(AxonVectorStore(memory), embed_model=embed_model)
    >>> index.as_retriever(similarity_top_k=3).retrieve("What did we decide?")
    """

    stores_text: bool = True
    is_embedding_query: bool = True
    tier: Tier | None = None
    namespace: str | None = None

    _memory: MemorySystem | None = PrivateAttr(default=None)

    def __init__(
        self, memory: MemorySystem, *, tier: Tier | str | None = None, namespace: str | None = None
    ) -> None:
        bound: dict[str, Any] = {"tier": None if tier is None else read_tier(tier), "namespace": namespace}
        super().__init__(**bound)
        self._memory = owner_of(memory, namespace)

    @classmethod
    def class_name(cls) -> str:
        """Name in LlamaIndex's serialised forms."""
        return "AxonVectorStore"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, memory: MemorySystem, **kwargs: Any) -> Self:  # type: ignore[override]  # a dump holds no memory
        """Rebuild a store from ``to_dict()``, which holds the tier and the namespace, on a memory."""
        return cls(memory, tier=data.get("tier"), namespace=data.get("namespace"), **kwargs)

    @property
    def client(self) -> MemorySystem:
        """The memory, bound to the store's namespace.

        Raises
        ------
        InvalidInputError
            If the store was pickled: a pickle holds no memory.
        """
        if self._memory is None:
            tier = None if self.tier is None else str(self.tier)
            raise InvalidInputError(
                "this AxonVectorStore comes out of a pickle, which holds no memory; "
                f"make a new one: AxonVectorStore(memory, tier={tier!r}, namespace={self.namespace!r})"
            )
        return self._memory

    # ------------------------------------------------------------------------------------------------- write

    @spanned
    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Write nodes, replacing those with the same ids; of equal ids in one call the last wins.

        Parameters
        ----------
        nodes : with embeddings of one length.
        **kwargs : ``tier`` (one), ``namespace``, ``ttl`` (seconds, > 0).

        Returns
        -------
        The nodes' ids, in their order.

        Raises
        ------
        InvalidInputError
            For a node that cannot be stored; its ``index`` says which. Nothing was written.
        EmbeddingMismatchError
            For embeddings of another length than the others' or the memory's. Nothing was written.
        """
        return run_blocking(self._add(nodes, kwargs))

    @spanned
    async def async_add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Write nodes; see :meth:`add`."""
        return await self._add(nodes, kwargs)

    async def _add(self, nodes: Sequence[BaseNode], keywords: Mapping[str, Any]) -> list[str]:
        target = read_write_target(self.client, self.tier, self.namespace, keywords)
        items = await to_items(nodes, target)
        return await target.memory.bulk_store(items) if items else []

    # ------------------------------------------------------------------------------------------------ delete

    @spanned
    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a document, and the node that is the document, if no splitter cut it.

        Parameters
        ----------
        ref_doc_id : id of the document; an unknown one is no error.
        **delete_kwargs : ``tier``, ``namespace``, ``min_importance``, ``filter``, which must hold too.
        """
        run_blocking(self._delete(ref_doc_id, delete_kwargs))

    @spanned
    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Delete the nodes of a document; see :meth:`delete`."""
        await self._delete(ref_doc_id, delete_kwargs)

    async def _delete(self, ref_doc_id: str, keywords: Mapping[str, Any]) -> None:
        target = self._target(keywords)
        await target.memory.forget(filter=all_of((of_document(ref_doc_id), target.restriction)))

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete the nodes that have one of the ids and satisfy the filters.

        Parameters
        ----------
        node_ids : an empty list deletes nothing; None leaves the choice to the filters.
        filters : None or empty leaves the choice to the ids.
        **delete_kwargs : ``tier``, ``namespace``, ``min_importance``, ``filter``, which must hold too.

        Raises
        ------
        InvalidInputError
            If neither ids nor a condition is given; ``clear()`` deletes everything.
        """
        run_blocking(self._delete_nodes(node_ids, filters, delete_kwargs))

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Delete nodes; see :meth:`delete_nodes`."""
        await self._delete_nodes(node_ids, filters, delete_kwargs)

    async def _delete_nodes(
        self, node_ids: list[str] | None, filters: MetadataFilters | None, keywords: Mapping[str, Any]
    ) -> None:
        target = self._target(keywords)
        conditions = all_of((compile_filters(filters), target.node))
        if node_ids is None and conditions == EVERYTHING:
            raise InvalidInputError("delete_nodes() needs node_ids or filters; clear() deletes everything")
        if node_ids is None:
            await target.memory.forget(filter=all_of((conditions, target.restriction)))
        elif conditions == EVERYTHING and target.tiers is None:
            await target.memory.delete_many(node_ids)
        else:
            await target.memory.forget(filter=all_of((with_ids(node_ids), conditions, target.restriction)))

    def clear(self) -> None:
        """Delete everything in the store's namespace and tier, also what was stored past LlamaIndex."""
        run_blocking(self.aclear())

    async def aclear(self) -> None:
        """Delete everything; see :meth:`clear`."""
        await self.client.clear(tier=self.tier)

    # -------------------------------------------------------------------------------------------------- read

    def get_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **kwargs: Any
    ) -> list[BaseNode]:
        """Read the nodes that have one of the ids and satisfy the filters, without their vectors.

        Parameters
        ----------
        node_ids : nodes come in this order, without those unknown; an empty list gives none, None gives all.
        filters : None or empty for no condition.
        **kwargs : ``tier``, ``namespace``, ``min_importance``, ``filter``, which must hold too.
        """
        return run_blocking(self._get_nodes(node_ids, filters, kwargs))

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **kwargs: Any
    ) -> list[BaseNode]:
        """Read nodes; see :meth:`get_nodes`."""
        return await self._get_nodes(node_ids, filters, kwargs)

    async def _get_nodes(
        self, node_ids: list[str] | None, filters: MetadataFilters | None, keywords: Mapping[str, Any]
    ) -> list[BaseNode]:
        target = self._target(keywords)
        node = all_of((compile_filters(filters), target.restriction))
        if node_ids is None:
            entries = [entry async for entry in target.memory.scan(filter=node)]
        else:
            found = await target.memory.get_many(list(dict.fromkeys(node_ids)))
            entries = [entry for entry in found if entry is not None and matches(node, entry)]
        return await to_nodes(entries)

    @spanned
    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Find nodes.

        Parameters
        ----------
        query : modes ``default``, ``mmr``, ``text_search``, ``sparse`` (the same) and ``hybrid``; filters,
            ``doc_ids`` and ``node_ids`` must all hold. An empty ``node_ids`` means no restriction, because
            retrievers send it always; empty ``doc_ids`` mean no document.
        **kwargs : ``tier`` (one or several), ``namespace``, ``min_importance``, ``filter`` (Axon's own); for
            ``mmr`` also ``mmr_threshold`` (replaces the query's, even by None), ``mmr_prefetch_factor`` and
            ``mmr_prefetch_k``. A retriever passes them on as ``vector_store_kwargs``.

        Returns
        -------
        Three lists of one length; see :func:`axon_integrations.llama_index.query.run_query`.

        Raises
        ------
        ValueError
            For a mode that is not served or a query that lacks what its mode needs.
        FilterError
            For a filter that cannot be read (also a ``ValueError``).
        """
        return run_blocking(self._query(query, kwargs))

    @spanned
    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """Find nodes; see :meth:`query`."""
        return await self._query(query, kwargs)

    async def _query(self, query: VectorStoreQuery, keywords: Mapping[str, Any]) -> VectorStoreQueryResult:
        rest = dict(keywords)
        mmr = MmrOptions(
            rest.pop("mmr_threshold", query.mmr_threshold),
            rest.pop("mmr_prefetch_factor", MMR_PREFETCH_FACTOR),
            rest.pop("mmr_prefetch_k", None),
        )
        return await run_query(self._target(rest), query, mmr)

    # ----------------------------------------------------------------------------------------------- persist

    def persist(self, persist_path: str, fs: FileSystem | None = None) -> None:
        """Write what would go with this process to a file; tiers that last by themselves write nothing.

        Parameters
        ----------
        persist_path : file of JSON lines; made only if some tier is not durable.
        fs : where ``persist_path`` lies; None for the local disk.
        """
        run_blocking(save(self.client, self.tier, persist_path, fs))

    @classmethod
    def from_persist_path(
        cls,
        persist_path: str,
        memory: MemorySystem,
        *,
        tier: Tier | str | None = None,
        namespace: str | None = None,
        fs: FileSystem | None = None,
    ) -> Self:
        """Make a store on ``memory`` and read into it what :meth:`persist` wrote, if it wrote anything."""
        store = cls(memory, tier=tier, namespace=namespace)
        run_blocking(load(store.client, persist_path, fs))
        return store

    @classmethod
    def from_persist_dir(
        cls,
        persist_dir: str,
        memory: MemorySystem,
        *,
        tier: Tier | str | None = None,
        namespace: str | None = None,
        fs: FileSystem | None = None,
    ) -> Self:
        """Do the same for a folder that ``StorageContext.persist`` wrote."""
        path = default_path(persist_dir)
        return cls.from_persist_path(path, memory, tier=tier, namespace=namespace, fs=fs)

    def _target(self, keywords: Mapping[str, Any]) -> Target:
        return read_target(self.client, self.tier, self.namespace, keywords)

    # ------------------------------------------------------------------------------------------------ pickle

    def __getstate__(self) -> dict[Any, Any]:
        # Past LlamaIndex's own form, which pickles each attribute once to see whether it can.
        state = BaseModel.__getstate__(self)
        return {**state, "__pydantic_private__": {"_memory": None}}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        BaseModel.__setstate__(self, state)
