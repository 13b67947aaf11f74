"""Adapters that are wrong in one way each. ``test_suite_can_fail.py`` runs tests of the suite against them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from axon.core.clock import ManualClock
from axon.core.filter.ast import EVERYTHING, And, Contains, FilterNode, Not, Predicate, TextMatch, negate
from axon.core.filter.residual import CompiledFilter, split
from axon.core.filter.visitor import Support
from axon.core.models import Hit, MemoryEntry, Page, SearchRequest, Touch, Vector
from axon.testing import AdapterFactory, AdapterSuite, Oracle
from tests.conformance.reference_adapter import ReferenceAdapter


def changed(entry: MemoryEntry, **fields: Any) -> MemoryEntry:
    return MemoryEntry.of(msgspec.structs.replace(entry.record, **fields), entry.stored_vector)


class DropsMetadata(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(namespace, [changed(entry, metadata={}) for entry in entries])


class TurnsFloatsIntoInts(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        plain = [
            changed(
                entry,
                metadata={
                    k: int(v) if isinstance(v, float) and v.is_integer() else v
                    for k, v in entry.metadata.items()
                },
            )
            for entry in entries
        ]
        await super().put_many(namespace, plain)


class NormalisesVectors(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(namespace, [self.unit(entry) for entry in entries])

    def unit(self, entry: MemoryEntry) -> MemoryEntry:
        vector = entry.stored_vector
        if vector is None or not vector.any():
            return entry
        return MemoryEntry.of(entry.record, (vector / np.linalg.norm(vector)).astype(np.float32))


class CutsIdsAtColons(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(
            namespace, [changed(entry, id=entry.id.split(":")[0] or ":") for entry in entries]
        )


class FoldsCaseOfNamespaces(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(namespace.lower(), entries)

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        return await super().get_many(namespace.lower(), ids)


class ClearsByPattern(ReferenceAdapter):
    async def clear(self, namespace: str) -> None:
        for name in self.oracle.namespaces():
            if name == namespace or (namespace.endswith("*") and name.startswith(namespace[:-1])):
                self.oracle.clear(name)


class ReadsEveryNamespaceForIds(ReferenceAdapter):
    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        found = {entry.id: entry for name in self.oracle.namespaces() for entry in self.oracle.select(name)}
        return [found.get(id) for id in ids]


class WritesHalfOnMismatch(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        for entry in entries:
            self.oracle.put(namespace, [entry])


class FirstOfEqualIdsWins(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(namespace, list({entry.id: entry for entry in reversed(entries)}.values()))


class AliasesWhatItHandsOut(ReferenceAdapter):
    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        found = await super().get_many(namespace, ids)
        for place, entry in enumerate(found):
            if entry is not None:
                found[place] = self.held.setdefault((namespace, entry.id), entry)
        return found

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle)
        self.held: dict[tuple[str, str], MemoryEntry] = {}


class CountsMissingAsDeleted(ReferenceAdapter):
    async def delete_many(self, namespace: str, ids: Sequence[str]) -> int:
        await super().delete_many(namespace, ids)
        return len(ids)


class FiltersAfterTopK(ReferenceAdapter):
    def answer(self, namespace: str, request: SearchRequest) -> list[Hit]:
        hits = super().answer(namespace, msgspec.structs.replace(request, filter=EVERYTHING))
        kept = {entry.id for entry in self.oracle.select(namespace, request.filter)}
        return [hit for hit in hits if hit.entry.id in kept]


class RanksByWriting(ReferenceAdapter):
    def similarity(self, query: Vector, stored: Vector) -> float:
        super().similarity(query, stored)
        return 0.5


class ForgetsToDivideByLength(ReferenceAdapter):
    def similarity(self, query: Vector, stored: Vector) -> float:
        super().similarity(query, stored)
        return min(1.0, max(-1.0, float(query @ stored)))


class LeavesOutOpposites(ReferenceAdapter):
    def answer(self, namespace: str, request: SearchRequest) -> list[Hit]:
        return [
            hit for hit in super().answer(namespace, request) if hit.similarity is None or hit.similarity >= 0
        ]


class ReadsTextQueriesAsSyntax(ReferenceAdapter):
    def text_score(self, query: str, text: str) -> float:
        if '"' in query or "(" in query:
            raise ValueError("syntax error")
        return super().text_score(query, text)


class ExpiresADayLate(ReferenceAdapter):
    def __init__(self, oracle: Oracle) -> None:
        oracle.clock = SlowClock(oracle.clock)  # type: ignore[arg-type]  # always the suite's manual clock
        super().__init__(oracle)


class SlowClock:
    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    def now_us(self) -> int:
        return self.clock.now_us() - 86_400_000_000


class CountsWhatExpired(ReferenceAdapter):
    async def count(self, namespace: str, node: FilterNode) -> int:
        gone = len(self.oracle.expired(namespace)) if node == EVERYTHING else 0
        return await super().count(namespace, node) + gone


class PagesByOffset(ReferenceAdapter):
    async def scan(self, namespace: str, node: FilterNode, **options: Any) -> Page:
        start, limit = int(options.pop("cursor", None) or 0), options.pop("limit", 1000)
        whole = await super().scan(namespace, node, **options, limit=10_000)
        more = len(whole.entries) > start + limit
        return Page(whole.entries[start : start + limit], str(start + limit) if more else None)


class IgnoresTheOrder(ReferenceAdapter):
    async def scan(self, namespace: str, node: FilterNode, **options: Any) -> Page:
        return await super().scan(namespace, node, **{**options, "order_by": "id"})


class LosesTouches(ReferenceAdapter):
    async def touch_many(self, namespace: str, touches: Sequence[Touch]) -> None:
        await super().touch_many(namespace, touches[:1])


class LetsTheLastEmbedderWin(ReferenceAdapter):
    async def bind_embedder(self, namespace: str, fingerprint: str | None) -> str | None:
        return fingerprint or await super().bind_embedder(namespace, fingerprint)


class NamesNamespacesItOnlyRead(ReferenceAdapter):
    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle)
        self.read: set[str] = set()

    async def get_many(self, namespace: str, ids: Sequence[str]) -> list[MemoryEntry | None]:
        self.read.add(namespace)
        return await super().get_many(namespace, ids)

    async def namespaces(self) -> list[str]:
        return sorted({*await super().namespaces(), *self.read})


class ClaimsDurability(ReferenceAdapter):
    async def aclose(self) -> None:
        for name in self.oracle.namespaces():
            self.oracle.clear(name)


class AnswersBeforeWriting(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        asyncio.get_running_loop().call_later(0.001, self.oracle.put, namespace, list(entries))


class TearsConcurrentWrites(ReferenceAdapter):
    async def put_many(self, namespace: str, entries: Sequence[MemoryEntry]) -> None:
        await super().put_many(namespace, [changed(entry, text="writing") for entry in entries])
        await asyncio.sleep(0)
        await super().put_many(namespace, entries)


class Compiled(ReferenceAdapter):
    """Base of adapters that push a part of the filter down; without a mistake, this one is right."""

    def support(self, predicate: Predicate) -> Support:
        return Support.RESIDUAL if isinstance(predicate, TextMatch | Contains) else Support.SUPPORTED

    def compile(self, node: FilterNode) -> CompiledFilter:
        return CompiledFilter(*split(node, self.support))

    def pushed(self, node: FilterNode) -> FilterNode:
        native: FilterNode = self.compile(node).native
        return native

    async def count(self, namespace: str, node: FilterNode) -> int:
        return await super().count(namespace, self.pushed(node))

    def answer(self, namespace: str, request: SearchRequest) -> list[Hit]:
        return super().answer(namespace, msgspec.structs.replace(request, filter=self.pushed(request.filter)))

    async def scan(self, namespace: str, node: FilterNode, **options: Any) -> Page:
        return await super().scan(namespace, self.pushed(node), **options)


class DropsResiduals(Compiled):
    def compile(self, node: FilterNode) -> CompiledFilter:
        return CompiledFilter(super().compile(node).native, EVERYTHING)


class PushesSupersetsBelowNot(Compiled):
    """Takes a part that lets more through for exact, so that its negation lets less through."""

    def pushed(self, node: FilterNode) -> FilterNode:
        if isinstance(node, Not) and isinstance(node.child, And):
            return negate(split(node.child, self.support)[0])
        return super().pushed(node)


class MatchesAnyTagForAll(ReferenceAdapter):
    async def scan(self, namespace: str, node: FilterNode, **options: Any) -> Page:
        if isinstance(node, Contains):
            node = Contains(node.field, node.values, "any")
        return await super().scan(namespace, node, **options)


class TakesEmptyListsForEverything(ReferenceAdapter):
    async def scan(self, namespace: str, node: FilterNode, **options: Any) -> Page:
        if isinstance(node, Contains) and not node.values:
            node = EVERYTHING
        return await super().scan(namespace, node, **options)


FAULTS: list[tuple[type[ReferenceAdapter], str]] = [
    (DropsMetadata, "test_every_field_comes_back"),
    (TurnsFloatsIntoInts, "test_any_metadata_comes_back_exactly"),
    (NormalisesVectors, "test_vectors_come_back_at_their_own_length"),
    (CutsIdsAtColons, "test_any_id_comes_back_unchanged_and_stays_apart"),
    (FoldsCaseOfNamespaces, "test_every_name_is_a_namespace_of_its_own"),
    (ClearsByPattern, "test_every_name_is_a_namespace_of_its_own"),
    (ReadsEveryNamespaceForIds, "test_reads_see_their_own_namespace_only"),
    (WritesHalfOnMismatch, "test_another_number_of_dimensions_is_refused_whole"),
    (FirstOfEqualIdsWins, "test_of_equal_ids_in_one_call_the_last_wins"),
    (AliasesWhatItHandsOut, "test_editing_what_was_handed_out_changes_nothing"),
    (CountsMissingAsDeleted, "test_delete_tells_how_many_were_there"),
    (FiltersAfterTopK, "test_one_rare_match_is_found"),
    (FiltersAfterTopK, "test_enough_matches_fill_k"),
    (RanksByWriting, "test_the_nearest_are_found_best_first"),
    (ForgetsToDivideByLength, "test_similarity_is_the_cosine"),
    (LeavesOutOpposites, "test_opposite_vectors_are_found_too"),
    (ReadsTextQueriesAsSyntax, "test_nothing_in_a_query_is_syntax"),
    (ExpiresADayLate, "test_entries_end_to_the_second_before_any_sweep"),
    (CountsWhatExpired, "test_entries_end_to_the_second_before_any_sweep"),
    (PagesByOffset, "test_what_stays_is_seen_once_while_others_come_and_go"),
    (IgnoresTheOrder, "test_pages_of_any_size_follow_the_order"),
    (LosesTouches, "test_touches_add_up"),
    (LosesTouches, "test_any_sequence_of_operations_matches_the_model"),
    (LetsTheLastEmbedderWin, "test_the_first_embedder_bound_stays"),
    (NamesNamespacesItOnlyRead, "test_only_namespaces_with_entries_are_named"),
    (ClaimsDurability, "test_everything_is_there_after_reopening"),
    (AnswersBeforeWriting, "test_a_read_in_the_same_tick_sees_the_write_before_it"),
    (TearsConcurrentWrites, "test_readers_never_see_half_a_write"),
    (DropsResiduals, "test_random_filters_agree_with_the_evaluator"),
    (DropsResiduals, "test_every_fixed_case_on_metadata"),
    (PushesSupersetsBelowNot, "test_many_more_random_filters_agree_with_the_evaluator"),
    (MatchesAnyTagForAll, "test_tags"),
    (TakesEmptyListsForEverything, "test_tags"),
]
"""Each fault, and a test that has to notice it."""


def suite(adapter: type[ReferenceAdapter]) -> type[AdapterSuite]:
    def make_adapter(self: AdapterSuite, clock: ManualClock) -> AdapterFactory:
        oracle = Oracle(clock)
        return lambda: adapter(oracle)

    return type(
        f"Test{adapter.__name__}",
        (AdapterSuite,),
        {"backend": adapter.__name__, "make_adapter": pytest.fixture(make_adapter)},
    )


BROKEN: list[type[ReferenceAdapter]] = [Compiled, *(adapter for adapter, _ in FAULTS)]
globals().update({f"Test{adapter.__name__}": suite(adapter) for adapter in BROKEN})
