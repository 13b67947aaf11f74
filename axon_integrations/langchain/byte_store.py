"""Bytes by key, in a tier of the memory: what ``CacheBackedEmbeddings`` and the document loaders of LangChain take."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from langchain_core.stores import ByteStore

from axon.core.compartments import compartment
from axon.core.errors import CorruptEntryError, InvalidInputError
from axon.core.filter.ast import EVERYTHING, Field, FilterNode, Prefix
from axon.core.memory_system import MemorySystem
from axon.core.models import HIDDEN_PREFIX, MemoryEntry, MemoryInput
from axon.core.portal import run_blocking
from axon.core.validation import check_id, check_ttl
from axon.sync import SyncMemorySystem
from axon_integrations._shared.keyed import label
from axon_integrations._shared.owning import owner_of
from axon_integrations._shared.placing import single_tier

_BYTES: Final = f"{HIDDEN_PREFIX}bytes"


class AxonByteStore(ByteStore):
    """Bytes by key.

    Values lie in a compartment of the memory's namespace: no search finds them, they need no embedding model, and
    no tier condenses them. A key written again holds the new value, whichever tier held the old one.

    Parameters
    ----------
    memory : where values live; never closed here.
    namespace : of the memory; None for the memory's own.
    tier : where values go; None for the most durable.
    ttl : seconds after which a value is gone, > 0; None takes the tier's policy.

    Raises
    ------
    ConfigError
        If ``memory`` is no ``MemorySystem``.
    InvalidInputError
        For an empty namespace, a tier that is not configured, or a ``ttl`` that is not above 0.

    Examples
    --------
    >>> from axon import MemorySystem
    >>> store = AxonByteStore(MemorySystem())
    >>> store.mset([("greeting", b"hello")])
    >>> store.mget(["greeting", "farewell"])
    [b'hello', None]
    """

    def __init__(
        self,
        memory: MemorySystem,
        *,
        namespace: str | None = None,
        tier: str | None = None,
        ttl: float | None = None,
    ) -> None:
        owner = owner_of(memory, namespace)
        self.memory = memory.scope(compartment(owner.namespace, "bytes"))
        self._tier = memory.tiers[-1] if tier is None else single_tier(tier, memory)
        self._ttl = check_ttl(ttl)

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read values; blocking form of :meth:`amget`."""
        return run_blocking(self.amget(keys))

    async def amget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Read values in the order of ``keys``; None for those that are not there.

        Raises
        ------
        CorruptEntryError
            If a value cannot be read; it names the key.
        AdapterError
            If the backend failed.
        """
        return [None if entry is None else _value(entry) for entry in await self.memory.get_many(keys)]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Write values; blocking form of :meth:`amset`."""
        run_blocking(self.amset(key_value_pairs))

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Write values; of equal keys the last wins.

        Raises
        ------
        InvalidInputError
            For a key that is no non-empty string or a value that is no bytes; nothing was written.
        AdapterError
            If the backend failed.
        """
        entries = {key: self._input(key, value) for key, value in key_value_pairs}
        if entries:
            await self.memory.bulk_store(entries.values(), tier=self._tier, ttl=self._ttl, embed=False)

    def mdelete(self, keys: Sequence[str]) -> None:
        """Delete values; blocking form of :meth:`amdelete`."""
        run_blocking(self.amdelete(keys))

    async def amdelete(self, keys: Sequence[str]) -> None:
        """Delete values; keys that are not there are passed over."""
        await self.memory.delete_many(keys)

    def yield_keys(self, *, prefix: str | None = None) -> Iterator[str]:
        """Walk the keys, some fetched ahead; blocking form of :meth:`ayield_keys`."""
        for entry in SyncMemorySystem.wrap(self.memory).scan(filter=_starts_with(prefix)):
            yield entry.id

    async def ayield_keys(self, *, prefix: str | None = None) -> AsyncIterator[str]:
        """Walk the keys that begin with ``prefix``, oldest first; all of them without one."""
        async for entry in self.memory.scan(filter=_starts_with(prefix)):
            yield entry.id

    def _input(self, key: str, value: bytes) -> MemoryInput:
        if not isinstance(value, bytes):
            raise InvalidInputError(f"the value of {key!r} must be bytes, not {type(value).__name__}")
        return MemoryInput(
            text=label(check_id(key)), id=key, metadata={_BYTES: b64encode(value).decode("ascii")}
        )


def _value(entry: MemoryEntry) -> bytes:
    try:
        return b64decode(entry.record.metadata[_BYTES], validate=True)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptEntryError(f"entry {entry.id!r} holds no bytes that can be read: {error}") from error


def _starts_with(prefix: str | None) -> FilterNode:
    return Prefix(Field("id"), prefix) if prefix else EVERYTHING
