"""Entries for tests, and how two of them are compared."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from axon.core.clock import to_datetime
from axon.core.models import MemoryEntry

START_US = 1_700_000_000_000_000
"""First reading of the suite's clock, and the time at which entries are created; microseconds since 1970 UTC."""


def make_entry(id: str, text: str = "some text", **fields: Any) -> MemoryEntry:
    """Make an entry; ``fields`` are those of :class:`MemoryEntry`, created at ``START_US`` unless they say otherwise.

    Parameters
    ----------
    id, text : of the entry.
    fields : ``embedding`` may be a plain list of numbers.
    """
    vector = fields.pop("embedding", None)
    embedding = None if vector is None else np.array(vector, np.float32)
    return MemoryEntry(text, id=id, embedding=embedding, **{"created_at": to_datetime(START_US), **fields})


def same_json(left: Any, right: Any) -> bool:
    """Tell whether two JSON values are equal down to their types: 2 is not 2.0, True is not 1."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    return bool(left == right)


def assert_same(found: MemoryEntry | None, wanted: MemoryEntry) -> None:
    """Fail unless ``found`` is ``wanted`` in every field; vectors may differ by a relative 1e-5."""
    assert found is not None, f"entry {wanted.id!r} is not there"
    left, right = msgspec.structs.asdict(found.record), msgspec.structs.asdict(wanted.record)
    assert same_json(left.pop("metadata"), right.pop("metadata")), (
        f"{found.metadata!r} != {wanted.metadata!r}"
    )
    assert left == right
    mine, theirs = found.embedding, wanted.embedding
    if mine is None or theirs is None:
        assert mine is None, f"entry {wanted.id!r} came back with a vector it was not given"
        assert theirs is None, f"entry {wanted.id!r} lost its vector"
        return
    assert mine.dtype == np.float32
    assert mine.shape == theirs.shape
    assert np.allclose(mine, theirs, rtol=1e-5, atol=1e-7), f"{mine} != {theirs}"
