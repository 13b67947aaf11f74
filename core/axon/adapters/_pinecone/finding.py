"""Searching one namespace by vector. Blocking."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from axon.adapters._filters.pinecone import PineconeFilter, Where, all_of_clauses, compile_filter, none_of_ids
from axon.adapters._pinecone.contents import Contents, Question, alive, of_kinds
from axon.adapters._pinecone.recent import Recent, View
from axon.adapters._pinecone.records import WITH_VECTOR, WITHOUT_DIRECTION, entry_of, padded
from axon.adapters._pinecone.shelf import MOST_RESULTS, Shelf
from axon.adapters._shared.directions import direction_of
from axon.adapters._shared.room import check_query
from axon.core.models import Hit, MemoryEntry, SearchRequest, Vector


class _Near(NamedTuple):
    """One search by vector."""

    place: int
    vector: Vector
    k: int
    question: Question

    def asked(self, view: View) -> Where:
        """Ask Pinecone for entries with a vector of this size that this process has not rewritten."""
        size: Where = {"dims": {"$eq": len(self.vector)}}
        return all_of_clauses(of_kinds(self.question, [WITH_VECTOR]), size, *none_of_ids(view.entries))


class Finder:
    """Answers searches in one namespace.

    Parameters
    ----------
    shelf : the namespace in Pinecone.
    contents : its entries as this process has to see them.
    recent : the latest writes to it.
    dims : numbers per vector of the index.
    """

    def __init__(self, shelf: Shelf, contents: Contents, recent: Recent, dims: int) -> None:
        self._shelf = shelf
        self._contents = contents
        self._recent = recent
        self._dims = dims

    def search(self, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches in order; their text is passed over."""
        answers: list[list[Hit]] = [[] for _ in requests]
        near: list[_Near] = []
        for place, request in enumerate(requests):
            native: PineconeFilter | bool = compile_filter(request.filter).native
            if isinstance(native, bool) or (request.vector is None and request.text is not None):
                continue
            question = alive(native, now_us)
            if request.vector is None:
                answers[place] = [Hit(entry) for entry in islice(self._contents.entries(question), request.k)]
            else:
                near.append(_Near(place, request.vector, request.k, question))
        if near:
            self._check([request for request in requests if request.vector is not None])
            for each, hits in zip(near, self._nearest(near), strict=True):
                answers[each.place] = hits
        return answers

    def _check(self, requests: Sequence[SearchRequest]) -> None:
        """Refuse vectors of another size, after making sure that the known size is the present one."""
        known = self._contents.about().dims
        if any(request.vector is not None and len(request.vector) != known for request in requests):
            known = self._contents.about(fresh=True).dims
        for request in requests:
            check_query(request, known)

    def _nearest(self, near: Sequence[_Near]) -> list[list[Hit]]:
        view = self._recent.view()
        by_index = [
            each
            for each in near
            if each.k <= MOST_RESULTS and len(each.vector) <= self._dims and each.vector.any()
        ]
        found: dict[int, list[MemoryEntry]] = {each.place: [] for each in by_index}
        if by_index and not view.cleared:
            for each, entries in zip(by_index, self._ask(by_index, view), strict=True):
                found[each.place] = entries
        zeros = self._contents.about().zeros
        return [self._hits(each, found.get(each.place), view, zeros) for each in near]

    def _ask(self, near: Sequence[_Near], view: View) -> list[list[MemoryEntry]]:
        queries = [
            (padded(direction_of(each.vector)[0].tolist(), self._dims), each.k, each.asked(view))
            for each in near
        ]
        whole = max(each.k for each in near) <= self._shelf.whole_results
        answers = self._shelf.nearest(queries, whole)
        if whole:
            return [[entry_of(match.metadata, match.values) for match in matches] for matches in answers]
        # The whole answer would be too large: the ids first, then their records in parts.
        ids = [[match.id for match in matches] for matches in answers]
        fetched = self._shelf.fetch([id for some in ids for id in some])
        return [
            [entry_of(fetched[id].metadata, fetched[id].values) for id in some if id in fetched]
            for some in ids
        ]

    def _hits(self, near: _Near, found: list[MemoryEntry] | None, view: View, zeros: bool) -> list[Hit]:
        """Rank what Pinecone found together with what it does not know; everything there is, where it cannot rank."""
        if found is None:
            entries = list(self._contents.entries(near.question))
        else:
            written = (entry for entry in view.entries.values() if entry is not None)
            entries = found + [entry.detached() for entry in written if near.question.accepts(entry)]
            if zeros and not view.cleared:
                where = of_kinds(near.question, [WITHOUT_DIRECTION])
                entries += [
                    entry_of(vector.metadata, vector.values)
                    for vector in self._shelf.walk(where)
                    if vector.metadata["id"] not in view.entries
                ]
        hits = [
            Hit(entry, similarity(near.vector, entry.stored_vector))
            for entry in entries
            if entry.stored_vector is not None and len(entry.stored_vector) == len(near.vector)
        ]
        hits.sort(key=lambda hit: (-(hit.similarity or 0.0), hit.entry.id))
        return hits[: near.k]


def similarity(one: Vector, other: Vector) -> float:
    """Cosine of two vectors of shape (dims,), in [-1, 1]; 0 where one has no direction.

    The index's own score depends on its metric and its precision; this one does not.
    """
    a, b = one.astype(np.float64), other.astype(np.float64)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 0.0 if length == 0.0 else max(-1.0, min(1.0, float(a @ b) / length))
