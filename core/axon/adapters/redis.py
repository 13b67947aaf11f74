"""The Redis adapter: entries on the server, and an index of them in this process or in the server's search module."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence

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
from axon.adapters._redis.connection import make_client
from axon.adapters._redis.encoding import Encoded, encoded
from axon.adapters._redis.keys import Keyspace, Space, quoted, unquoted
from axon.adapters._redis.matching import Words
from axon.adapters._redis.packing import unpack_rows
from axon.adapters._redis.probe import Features, probe
from axon.adapters._redis.replicas import Replicas
from axon.adapters._redis.search_module import SearchModule
from axon.adapters._redis.searching import search
from axon.adapters._redis.session import Session, Sessions
from axon.adapters._shared.circuit import Circuit

_NO_MODULE = "the server has no search module, is a cluster, or another database than 0 was chosen"


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
        self._replicas = Replicas(self.clock, self._make_arena, self._retire, self._compact_if_due)
        self._registered: dict[str, bytes] = {}
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
        known = self._sessions.known()
        if known is None:
            self._opened()
            known = await self._sessions.get()
        return known

    async def _arena(self, namespace: str) -> Arena:
        arena = await self._replicas.arena(await self._session(), self._keys.space(namespace))
        return self._make_arena() if arena is None else arena

    def _make_arena(self) -> Arena:
        return Arena(text_index=self._options.text_index)

    def _retire(self, arena: Arena) -> None:
        self._batchers.pop(id(arena), None)

    # ------------------------------------------------------------------------------------------------ searching

    def compile(self, node: FilterNode) -> CompiledFilter:
        """Split a filter: the search module cannot check all of it, the index in this process can."""
        return super().compile(node) if self._module is None else search_filters.compile_filter(node)

    def support(self, predicate: Predicate) -> Support:
        """Tell what is done with one predicate."""
        return Support.SUPPORTED if self._module is None else search_filters.support(predicate)

    async def search_many(self, namespace: str, requests: Sequence[SearchRequest]) -> list[list[Hit]]:
        """Answer searches in order; see the port.

        Where the server has the search module, only a request without vector and words goes to the index in this
        process.
        """
        module = self._module
        if module is None or any(each.text is None and each.vector is None for each in requests):
            return await super().search_many(namespace, requests)
        session, space, now_us = await self._session(), self._keys.space(namespace), self.clock.now_us()
        searches = [search(module, session, space, request, now_us) for request in requests]
        answers = [await searches[0]] if len(searches) == 1 else await asyncio.gather(*searches)
        found = [hits for hits in answers if hits is not None]
        return found if len(found) == len(requests) else await super().search_many(namespace, requests)

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
        if self._registered.get(namespace) != changed.epoch:
            await self._register(session, space, changed.epoch)
        if self._module is not None:
            for dims in {entry.dims or 0 for entry in entries}:
                if not self._module.has_index(dims):
                    await self._module.prepare(session, dims)
        self._replicas.note(namespace, changed, lambda arena: arena.put(entries))

    def _put(self, space: Space, entries: Sequence[MemoryEntry]) -> op.Put:
        with_documents = self._module is not None

        def encode() -> Encoded:
            return encoded(entries, self.clock.now_us(), space.namespace if with_documents else None)

        return op.Put(space, len(entries), encode, with_documents)

    async def _register(self, session: Session, space: Space, epoch: bytes) -> None:
        """List the namespace, once per epoch: after a clearing by whomever, a new one begins."""
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
        rows: list[op.Row] = await session.submit(op.Get(space, [id.encode() for id in ids]))
        now_us = self.clock.now_us()
        if len(ids) > op.INLINE_ROWS:
            return await in_worker(lambda: unpack_rows(ids, rows, now_us))
        return unpack_rows(ids, rows, now_us)

    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        """Delete by id and return how many were there; after a lost connection, how many were still there."""
        if not ids:
            return 0
        session, space = await self._session(), self._keys.space(namespace)
        changed: op.Changed = await session.submit(op.Delete(space, [id.encode() for id in ids]))
        self._replicas.note(namespace, changed, lambda arena: arena.delete(ids))
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
        self._replicas.note(namespace, changed, lambda arena: arena.touch(touches))

    # ----------------------------------------------------------------------------------------- whole namespaces

    async def text_statistics(self, namespace: str, text: str) -> TextStatistics | None:
        """Describe the namespace as far as scoring ``text`` needs it, as of the last search where there was one."""
        if self._module is not None and self._options.text_index:
            words, session = Words(text, namespace), await self._session()
            found = await self._module.match(session, self._keys.space(namespace), words, None)
            if found is not None:
                return found.statistics(words.stems)
        arena = self._replicas.loaded(namespace)
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
        self._replicas.forget(namespace)
        self._registered.pop(namespace, None)
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

    async def backend_now_us(self, namespace: str) -> int | None:
        """Read the clock of the server that holds the namespace, microseconds since 1970 UTC."""
        session = await self._session()
        return int(await session.submit(op.Evaluate(self._keys.space(namespace), scripts.NOW)))

    async def stats(self) -> AdapterStats:
        """Describe the present state, also whether the server itself keeps what it holds when it restarts.

        While the circuit is open, the entries are not counted, instead of failing.
        """
        features = self._opened()
        is_down = self._circuit.is_open
        sizes = None if is_down else await self._sizes()
        arenas = self._replicas.arenas()
        module = self._module
        unindexed = 0 if module is None or is_down else await module.unindexed(await self._session())
        return AdapterStats(
            backend=f"Redis {features.version}" + (" Cluster" if features.cluster else ""),
            entries=None if sizes is None else sum(sizes.values()),
            bytes=sum(arena.vector_bytes for arena in arenas),
            details={
                "server": self._address.label,
                "index": "in this process" if module is None else "search module",
                "persistence": features.persistence,
                "survives_restart": features.persistence != "none",
                "eviction": features.eviction,
                **self._circuit.details(),
                "loaded_namespaces": len(arenas),
                "corrupt_entries": [*self._replicas.corrupt(), *(module.faults if module else ())],
                "unindexed_entries": None if is_down else unindexed,
            },
        )
