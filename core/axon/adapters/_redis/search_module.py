"""The server's search module: one index per number of dimensions, exact for vectors, filtered before ranking."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable

from axon.adapters._filters.redis import compile_filter
from axon.adapters._redis import scripts
from axon.adapters._redis.documents import SCHEMA, namespace_field, unit_bytes
from axon.adapters._redis.filling import fill
from axon.adapters._redis.finding import Answer, Find, Near
from axon.adapters._redis.keys import Keyspace, Space
from axon.adapters._redis.matching import Candidates, Match, Words, candidates_for
from axon.adapters._redis.operations import Command
from axon.adapters._redis.session import Session
from axon.core.errors import AdapterError, AdapterTimeout, EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING
from axon.core.models import SearchRequest

_MOST_RESULTS = 1_000_000
"""More is refused by the module's default settings."""

_POLL_SECONDS = 0.02
_ATTEMPTS = 5


class SearchModule:
    """The indexes of one adapter on one server.

    Parameters
    ----------
    keys : of the adapter.
    timeout : seconds a query may take; the client gives up before the module does, because the module would answer
        with a part and not say so.

    Attributes
    ----------
    faults : entries that could not be decoded when an index was filled, by id.
    """

    def __init__(self, keys: Keyspace, timeout: float) -> None:
        self.faults: dict[str, AdapterError] = {}
        self._keys = keys
        self._timeout = timeout
        self._made: set[int] = set()
        self._shas: dict[tuple[Callable[[str], bytes], int], str] = {}
        self._last_dims = 0

    def has_index(self, dims: int) -> bool:
        """Whether the index for vectors of ``dims`` numbers was seen to be complete."""
        return dims in self._made

    async def prepare(self, session: Session, dims: int) -> None:
        """Make an index where it is missing, and wait until it is complete.

        Parameters
        ----------
        session : of the running loop.
        dims : numbers per vector; 0 for the index of namespaces that have no vector.

        Raises
        ------
        AdapterTimeout
            If existing documents are not indexed in time.
        """
        name = self._keys.index_name(dims)
        try:
            await session.ask("FT.CREATE", name, *self._definition(dims))
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
        for script in (scripts.nearest, scripts.matching):
            await session.ask("SCRIPT", "LOAD", script(name))
        self._made.add(dims)
        self._last_dims = dims

    def _definition(self, dims: int) -> Command:
        # Entries without a vector are in every index, so that one search by words sees all of a namespace.
        prefixes = [self._keys.index_prefix(each) for each in dict.fromkeys((dims, 0))]
        vector = ("v", "VECTOR", "FLAT", 6, "TYPE", "FLOAT32", "DIM", dims, "DISTANCE_METRIC", "IP")
        return (
            "ON", "HASH", "PREFIX", len(prefixes), *prefixes, "NOOFFSETS", "STOPWORDS", 0,
            "SCHEMA", *SCHEMA, *(vector if dims else ()),
        )  # fmt: skip

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
    ) -> list[Near] | None:
        """Find the nearest vectors.

        Returns
        -------
        Best first; None where others write faster without the index than it is filled.

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
        query = self._nearest(space, request, native, now_us)
        sha = self._sha(scripts.nearest, dims)
        for _ in range(_ATTEMPTS):
            answer: Answer = await session.submit(Find(space, sha, dims, query))
            if not isinstance(answer.found, AdapterError) and answer.dims != dims:
                if not answer.dims:
                    return []
                raise EmbeddingMismatchError(
                    f"the query vector has {dims} dimensions, this namespace holds {answer.dims}; "
                    "use the embedder the namespace was filled with"
                )
            if answer.whole:
                found: list[Near] = answer.found
                return found
            await self._mend(session, space, dims, answer)
        return self._give_up(answer)

    async def match(
        self, session: Session, space: Space, words: Words, request: SearchRequest | None
    ) -> Candidates | None:
        """Find texts that hold any of some words, and how often the words occur; without a request only the latter.

        Returns
        -------
        None where others write faster without the index than it is filled.
        """
        query, count = "", 0
        if request is not None:
            native = True if request.filter is EVERYTHING else compile_filter(request.filter).native
            query = self._holding(words, native)
            count = 0 if native is False or not words.tokens else candidates_for(request)
        dims = self._last_dims
        for _ in range(_ATTEMPTS):
            match = Match(
                space, self._sha(scripts.matching, dims), dims, query, words.tokens,
                min(count, _MOST_RESULTS), self._milliseconds,
            )  # fmt: skip
            answer: Answer = await session.submit(match)
            if not isinstance(answer.found, AdapterError) and answer.dims != dims:
                dims = self._last_dims = answer.dims
            elif answer.whole:
                found: Candidates = answer.found
                return found
            else:
                await self._mend(session, space, dims, answer)
        return self._give_up(answer)

    async def _mend(self, session: Session, space: Space, dims: int, answer: Answer) -> None:
        """Make what was missing, so that the same question can be asked again."""
        await self.prepare(session, dims)
        if not isinstance(answer.found, AdapterError):
            await session.once(space, "fill", lambda: fill(session, space, self.faults))

    @staticmethod
    def _give_up(answer: Answer) -> None:
        if isinstance(answer.found, AdapterError):
            raise answer.found

    def _sha(self, script: Callable[[str], bytes], dims: int) -> str:
        sha = self._shas.get((script, dims))
        if sha is None:
            text = script(self._keys.index_name(dims))
            sha = self._shas[script, dims] = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        return sha

    @property
    def _milliseconds(self) -> int:
        return round(2000 * self._timeout)

    def _nearest(self, space: Space, request: SearchRequest, native: str | bool, now_us: int) -> Command:
        assert request.vector is not None
        k = min(request.k, _MOST_RESULTS)
        # "Not over yet" would walk all entries, "not: already over" walks those few.
        alive = f"@namespace:{{{namespace_field(space.namespace)}}} -@expires_at:[-inf {now_us}]"
        wanted = alive if native is True else f"{alive} {native}"
        return (
            f"({wanted})=>[KNN $k @v $q AS d]",
            "PARAMS", 4, "k", k, "q", unit_bytes(request.vector),
            "SORTBY", "d", "RETURN", 1, "d", "LIMIT", 0, k,
            "TIMEOUT", self._milliseconds, "DIALECT", 2,
        )  # fmt: skip

    @staticmethod
    def _holding(words: Words, native: str | bool) -> str:
        # Within a conjunction the module adds up only one of several alternatives, so each word has the conditions
        # beside it. They add to its score, which only chooses candidates; to negate them twice would keep them out of
        # it, but the module then loses matches.
        held = [f"@w:{token}" for token in words.tokens]
        return "|".join(held if isinstance(native, bool) else [f"({word} {native})" for word in held])
