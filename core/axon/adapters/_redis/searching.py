"""Answering a search with the search module: by vector, by words, or by both."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from axon.adapters._redis.finding import Near
from axon.adapters._redis.keys import Space
from axon.adapters._redis.matching import Candidates, Words, candidates_for
from axon.adapters._redis.operations import Get, Row
from axon.adapters._redis.packing import unpack_rows
from axon.adapters._redis.search_module import SearchModule
from axon.adapters._redis.session import Session
from axon.core.models import Hit, MemoryEntry, SearchRequest, TextStatistics, Vector


async def search(
    module: SearchModule, session: Session, space: Space, request: SearchRequest, now_us: int
) -> list[Hit] | None:
    """Answer one request that carries a vector, words or both.

    Returns
    -------
    None where the module's index cannot be brought up to date.
    """
    if request.text is None:
        near = await module.find(session, space, request, now_us)
        if near is None:
            return None
        entries = unpack_rows([each.id for each in near], [each.row for each in near], now_us)
        return [
            Hit(entry, each.cosine, None)
            for entry, each in zip(entries, near, strict=True)
            if entry is not None
        ]
    words = Words(request.text, space.namespace)
    asking = module.match(session, space, words, request)
    if request.vector is None:
        candidates, near = await asking, []
    else:
        candidates, near = await asyncio.gather(asking, module.find(session, space, request, now_us))
    if candidates is None or near is None:
        return None
    return await _scored(session, space, request, words, candidates, near, now_us)


async def _scored(
    session: Session,
    space: Space,
    request: SearchRequest,
    words: Words,
    candidates: Candidates,
    near: Sequence[Near],
    now_us: int,
) -> list[Hit]:
    """Unite the best of each channel, each with both signals."""
    known = request.statistics or candidates.statistics(words.stems)
    score_of = _scores(words, candidates, known, now_us)
    rows: dict[str, Row] = {each.id: each.row for each in near}
    best = sorted(score_of, key=score_of.__getitem__, reverse=True)[: request.k]
    missing = [id for id in best if id not in rows]
    if missing:
        found = await session.submit(Get(space, [id.encode() for id in missing]))
        rows.update(zip(missing, found, strict=True))
    all_are_known = len(candidates.ids) < candidates_for(request)
    cosine_of = {each.id: each.cosine for each in near}
    hits = []
    for entry in unpack_rows(list(rows), list(rows.values()), now_us):
        if entry is not None:
            score = score_of.get(entry.id)
            if score is None:
                score = 0.0 if all_are_known else words.score(entry.text, known)
            cosine = cosine_of.get(entry.id)
            if cosine is None and request.vector is not None:
                cosine = _cosine(entry, request.vector)
            hits.append(Hit(entry, cosine, score))
    by_words_alone = request.vector is None
    return sorted(hits, key=_by_score if by_words_alone else _by_age)


def _by_age(hit: Hit) -> tuple[int, str]:
    """Order equals as an index in this process does: by their last write."""
    return hit.entry.record.updated_us, hit.entry.record.id


def _by_score(hit: Hit) -> tuple[float, int, str]:
    return -(hit.text_score or 0.0), *_by_age(hit)


def _scores(words: Words, candidates: Candidates, known: TextStatistics, now_us: int) -> dict[str, float]:
    if not candidates.ids:
        return {}
    told = zip(candidates.ids, candidates.expiries, words.scores(candidates.tokens, known), strict=True)
    return {id: score for id, expires_us, score in told if score > 0.0 and expires_us > now_us}


def _cosine(entry: MemoryEntry, query: Vector) -> float | None:
    vector = entry.stored_vector
    if vector is None:
        return None
    lengths = float(np.linalg.norm(vector)) * float(np.linalg.norm(query))
    return max(-1.0, min(1.0, float(vector.dot(query)) / lengths)) if lengths else 0.0
