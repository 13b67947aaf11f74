"""Recall: ask every tier for candidates, then order them together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from axon.core.errors import AdapterError, TierError
from axon.core.filter.ast import FilterNode
from axon.core.models import Hit, RecallResult, SearchRequest, TextStatistics, Tier, Vector
from axon.core.operations.runtime import Runtime
from axon.core.operations.word_scores import score_words
from axon.core.policies import RankingPolicy, RecallMode
from axon.core.ranking import Candidate, candidates_wanted, rank, vector_results
from axon.core.reports import RecallResults
from axon.core.tier import TierStore


class Question(msgspec.Struct, frozen=True):
    """One recall, checked.

    Attributes
    ----------
    vector, text : what to look for in each channel, or None where the mode leaves a channel out.
    node : what may be returned.
    k : results wanted, >= 1.
    mode : which channels count.
    text_weight : share of the text channel in hybrid mode, in [0, 1].
    ranking : how results are ordered.
    min_score : in [0, 1], or None.
    explain : fill the signals.
    partial : a tier may fail.
    touch : count what is returned as accessed.
    """

    vector: Vector | None
    text: str | None
    node: FilterNode
    k: int
    mode: RecallMode
    text_weight: float
    ranking: RankingPolicy
    min_score: float | None = None
    explain: bool = False
    partial: bool = False
    touch: bool = True


async def recall(
    runtime: Runtime, namespace: str, stores: Sequence[TierStore], question: Question
) -> list[RecallResult]:
    """Answer one question from some tiers.

    Raises
    ------
    TierError
        If a tier fails, unless the question allows partial results.
    """
    ranking = question.ranking
    width = candidates_wanted(question.k, question.mode, ranking)
    request = SearchRequest(question.node, width, question.vector, question.text)
    is_plain = width == question.k and question.mode == "vector" and not question.explain
    if is_plain and len(stores) == 1 and not question.partial:
        try:
            hits = await stores[0].search(namespace, request)
        except AdapterError as error:
            raise TierError(stores[0].name, error) from error
        results = vector_results(hits, stores[0].name, question.min_score)
        if question.touch:
            runtime.touch(namespace, results)
        return results
    if question.text is not None and len(stores) > 1:
        statistics = await _pooled_statistics(namespace, stores, question.text)
        request = SearchRequest(question.node, width, question.vector, question.text, statistics)
    answers = await _ask_all(namespace, stores, request)
    if request.text is not None and request.vector is not None:
        for store, answer in zip(stores, answers, strict=True):
            if not store.has_text and isinstance(answer, list):
                await score_words(answer, request.text, request.statistics)
    failed = {
        store.name: answer
        for store, answer in zip(stores, answers, strict=True)
        if isinstance(answer, AdapterError)
    }
    if failed and not question.partial:
        tier, cause = next(iter(failed.items()))
        raise TierError(tier, cause) from cause
    found = [
        (store.name, answer)
        for store, answer in zip(stores, answers, strict=True)
        if isinstance(answer, list) and answer
    ]
    if is_plain and len(found) == 1:
        results = vector_results(found[0][1], found[0][0], question.min_score)
    else:
        results = rank(
            _unique(found),
            k=question.k,
            mode=question.mode,
            policy=ranking,
            text_weight=question.text_weight,
            now_us=runtime.clock.now_us(),
            min_score=question.min_score,
            explain=question.explain,
        )
    if question.touch:
        runtime.touch(namespace, results)
    return RecallResults(results, failed) if question.partial else results


async def _ask_all(
    namespace: str, stores: Sequence[TierStore], request: SearchRequest
) -> list[list[Hit] | AdapterError]:
    """Ask the tiers: those in this process one after the other, remote ones at the same time."""
    if all(store.adapter.capabilities.in_process for store in stores):
        return [await _ask(store, namespace, request) for store in stores]
    return list(await asyncio.gather(*(_ask(store, namespace, request) for store in stores)))


async def _ask(store: TierStore, namespace: str, request: SearchRequest) -> list[Hit] | AdapterError:
    try:
        return await store.search(namespace, request)
    except AdapterError as error:
        return error


async def _pooled_statistics(namespace: str, stores: Sequence[TierStore], text: str) -> TextStatistics | None:
    """Add up what BM25 needs to know, so that a word weighs the same in every tier."""
    total: TextStatistics | None = None
    for store in stores:
        try:
            part = await store.adapter.text_statistics(namespace, text)
        except AdapterError:
            continue  # the search that follows meets the same error and reports it
        if part is not None:
            total = part if total is None else total + part
    return total


def _unique(found: Sequence[tuple[Tier, list[Hit]]]) -> list[Candidate]:
    """Keep one candidate per id; of copies that an interrupted move left, the one written last."""
    if len(found) == 1:
        tier, hits = found[0]
        return [Candidate(hit, tier) for hit in hits]
    best: dict[str, Candidate] = {}
    for tier, hits in found:
        for hit in hits:
            record = hit.entry.record
            known = best.get(record.id)
            if known is None or record.updated_us >= known.hit.entry.record.updated_us:
                best[record.id] = Candidate(hit, tier)
    return list(best.values())
