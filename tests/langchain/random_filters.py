"""Random documents and filters as users write them, from pools full of near misses.

Plain seeded randomness rather than Hypothesis, whose taste for small values makes most filters match all or
nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from axon.core.filter.ast import RESERVED_FIELDS, TIME_FIELDS
from axon.core.models import Tier

KEYS = ("k", "n", "list", "a.b", "$gt", "metadata.x", "", "ключ", "id", "tags", "importance", "session_id")
PLAIN_KEYS = [key for key in KEYS if not key.startswith("$") and key not in RESERVED_FIELDS]
STRINGS = ("", "a", "A", "ab", "b", "2", "é", "e\u0301", "ß", "SS", "a\0b", "%", "_", "*", "😀", "alpha")
NUMBERS = (0, 1, 2, 2.0, -1, 0.5, -0.0, 9, 10, 2**53, 2**53 + 1, float(2**53), 10**30, 1e30, 5e-324)
SCALARS = (None, True, False, *NUMBERS, *STRINGS)
TAGS = ("red", "green", "a", "A", "a*", "%", "é", "a,b", " ", "\0", "😀")
SESSIONS = ("s1", "s2", "*", "S1")
IDS = ("a", "b", "A", "a:b", "*", "é", "e\u0301", "10", "9", "😀", "a\0", "%")
IMPORTANCES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0, 5e-324)
MOMENTS = [datetime(year, 5, 1, 12, tzinfo=UTC) for year in (2001, 2023, 2900)]

LISTED = ("$in", "$nin", "$contains_any", "$contains_all", "$any", "$all")
SINGLE = ("$eq", "$ne", "$lt", "$lte", "$gt", "$gte", "$contains")
TEXTUAL = ("$prefix", "$text_match", "$text_match_insensitive")
SWITCHES = ("$exists", "$is_empty")
OPERATORS = (*LISTED, *SINGLE, *TEXTUAL, *SWITCHES)

FIELD_VALUES: dict[str, Sequence[Any]] = {
    "tags": (*TAGS, ["a"], ["red", "green"]),
    "importance": (*IMPORTANCES, 0, 1, True, "0.5"),
    "session_id": (*SESSIONS, None),
    "id": (*IDS, "id 1", "id 2"),
    "tier": (*map(str, Tier), "Session"),
}


def random_value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(8) if depth < 2 else 0
    if kind == 6:
        return [random_value(rng, depth + 1) for _ in range(rng.randrange(3))]
    if kind == 7:
        return {rng.choice(KEYS): random_value(rng, depth + 1) for _ in range(rng.randrange(2))}
    return rng.choice(SCALARS)


def random_rows(rng: random.Random, count: int) -> dict[str, list[Any]]:
    """Columns for ``add_texts``."""

    def several(pool: Sequence[Any]) -> list[Any]:
        return rng.sample(pool, rng.randrange(4))

    return {
        "ids": rng.sample(IDS, len(IDS)) + [f"id {number}" for number in range(count - len(IDS))],
        "metadatas": [{key: random_value(rng) for key in KEYS if rng.random() < 0.6} for _ in range(count)],
        "tags": [several(TAGS) for _ in range(count)],
        "importance": [rng.choice(IMPORTANCES) for _ in range(count)],
        "session_id": [rng.choice((None, *SESSIONS)) for _ in range(count)],
        "tier": [rng.choice(list(Tier)) for _ in range(count)],
        "ttl": [rng.choice((None, 3600.0)) for _ in range(count)],
    }


def random_key(rng: random.Random) -> str:
    kind = rng.randrange(3)
    if kind == 0:
        return rng.choice(sorted(RESERVED_FIELDS))
    return rng.choice(PLAIN_KEYS) if kind == 1 else f"metadata.{rng.choice(KEYS)}"


def random_operand(rng: random.Random, key: str) -> Any:
    if key in TIME_FIELDS:
        moment = rng.choice(MOMENTS)
        return rng.choice((moment, moment.isoformat(), moment.timestamp()))
    return rng.choice(FIELD_VALUES[key]) if key in FIELD_VALUES else random_value(rng)


def random_condition(rng: random.Random, key: str) -> Any:
    """What stands behind a key: a bare value, or one or two operators."""
    if rng.random() < 0.15:
        bare = random_operand(rng, key)
        return {"$eq": bare} if isinstance(bare, dict) else bare
    condition: dict[str, Any] = {}
    for word in rng.sample(OPERATORS, rng.choice((1, 1, 1, 2))):
        if word in LISTED:
            condition[word] = [random_operand(rng, key) for _ in range(rng.randrange(7))]
        elif word in TEXTUAL:
            condition[word] = rng.choice(STRINGS)
        else:
            condition[word] = rng.random() < 0.5 if word in SWITCHES else random_operand(rng, key)
    return condition


def random_filter(rng: random.Random, depth: int = 0) -> dict[str, Any]:
    kind = rng.randrange(8) if depth < 3 else 0
    if kind == 7:
        return {"$not": random_filter(rng, depth + 1)}
    if kind in (5, 6):
        several = [random_filter(rng, depth + 1) for _ in range(rng.randrange(1, 4))]
        return {"$and" if kind == 5 else "$or": several}
    keys = {random_key(rng) for _ in range(rng.choice((1, 1, 2)))}
    return {key: random_condition(rng, key) for key in sorted(keys)}
