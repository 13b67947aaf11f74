"""What LangChain's indexing API remembers of the documents it has indexed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langchain_core.indexing import RecordManager

from axon.core.compartments import compartment
from axon.core.errors import InvalidInputError
from axon.core.filter.ast import Field, FilterNode, Gt, In, Lt, all_of
from axon.core.memory_system import MemorySystem
from axon.core.models import HIDDEN_PREFIX, MemoryInput
from axon.core.portal import run_blocking
from axon.core.validation import check_id, check_k, check_namespace
from axon_integrations._shared.keyed import label
from axon_integrations._shared.ordering import OrderSource
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import single_tier

_UPDATED: Final = Field(f"{HIDDEN_PREFIX}updated", is_metadata=True)
_GROUP: Final = Field(f"{HIDDEN_PREFIX}group", is_metadata=True)
_MICROSECONDS: Final = 1e6


class AxonRecordManager(RecordManager):
    """The record manager of ``index`` and ``aindex``, in a tier of the memory.

    Records lie in a compartment of the memory's namespace, where no search finds them. Time is that of the
    backend where it has a clock of its own (Redis), so that several machines agree, else this machine's; one
    object never tells the same or an earlier time twice.

    Parameters
    ----------
    memory : where records live; never closed here. Its namespace keeps tenants apart.
    namespace : of the index, such as the name of the collection.
    tier : where records go; None for the most durable.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError
        For an empty namespace or a tier that is not configured.
    """

    def __init__(self, memory: MemorySystem, namespace: str = "index", *, tier: str | None = None) -> None:
        super().__init__(namespace)
        records = compartment(owner_of(memory).namespace, "records")
        self.memory = memory.scope(compartment(records, check_namespace(namespace)))
        self._tier = memory.tiers[-1] if tier is None else single_tier(tier, memory)
        self._times = OrderSource()

    def create_schema(self) -> None:
        """Do nothing: there is no schema to make."""

    async def acreate_schema(self) -> None:
        """Do nothing: there is no schema to make."""

    def get_time(self) -> float:
        """Tell the time; blocking form of :meth:`aget_time`."""
        return run_blocking(self.aget_time())

    async def aget_time(self) -> float:
        """Tell the time, in seconds since 1970 UTC; later at each call."""
        now_us = await self.memory.now_us(self._tier)
        (moment,) = self._times.take(1, now_us)
        return moment / _MICROSECONDS

    def update(
        self,
        keys: Sequence[str],
        *,
        group_ids: Sequence[str | None] | None = None,
        time_at_least: float | None = None,
    ) -> None:
        """Write records; blocking form of :meth:`aupdate`."""
        run_blocking(self.aupdate(keys, group_ids=group_ids, time_at_least=time_at_least))

    async def aupdate(
        self,
        keys: Sequence[str],
        *,
        group_ids: Sequence[str | None] | None = None,
        time_at_least: float | None = None,
    ) -> None:
        """Write records, updated now.

        Parameters
        ----------
        keys : any non-empty strings.
        group_ids : one per key, or None for none.
        time_at_least : what the clock must have reached, in seconds since 1970 UTC.

        Raises
        ------
        InvalidInputError
            (a ``ValueError``) If there are more or fewer group ids than keys, or the clock is behind
            ``time_at_least``; nothing was written.
        AdapterError
            If the backend failed.
        """
        groups = [None] * len(keys) if group_ids is None else list(group_ids)
        if len(groups) != len(keys):
            raise InvalidInputError(f"there are {len(keys)} keys and {len(groups)} group ids")
        now = await self.aget_time()
        if time_at_least is not None and time_at_least > now:
            raise InvalidInputError(f"the clock says {now}, which is before time_at_least={time_at_least}")
        records = {
            key: MemoryInput(
                text=label(check_id(key)), id=key, metadata={_UPDATED.name: now, _GROUP.name: group}
            )
            for key, group in zip(keys, groups, strict=True)
        }
        if records:
            await self.memory.bulk_store(records.values(), tier=self._tier, embed=False)

    def exists(self, keys: Sequence[str]) -> list[bool]:
        """Tell which records exist; blocking form of :meth:`aexists`."""
        return run_blocking(self.aexists(keys))

    async def aexists(self, keys: Sequence[str]) -> list[bool]:
        """Tell, in the order of ``keys``, which records exist."""
        return [entry is not None for entry in await self.memory.get_many(keys)]

    def list_keys(
        self,
        *,
        before: float | None = None,
        after: float | None = None,
        group_ids: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """List records; blocking form of :meth:`alist_keys`."""
        return run_blocking(self.alist_keys(before=before, after=after, group_ids=group_ids, limit=limit))

    async def alist_keys(
        self,
        *,
        before: float | None = None,
        after: float | None = None,
        group_ids: Sequence[str] | None = None,
        limit: int | None = None,
    ) -> list[str]:
        """List the keys of records.

        Parameters
        ----------
        before, after : only records updated before, after this time, in seconds since 1970 UTC.
        group_ids : only records of these groups; of an empty list there are none.
        limit : keys at most, >= 1.
        """
        conditions: list[FilterNode] = []
        if before is not None:
            conditions.append(Lt(_UPDATED, before))
        if after is not None:
            conditions.append(Gt(_UPDATED, after))
        if group_ids is not None:
            conditions.append(In(_GROUP, tuple(group_ids)))
        most = None if limit is None else check_k(limit)
        keys: list[str] = []
        async for entry in self.memory.scan(filter=all_of(conditions)):
            keys.append(entry.id)
            if len(keys) == most:
                break
        return keys

    def delete_keys(self, keys: Sequence[str]) -> None:
        """Delete records; blocking form of :meth:`adelete_keys`."""
        run_blocking(self.adelete_keys(keys))

    async def adelete_keys(self, keys: Sequence[str]) -> None:
        """Delete records; keys that are not there are passed over."""
        await self.memory.delete_many(keys)
