"""Reading by id and deleting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.documents import Document

from axon.core.errors import InvalidInputError
from axon.core.filter.ast import EVERYTHING, Field, In, all_of
from axon.core.portal import run_blocking
from axon_integrations.langchain.bound_store import BoundStore
from axon_integrations.langchain.documents import entry_document
from axon_integrations.langchain.filters import LangChainFilter, to_filter
from axon_integrations.langchain.searching import judge, refuse_unknown, tier_node

_DELETE_KEYWORDS = ("filter", "delete_all")


class IdMethods(BoundStore):
    """Getting and deleting documents by id; deleting by filter."""

    async def aget_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Read documents by id, in the order of ``ids``; those that are not there are left out."""
        wanted = [id_ for id_ in _id_list(ids) if id_]
        entries = await self._memory.get_many(wanted)
        return [entry_document(entry) for entry in entries if entry is not None and entry.tier in self.tiers]

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Read like :meth:`aget_by_ids`, blocking."""
        return run_blocking(self.aget_by_ids(ids))

    async def adelete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents.

        Parameters
        ----------
        ids : delete these; those that are not there are passed over.
        **kwargs : ``filter``, delete what matches (with ``ids``: those of them that match);
            ``delete_all=True``, delete everything this store is bound to.

        Returns
        -------
        True.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If nothing says what to delete. LangChain's base class would take that for
            "everything"; here it takes ``delete_all=True``. Also for an empty filter alone.
        TypeError
            For an unknown keyword.
        """
        refuse_unknown("delete", kwargs, _DELETE_KEYWORDS)
        condition: LangChainFilter = kwargs.get("filter")
        if kwargs.get("delete_all"):
            if ids is not None or condition is not None:
                raise InvalidInputError("delete_all=True stands alone; leave out ids and filter")
            await self._memory.clear(tier=self._tiers)
        elif condition is not None:
            await self._delete_matching(ids, condition)
        elif ids is not None:
            await self._delete_ids(_id_list(ids))
        else:
            raise InvalidInputError("delete() takes ids=, filter= or delete_all=True")
        return True

    def delete(self, ids: Sequence[str] | None = None, **kwargs: Any) -> bool:
        """Delete like :meth:`adelete`, blocking."""
        return run_blocking(self.adelete(ids, **kwargs))

    async def _delete_ids(self, ids: list[str]) -> None:
        if self._tiers is None:
            await self._memory.delete_many([id_ for id_ in ids if id_])
        elif ids:
            await self._memory.forget(filter=all_of((_one_of(ids), tier_node(self._tiers))))

    async def _delete_matching(self, ids: Sequence[str] | None, condition: LangChainFilter) -> None:
        node, predicate = to_filter(condition)
        if node == EVERYTHING and predicate is None and ids is None:
            raise InvalidInputError("an empty filter would delete everything; say so with delete_all=True")
        scope = [node, tier_node(self._tiers)]
        if ids is not None:
            scope.append(_one_of(_id_list(ids)))
        if predicate is None:
            await self._memory.forget(filter=all_of(scope))
            return
        entries = [entry async for entry in self._memory.scan(filter=all_of(scope))]
        verdicts = await judge(entries, (predicate,))
        await self._memory.delete_many([id_ for id_, passed in verdicts.items() if passed])


def _id_list(ids: Sequence[str]) -> list[str]:
    if isinstance(ids, str):
        raise InvalidInputError(f"ids takes a list of strings, not one string; pass [{ids!r}]")
    return list(ids)


def _one_of(ids: list[str]) -> In:
    return In(Field("id"), tuple(ids))
