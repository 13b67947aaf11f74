"""Similarity search in the frameworks promises the cosine, or the words, whatever the memory weighs besides."""

from __future__ import annotations

from typing import Final

from axon.core.policies import RankingPolicy

RELEVANCE_ALONE: Final = RankingPolicy()
