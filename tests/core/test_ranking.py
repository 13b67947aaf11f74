"""Candidates of several tiers in one order."""

from __future__ import annotations

from axon.core.models import Hit, Tier
from axon.core.policies import RankingPolicy
from axon.core.ranking import Candidate, rank
from axon.testing.entries import make_entry


def test_equal_scores_are_ordered_by_cosine_whichever_tier_answers_first() -> None:
    away = Candidate(Hit(make_entry("away"), -0.9, 0.0), Tier.SESSION)
    nearer = Candidate(Hit(make_entry("nearer"), -0.1, 0.0), Tier.PERSISTENT)
    no_vector = Candidate(Hit(make_entry("no vector"), None, 0.0), Tier.SESSION)
    for candidates in ([away, nearer, no_vector], [no_vector, nearer, away]):
        results = rank(
            candidates, k=3, mode="hybrid", policy=RankingPolicy(), text_weight=0.5, now_us=0
        )  # fmt: skip
        assert [result.score for result in results] == [0.0, 0.0, 0.0]
        assert [result.entry.id for result in results] == ["nearer", "away", "no vector"]
