"""The Redis adapter: entries on the server, and an index of them in this process or in the server's search module."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Sequence
from typing import Any

from axon.core.adapter_options import AdapterOptions, RedisOptions
from axon.core.clock import Clock, SystemClock
from axon.core.errors import AdapterUnavailable, ConfigError, EmbeddingMismatchError, MissingDependencyError
from axon.core.filter.ast import EVERYTHING, FilterNode, Predicate
from axon.core.filter.residual import CompiledFilter
from axon.core.filter.visitor import Support
from axon.core.models import Hit, MemoryEntry, SearchRequest, TextStatistics, Touch
from axon.core.ports import AdapterStats, Capabilities
from axon.core.retry import RetryPolicy
from axon.engine.arena import Arena
from axon.engine.arena_adapter import ArenaAdapter
from axon.engine.workers import in_worker

try:
    import redis.asyncio  # noqa: F401 - whether the client package is there
except ImportError as error:
    raise MissingDependencyError("redis", "redis") from error

from axon.adapters._filters import redis as search_filters
from axon.adapters._redis import operations as op
from axon.adapters._redis import scripts
from axon.adapters._redis.address import Address, address_of
from axon.adapters._redis.catching_up import catch_up
from axon.adapters._redis.connection import make_client
from axon.adapters._redis.documents import document
from axon.adapters._redis.finding import SearchModule
from axon.adapters._redis.keys import Keyspace, Space, quoted, unquoted
from axon.adapters._redis.packing import pack, unpack
from axon.adapters._redis.probe import Features, probe
from axon.adapters._redis.replica import Replica
from axon.adapters._redis.session import Session, Sessions
from axon.adapters._shared.circuit import Circuit

_NO_MODULE = "the server has no search module, is a cluster, or another database than 0 was chosen"

_SWEEP_EVERY_US = 1_000_000
_SWEPT = 1_000


class RedisAdapter(ArenaAdapter):
    """Keeps entries in Redis.

    Each entry is one value that the server drops when its time is over. Without the search module, each process
    that searches holds the namespace in memory, asks the server with every search for what is new, and answers
    itself. Several processes may use one server: each sees what the others have been acknowledged.

    Parameters
    ----------
    options : see ``RedisOptions``.
    clock : decides what has expired, beside the server's own clock.
    """

    def __init__(self, options: AdapterOptions | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(clock or SystemClock())
        self._options = options if isinstance(options, RedisOptions) else RedisOptions()
        self._address: Address = address_of(self._options)
        self._keys = Keyspace(self._options.key_prefix)
        self._circuit = Circuit()
        self._sessions = Sessions(self._make_session)
        self._features: Features | None = None
        self._module: SearchModule | None = None
        self._replicas: dict[str, Replica] = {}
        self._registered: dict[str, bytes] = {}
        self._swept_us: dict[str, int] = {}
        self._lock = threading.Lock()
        self.capabilities = Capabilities(
            text_search=self._options.text_index, durable=True, native_ttl=True, max_batch=1000
        )

    # ------------------------------------------------------------------------------------------ opening, closing

    async def open(self) -> None:
        """Connect, and find out what the server can do.

        Raises
        ------
        AdapterUnavailable, AdapterTimeout
            If the server cannot be reached.
        ConfigError
            If the search module is required and cannot be used there.
        """
        if self._features is not None:
            return
        features = await probe(self._address, self._options)
        if self._options.search_module == "require" and not features.search:
            raise ConfigError(f"{self._address.label}: {_NO_MODULE}; use search_module='auto'")
        usable = features.search and self._options.search_module != "off"
        self._module = SearchModule(self._keys, self._options.socket_timeout) if usable else None
        self._features = features

    async def aclose(self) -> None:
        """Close the connections and free what is held in memory."""
        self._features = None
        await self._sessions.aclose()
        with self._lock:
            self._replicas.clear()
            self._registered.clear()
            self._batchers.clear()

    def _make_session(self) -> Session:
        features = self._opened()
        client = make_client(self._address, self._options, cluster=features.cluster)
        patience = RetryPolicy(
            attempts=3,
            first_delay=0.05,
            max_delay=1.0,
            deadline=self._options.socket_timeout + self._options.socket_connect_timeout,
        )
        return Session(client, self._circuit, patience, self._address.label, self._options.max_connections)

    def _opened(self) -> Features:
        if self._features is None:
            raise AdapterUnavailable(f"{self._address.label} is not open; call open() first")
        return self._features

    async def _session(self) -> Session:
        self._opened()
        return await self._sessions.get()

    # ---------------------------------------------------------------------------------------- the local index

    async def _arena(self, namespace: str) -> Arena:
        session, space = await self._session(), self._keys.space(namespace)
        while True:
            version: op.Version = await session.submit(op.AskVersion(space))
            if not version.epoch:
                self._forget(namespace)
                return self._make_arena()
            replica = self._replica(namespace)
            arena = replica.current(version)
            if arena is None:
                await session.once(space, _catching_up(session, space, replica, version))
                arena = replica.current(version)
            if arena is not None:
                self._sweep(namespace, arena)
                return arena

    def _make_arena(self) -> Arena:
        return Arena(text_index=self._options.text_index)

    def _replica(self, namespace: str) -> Replica:
        with self._lock:
            replica = self._replicas.get(namespace)
            if replica is None:
                replica = self._replicas[namespace] = Replica(self._make_arena, self._retire)
            return replica

    def _retire(self, arena: Arena) -> None:
        self._batchers.pop(id(arena), None)

    def _forget(self, namespace: str) -> None:
        with self._lock:
            replica = self._replicas.pop(namespace, None)
            self._registered.pop(namespace, None)
            self._swept_us.pop(namespace, None)
        if replica is not None and replica.arena is not None:
            self._retire(replica.arena)

    def _note(self, namespace: str, changed: op.Changed, apply: Callable[[Arena], object]) -> None:
        """Apply a change of our own to the local index, where there is one."""
        replica = self._replicas.get(namespace)
        if replica is not None:
            replica.note(changed, apply)
            if replica.arena is not None:
                self._compact_if_due(replica.arena)

    def _sweep(self, namespace: str, arena: Arena) -> None:
        """Drop what has expired from memory, as the server does by itself."""
        now_us = self.clock.now_us()
        if now_us - self._swept_us.get(namespace, 0) >= _SWEEP_EVERY_US:
            self._swept_us[namespace] = now_us
            over = arena.expired(now_us, _SWEPT)
            if over:
                arena.delete(over)
                self._compact_if_due(arena)

    # ------------------------------------------------------------------------------------------------ searching

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter: the search module cannot check all of it, the index in this process can."""
        return super().compile(node) if self._module is None else search_filters.compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what is done with one predicate."""
        return Support.SUPPORTED if self._module is None else search_filters.support(predicate)

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order; see the port.

        Searches by vector alone go to the search module where the server has it, the others to the index in this
        process, which ranks words as all tiers do.
        """
        module = self._module
        if module is None or not all(each.text is None and each.vector is not None for each in requests):
            return await super().search_many(namespace, requests)
        session, space, now_us = await self._session(), self._keys.space(namespace), self.clock.now_us()
        searches = (module.find(session, space, request, now_us) for request in requests)
        found = [hits for hits in await asyncio.gather(*searches) if hits is not None]
        if len(found) < len(requests):
            return await super().search_many(namespace, requests)
        ids = list({id: None for hits in found for id, _ in hits})
        rows = await session.submit(op.Get(space, ids)) if ids else []
        entries = dict(zip(ids, self._unpack([id.decode() for id in ids], rows), strict=True))
        return [
            [Hit(entry, cosine, None) for id, cosine in hits if (entry := entries[id]) is not None]
            for hits in found
        ]

    # -------------------------------------------------------------------------------------------------- by id

    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        """Write entries whole, replacing those with the same ids; all or none."""
        if not entries:
            return
        session, space = await self._session(), self._keys.space(namespace)
        changed: op.Changed = await session.submit(self._put(space, entries))
        if changed.misfit is not None:
            held, given, place = changed.misfit
            raise EmbeddingMismatchError(
                f"the vector of entry {entries[place - 1].id!r} has {given} dimensions, this namespace or call "
                f"holds {held}; use the embedder the namespace was filled with, or another namespace"
            )
        await self._register(session, space, changed.epoch)
        if self._module is not None:
            for dims in {entry.dims for entry in entries if entry.dims is not None}:
                await self._module.prepare(session, dims)
        self._note(namespace, changed, lambda arena: arena.put(entries))

    def _put(self, space: Space, entries: Sequence[MemoryEntry]) -> op.Put:
        with_documents = self._module is not None

        def encode() -> list[bytes]:
            now_us = self.clock.now_us()
            arguments: list[bytes] = []
            for entry in entries:
                arguments += (pack(entry), _mark(entry, now_us))
                if with_documents:
                    arguments.append(document(entry, space.namespace))
            return arguments

        keys = [space.entry(entry.record.id) for entry in entries]
        return op.Put(space, keys, encode, secrets.token_hex(8).encode(), with_documents)

    async def _register(self, session: Session, space: Space, epoch: bytes) -> None:
        """List the namespace, once per epoch: after a clearing by whomever, a new one begins."""
        if self._registered.get(space.namespace) != epoch:
            await session.submit(op.Plain(space, ("SADD", self._keys.registry, quoted(space.namespace))))
            self._registered[space.namespace] = epoch

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        """Read entries in the order of ``ids``; None for those absent or expired.

        Raises
        ------
        CorruptEntryError
            If one of them cannot be decoded.
        """
        if not ids:
            return []
        session, space = await self._session(), self._keys.space(namespace)
        rows: list[tuple[Any, Any]] = await session.submit(op.Get(space, [id.encode() for id in ids]))
        if len(ids) > op.INLINE_ROWS:
            return await in_worker(lambda: self._unpack(ids, rows))
        return self._unpack(ids, rows)

    def _unpack(self, ids: Sequence[str], rows: Sequence[tuple[Any, Any]]) -> list[MemoryEntry | None]:
        now_us = self.clock.now_us()
        found: list[MemoryEntry | None] = []
        for id, (value, access) in zip(ids, rows, strict=True):
            entry = None if value is None else unpack(id, value, access)
            if (
                entry is not None
                and entry.record.expires_us is not None
                and entry.record.expires_us <= now_us
            ):
                entry = None
            found.append(entry)
        return found

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there; after a lost connection, how many were still there."""
        if not ids:
            return 0
        session, space = await self._session(), self._keys.space(namespace)
        changed: op.Changed = await session.submit(op.Delete(space, [space.entry(id) for id in ids]))
        self._note(namespace, changed, lambda arena: arena.delete(ids))
        return changed.deleted

    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        """Add access statistics; ids that are gone are passed over."""
        if not touches:
            return
        session, space = await self._session(), self._keys.space(namespace)
        arguments: list[bytes] = []
        for touch in touches:
            arguments += (touch.id.encode(), b"%d" % touch.count, b"%d" % touch.at_us)
        changed: op.Changed = await session.submit(op.Touch(space, arguments))
        self._note(namespace, changed, lambda arena: arena.touch(touches))

    # ----------------------------------------------------------------------------------------- whole namespaces

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it, as of the last search where there was one."""
        replica = self._replicas.get(namespace)
        arena = None if replica is None else replica.arena
        if arena is None:
            return await super().text_statistics(namespace, text)
        view = arena.view(self.clock.now_us())
        index = view.text
        if index is None:
            return None
        if index.lag(view.size) <= op.INLINE_ROWS:
            return index.statistics(text, view.size)
        return await in_worker(lambda: index.statistics(text, view.size))

    async def count(self, namespace: str, node: FilterNode) -> int:
        """Count the unexpired entries that satisfy ``node``."""
        if node is EVERYTHING:
            return await self._count_all(namespace)
        return await super().count(namespace, node)

    async def _count_all(self, namespace: str) -> int:
        session = await self._session()
        return int(await session.submit(op.Evaluate(self._keys.space(namespace), scripts.COUNT)))

    async def expired(self, namespace: str, limit: int = 1000) -> list[str]:
        """Return nothing, since the server expires entries by itself; drops what is kept about them elsewhere."""
        await self._count_all(namespace)
        return []

    async def clear(self, namespace: str) -> None:
        """Delete everything in one namespace, its embedder's fingerprint included."""
        session, space = await self._session(), self._keys.space(namespace)
        await session.submit(op.Evaluate(space, scripts.CLEAR, (space.entry_prefix, *space.documents)))
        self._forget(namespace)
        await session.submit(op.Plain(space, ("SREM", self._keys.registry, quoted(namespace))))
        # Another process may have begun the namespace anew and listed it between the two steps.
        if (await session.submit(op.AskVersion(space))).epoch:
            await session.submit(op.Plain(space, ("SADD", self._keys.registry, quoted(namespace))))

    async def namespaces(self) -> list[str]:
        """Names of the namespaces that hold entries, sorted."""
        return sorted(name for name, size in (await self._sizes()).items() if size)

    async def _sizes(self) -> dict[str, int]:
        session = await self._session()
        listed = await session.ask("SMEMBERS", self._keys.registry)
        names = [unquoted(name.decode()) for name in listed]
        counts = [session.submit(op.Evaluate(self._keys.space(name), scripts.COUNT)) for name in names]
        return {name: int(await count) for name, count in zip(names, counts, strict=True)}

    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        """Record which embedder made the vectors of a namespace, unless one is recorded; return the recorded one."""
        session, space = await self._session(), self._keys.space(namespace)
        arguments = (secrets.token_hex(8), fingerprint or "")
        bound: bytes | None = await session.submit(op.Evaluate(space, scripts.BIND, arguments))
        return None if bound is None else bound.decode()

    async def stats(self) -> AdapterStats:
        """Describe the present state, also whether the server itself keeps what it holds when it restarts."""
        features = self._opened()
        sizes = await self._sizes()
        replicas = list(self._replicas.items())
        arenas = [replica.arena for _, replica in replicas if replica.arena is not None]
        return AdapterStats(
            backend=f"Redis {features.version}" + (" Cluster" if features.cluster else ""),
            entries=sum(sizes.values()),
            bytes=sum(arena.vector_bytes for arena in arenas),
            details={
                "server": self._address.label,
                "index": "in this process"
                if self._module is None
                else "search module, and in this process for words",
                "persistence": features.persistence,
                "survives_restart": features.persistence != "none",
                "eviction": features.eviction,
                "circuit": "open" if self._circuit.is_open else "closed",
                "loaded_namespaces": len(arenas),
                "corrupt_entries": [id for _, replica in replicas for id in replica.corrupt],
            },
        )


def _mark(entry: MemoryEntry, now_us: int) -> bytes:
    """Tell the server what it has to know of an entry besides its value; see ``scripts.PUT``."""
    record = entry.record
    accessed = record.access_count or record.accessed_us is not None
    if record.expires_us is None and not accessed:
        return b"%d" % (entry.dims or 0)
    left = 0 if record.expires_us is None else record.expires_us - now_us
    ttl = 0 if record.expires_us is None else -(-left // 1000) if left > 0 else -1
    access = b" %d %d" % (record.access_count, record.accessed_us or 0) if accessed else b""
    return b"%d %d" % (entry.dims or 0, ttl) + access


def _catching_up(session: Session, space: Space, replica: Replica, version: op.Version) -> Any:
    return lambda: catch_up(session, space, replica, version)
