"""Vector search by the server's search module: one index per number of dimensions, exact, filtered before ranking."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from axon.adapters._filters.redis import compile_filter, tag
from axon.adapters._redis.documents import SCHEMA, unit_bytes
from axon.adapters._redis.keys import Keyspace, Space
from axon.adapters._redis.operations import Command, Operation
from axon.adapters._redis.session import Session
from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, EmbeddingMismatchError
from axon.core.models import SearchRequest

_MOST_RESULTS = 1_000_000
"""More is refused by the module's default settings."""

_POLL_SECONDS = 0.02
_ATTEMPTS = 4


_WHICH_RUN: Command = ("INFO", "server")


def run_of(info: dict[str, Any]) -> str:
    """Read which run of the server answered ``INFO``."""
    return str(info.get("run_id", ""))


class Found(NamedTuple):
    """What one search found.

    Attributes
    ----------
    run : which run of the server answered; after a restart it builds its indexes anew, and meanwhile finds a part.
    dims : numbers per vector in the namespace, or None where it has none yet.
    searchable : every entry of the namespace was written by a client that also fills the index.
    hits : ids and cosines, best first; or the error that the module answered.
    """

    run: str
    dims: int | None
    searchable: bool
    hits: list[tuple[bytes, float]] | AdapterError


@dataclass(slots=True, eq=False)
class Find(Operation):
    """Search the index; the answer is a :class:`Found`."""

    query: Command
    key_length: int

    @classmethod
    def commands(cls, space: Space, run: Sequence[Find]) -> list[Command]:
        """Ask once for the state, then search for each."""
        return [_WHICH_RUN, ("HMGET", space.meta, "dims", "searchable"), *[find.query for find in run]]

    @classmethod
    def tolerates(cls, error: Exception) -> bool:
        """Hand on the module's complaint: what it means depends on the state."""
        return "index" in str(error).lower()

    @classmethod
    def answers(cls, run: Sequence[Find], replies: list[Any]) -> Iterator[Found]:
        """Give each search its hits."""
        dims, searchable = replies[1]
        for find, reply in zip(run, replies[2:], strict=True):
            hits: list[tuple[bytes, float]] | AdapterError
            if isinstance(reply, Exception):
                hits = AdapterError(f"the search module answered: {reply}")
            else:
                scores = (float(fields[1]) for fields in reply[2::2])
                ids = (key[find.key_length :] for key in reply[1::2])
                hits = [(id, 1.0 - score) for id, score in zip(ids, scores, strict=True)]
            yield Found(run_of(replies[0]), int(dims) if dims else None, searchable == b"1", hits)


class SearchModule:
    """The indexes of one adapter on one server.

    Parameters
    ----------
    keys : of the adapter.
    timeout : seconds a query may take; the client gives up before the module does, because the module would answer
        with a part and not say so.
    """

    def __init__(self, keys: Keyspace, timeout: float) -> None:
        self._keys = keys
        self._timeout = timeout
        self._complete: dict[int, str] = {}

    async def prepare(self, session: Session, dims: int, run: str | None = None) -> None:
        """Make the index for vectors of ``dims`` numbers where it is missing, and wait until it is complete.

        Parameters
        ----------
        session : of the running loop.
        dims : of the vectors, >= 1.
        run : the run of the server in which the index must be complete; None for any that we have seen.

        Raises
        ------
        AdapterTimeout
            If existing documents are not indexed in time.
        """
        known = self._complete.get(dims)
        if known is not None and run in (None, known):
            return
        answering = run_of(await session.ask(*_WHICH_RUN))
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
                while not await self._is_complete(session, name):  # noqa: ASYNC110 - the server does not call
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError as error:
            raise AdapterTimeout(f"the search index {name} is still being built; try again later") from error
        self._complete[dims] = answering

    @staticmethod
    async def _is_complete(session: Session, name: str) -> bool:
        listed = await session.ask("FT.INFO", name)
        info = dict(zip(listed[::2], listed[1::2], strict=True))
        # percent_indexed passes 1 while documents are still missing: it counts those that came otherwise, too.
        return int(info[b"indexing"]) == 0

    async def find(
        self, session: Session, space: Space, request: SearchRequest, now_us: int
    ) -> list[tuple[bytes, float]] | None:
        """Answer a search that carries a vector only.

        Returns
        -------
        Ids and cosines in [-1, 1], best first; None where the index does not hold the whole namespace.

        Raises
        ------
        EmbeddingMismatchError
            If the namespace holds vectors of other dimensions.
        """
        assert request.vector is not None
        native = compile_filter(request.filter).native
        if native is False:
            return []
        dims = request.vector.shape[0]
        query = self._query(space, request, native, now_us)
        for _ in range(_ATTEMPTS):
            found: Found = await session.submit(Find(space, query, len(space.document(dims))))
            if found.dims is None:
                return []
            if found.dims != dims:
                raise EmbeddingMismatchError(
                    f"the query vector has {dims} dimensions, this namespace holds {found.dims}; "
                    "use the embedder the namespace was filled with"
                )
            if not found.searchable:
                return None
            if isinstance(found.hits, AdapterError):
                self._complete.pop(dims, None)
            elif self._complete.get(dims) == found.run:
                return [(id, max(-1.0, min(1.0, cosine))) for id, cosine in found.hits]
            await self.prepare(session, dims, found.run)
        raise (
            found.hits
            if isinstance(found.hits, AdapterError)
            else AdapterUnavailable(
                "the server was restarted again and again while it was asked; try again later"
            )
        )

    def _query(self, space: Space, request: SearchRequest, native: str | bool, now_us: int) -> Command:
        assert request.vector is not None
        k = min(request.k, _MOST_RESULTS)
        # "Not over yet" would walk all entries, "not: already over" walks those few.
        alive = f"@namespace:{{{tag(space.namespace)}}} -@expires_at:[-inf {now_us}]"
        wanted = alive if native is True else f"{alive} {native}"
        return (
            "FT.SEARCH", self._keys.index_name(request.vector.shape[0]), f"({wanted})=>[KNN $k @v $q AS d]",
            "PARAMS", 4, "k", k, "q", unit_bytes(request.vector),
            "SORTBY", "d", "RETURN", 1, "d", "LIMIT", 0, k,
            "TIMEOUT", round(2000 * self._timeout), "DIALECT", 2,
        )  # fmt: skip
