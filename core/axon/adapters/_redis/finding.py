"""Vector search by the server's search module: one index per number of dimensions, exact, filtered before ranking."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from redis.exceptions import NoScriptError

from axon.adapters._filters.redis import compile_filter, tag
from axon.adapters._redis import scripts
from axon.adapters._redis.documents import SCHEMA, unit_bytes
from axon.adapters._redis.filling import fill
from axon.adapters._redis.keys import Keyspace, Space
from axon.adapters._redis.operations import Command, Operation, Row
from axon.adapters._redis.packing import read_access
from axon.adapters._redis.session import Session
from axon.core.errors import AdapterError, AdapterTimeout, EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest

_MOST_RESULTS = 1_000_000
"""More is refused by the module's default settings."""

_POLL_SECONDS = 0.02
_ATTEMPTS = 4


class Found(NamedTuple):
    """What one search found.

    Attributes
    ----------
    dims : numbers per vector in the namespace, or None where it has none yet.
    whole : the index holds every entry of the namespace that has a vector.
    hits : id, cosine and row of each, best first; or the error that the server answered.
    """

    dims: int | None
    whole: bool
    hits: list[tuple[str, float, Row]] | AdapterError


@dataclass(slots=True, eq=False)
class Find(Operation):
    """Search an index and read what is found; the answer is a :class:`Found`."""

    sha: str
    dims: int
    query: Command

    @classmethod
    def commands(cls, space: Space, run: Sequence[Find]) -> list[Command]:
        """Leave each its own."""
        commands: list[Command] = []
        for each in run:
            arguments = (each.dims, len(space.document(each.dims)), space.entry_prefix, *each.query)
            commands.append(("EVALSHA", each.sha, len(space.fixed), *space.fixed, *arguments))
        return commands

    @classmethod
    def tolerates(cls, error: Exception) -> bool:
        """Hand on that the script or the index is missing: both can be made."""
        return isinstance(error, NoScriptError) or "index" in str(error).lower()

    @classmethod
    def answers(cls, run: Sequence[Find], replies: list[Any]) -> Iterator[Found]:
        """Give each search its hits."""
        for reply in replies:
            if isinstance(reply, Exception):
                yield Found(None, False, AdapterError(f"the search module answered: {reply}"))
                continue
            dims, whole, distances, *rows = reply
            cosines = (max(-1.0, min(1.0, 1.0 - float(each))) for each in distances.split())
            each_row = zip(rows[::3], cosines, rows[1::3], rows[2::3], strict=True)
            hits = [
                (id.decode(), cosine, (value, stats and read_access(stats)))
                for id, cosine, value, stats in each_row
            ]
            yield Found(int(dims) if dims else None, bool(whole), hits)


class SearchModule:
    """The indexes of one adapter on one server.

    Parameters
    ----------
    keys : of the adapter.
    timeout : seconds a query may take; the client gives up before the module does, because the module would answer
        with a part and not say so.

    Attributes
    ----------
    faults : entries that could not be decoded when the index was filled, by id.
    """

    def __init__(self, keys: Keyspace, timeout: float) -> None:
        self._keys = keys
        self._timeout = timeout
        self._made: set[int] = set()
        self._shas: dict[int, str] = {}
        self.faults: dict[str, AdapterError] = {}

    def has_index(self, dims: int) -> bool:
        """Whether the index for vectors of ``dims`` numbers was seen to be complete."""
        return dims in self._made

    async def prepare(self, session: Session, dims: int) -> None:
        """Make the index for vectors of ``dims`` numbers where it is missing, and wait until it is complete.

        Raises
        ------
        AdapterTimeout
            If existing documents are not indexed in time.
        """
        name = self._keys.index_name(dims)
        vector = ("v", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", dims, "DISTANCE_METRIC", "IP")
        where = ("ON", "HASH", "PREFIX", 1, self._keys.index_prefix(dims))
        try:
            await session.ask("FT.CREATE", name, *where, "SCHEMA", *SCHEMA, *vector)
        except AdapterError as error:
            if "already exists" not in str(error):
                raise
        try:
            async with asyncio.timeout(max(60.0, 4 * self._timeout)):
                # percent_indexed passes 1 while documents are still missing: it counts those that came otherwise.
                while (await self._info(session, name))["indexing"]:  # noqa: ASYNC110 - the server does not call
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise AdapterTimeout(f"the search index {name} is still being built; try again later") from error
        await session.ask("SCRIPT", "LOAD", scripts.nearest(name))
        self._made.add(dims)

    async def unindexed(self, session: Session) -> int:
        """Count the documents that the module refused to index, and which no search can find."""
        names = [self._keys.index_name(dims) for dims in self._made]
        return sum([(await self._info(session, name))["hash_indexing_failures"] for name in names])

    @staticmethod
    async def _info(session: Session, name: str) -> dict[str, int]:
        listed = await session.ask("FT.INFO", name)
        told = dict(zip(listed[::2], listed[1::2], strict=True))
        return {key: int(told[key.encode()]) for key in ("indexing", "hash_indexing_failures")}

    async def find(
        self, session: Session, space: Space, request: SearchRequest, now_us: int
    ) -> list[tuple[str, float, Row]] | None:
        """Answer a search that carries a vector only.

        Returns
        -------
        Id, cosine in [-1, 1] and row of each hit, best first; None where others write faster without the index than
        it is filled.

        Raises
        ------
        EmbeddingMismatchError
            If the namespace holds vectors of other dimensions.
        """
        assert request.vector is not None
        native = True if request.filter is EVERYTHING else compile_filter(request.filter).native
        if native is False:
            return []
        dims = request.vector.shape[0]
        query = self._query(space, request, native, now_us)
        for _ in range(_ATTEMPTS):
            found: Found = await session.submit(Find(space, self._sha(dims), dims, query))
            if isinstance(found.hits, AdapterError):
                await self.prepare(session, dims)
            elif found.dims is None:
                return []
            elif found.dims != dims:
                raise EmbeddingMismatchError(
                    f"the query vector has {dims} dimensions, this namespace holds {found.dims}; "
                    "use the embedder the namespace was filled with"
                )
            elif found.whole:
                return found.hits
            else:
                await self.prepare(session, dims)
                await session.once(space, "fill", lambda: fill(session, space, self.faults))
        if isinstance(found.hits, AdapterError):
            raise found.hits
        return None

    def _sha(self, dims: int) -> str:
        sha = self._shas.get(dims)
        if sha is None:
            script = scripts.nearest(self._keys.index_name(dims))
            sha = self._shas[dims] = hashlib.sha1(script, usedforsecurity=False).hexdigest()
        return sha

    def _query(self, space: Space, request: SearchRequest, native: str | bool, now_us: int) -> Command:
        assert request.vector is not None
        k = min(request.k, _MOST_RESULTS)
        # "Not over yet" would walk all entries, "not: already over" walks those few.
        alive = f"@namespace:{{{tag(space.namespace)}}} -@expires_at:[-inf {now_us}]"
        wanted = alive if native is True else f"{alive} {native}"
        return (
            f"({wanted})=>[KNN $k @v $q AS d]",
            "PARAMS", 4, "k", k, "q", unit_bytes(request.vector),
            "SORTBY", "d", "RETURN", 1, "d", "LIMIT", 0, k,
            "TIMEOUT", round(2000 * self._timeout), "DIALECT", 2,
        )  # fmt: skip
