"""A search over rounded rows gives exactly what a search over the rows themselves gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from axon.adapters.memory import MemoryAdapter
from axon.adapters.sqlite import SqliteAdapter
from axon.core.adapter_options import MemoryOptions, SqliteOptions
from axon.core.filter.ast import EVERYTHING
from axon.core.filter.parse import parse_filter
from axon.core.models import EntryRecord, Hit, MemoryEntry, SearchRequest
from axon.engine import quantized
from axon.engine import rows as engine_rows
from axon.engine.arena import Arena
from axon.engine.quantized import MIN_ROWS, QuantizedRows, candidates
from axon.engine.rows import BLOCK_ROWS, VectorRows
from axon.engine.search import search, search_together
from axon.engine.topk import top_k
from axon.testing.entries import START_US, make_entry

Floats = NDArray[np.float32]

DIMS = 16
SIZE = 2 * MIN_ROWS + 1000


def made_of(seed: int, kind: str, size: int = SIZE) -> Floats:
    """Vectors of a kind that is hard for rounding in its own way."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(size, DIMS))
    if kind == "clustered":
        rows = rng.normal(size=(40, DIMS))[rng.integers(0, 40, size)] + 0.05 * rows
    elif kind == "spiky":
        rows[:, 0] *= 1000
    elif kind == "lengths":
        rows *= 10.0 ** rng.integers(-12, 12, (size, 1))
    elif kind == "repeated":
        rows[:] = rows[rng.integers(0, min(12, size), size)]
    rows[rng.integers(0, size, size // 1000)] = 0.0
    return rows.astype(np.float32)


KINDS = ["isotropic", "clustered", "spiky", "lengths", "repeated"]


def arena_of(rows: Floats, *, quantize: bool) -> Arena:
    arena = Arena(text_index=False, quantize=quantize)
    records = [
        EntryRecord(str(row), "text", 0.5, (), {"even": row % 2 == 0}, START_US, START_US)
        for row in range(rows.shape[0])
    ]
    arena.put([MemoryEntry.in_block(record, rows, row) for row, record in enumerate(records)])
    arena.delete([str(row) for row in range(0, rows.shape[0], 50)])
    return arena


def assert_same_hits(found: list[Hit], wanted: list[Hit]) -> None:
    """Equal cosines in order, and equal ids wherever the next cosine is not practically the same."""
    mine, theirs = ([hit.similarity or 0.0 for hit in hits] for hits in (found, wanted))
    assert np.allclose(mine, theirs, rtol=0, atol=2e-6)
    gaps = np.abs(np.diff([2.0, *theirs, -2.0])) > 1e-5
    clear = [place for place in range(len(theirs) - 1) if gaps[place] and gaps[place + 1]]
    assert [found[place].entry.id for place in clear] == [wanted[place].entry.id for place in clear]


@pytest.mark.parametrize("kind", KINDS)
def test_searches_are_those_of_the_plain_scan(kind: str) -> None:
    rows = made_of(1, kind)
    rounded, plain = (arena_of(rows, quantize=each).view(START_US) for each in (True, False))
    assert rounded.vectors is not None
    assert rounded.vectors.rounds(rounded.size), "the extra simd is installed for the tests"
    queries = [*made_of(2, kind, 8), rows[7], np.zeros(DIMS, np.float32)]
    even = parse_filter({"even": True})
    for filter in (EVERYTHING, even):
        requests = [
            SearchRequest(vector=query, k=k, filter=filter) for query in queries for k in (1, 10, 300)
        ]
        wanted = [search(plain, request) for request in requests]
        for one, hits in zip(requests, wanted, strict=True):
            assert_same_hits(search(rounded, one), hits)
        for found, hits in zip(search_together(rounded, requests), wanted, strict=True):
            assert_same_hits(found, hits)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3])
def test_no_score_is_further_from_its_cosine_than_said(kind: str, count: int) -> None:
    rows, queries = made_of(3, kind), made_of(4, "isotropic", count)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    vectors = VectorRows(DIMS, quantize=True)
    vectors.extend(rows)
    found, errors = vectors.rounded_scores(queries, SIZE)
    exact = rows.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=1, keepdims=True)
    exact = queries.astype(np.float64) @ (exact / np.where(lengths > 0, lengths, 1)).T
    distances = np.abs(found - exact).max(axis=1)
    assert (distances <= errors).all()
    assert (distances > errors / 1000).all(), "the leading blocks were rounded"


def test_rows_that_are_not_near_are_not_scored_again() -> None:
    vectors = VectorRows(DIMS, quantize=True)
    vectors.extend(made_of(5, "isotropic"))
    query = made_of(6, "isotropic", 1)[0]
    scores, errors = vectors.rounded_scores((query / np.linalg.norm(query))[np.newaxis], SIZE)
    found = candidates(scores[0], top_k(scores[0], 10), float(errors[0]))
    assert found is not None
    assert 10 <= found.shape[0] < SIZE / 20


def test_a_search_rounds_a_few_blocks_and_leaves_the_rest_to_the_next() -> None:
    blocks = [np.ones((BLOCK_ROWS, 2), np.float32)] * 6
    inverse = [np.full(BLOCK_ROWS, 2**-0.5, np.float32)] * 6
    rounded = QuantizedRows()
    per_block = BLOCK_ROWS * (2 + 4)
    rounded.catch_up(blocks, inverse, 6)
    assert rounded.nbytes == 4 * per_block
    rounded.catch_up(blocks, inverse, 6)
    assert rounded.nbytes == 6 * per_block
    rounded.catch_up(blocks, inverse, 6)
    assert rounded.nbytes == 6 * per_block


def test_rows_added_later_are_found_before_they_are_rounded() -> None:
    vectors = VectorRows(DIMS, quantize=True)
    vectors.extend(made_of(7, "isotropic", 2 * BLOCK_ROWS))
    target = np.full((1, DIMS), 0.25, np.float32)
    vectors.extend(target)
    scores, _ = vectors.rounded_scores(target, vectors.size)
    assert int(scores[0].argmax()) == 2 * BLOCK_ROWS
    assert scores[0, -1] == pytest.approx(1.0)


def test_without_the_package_the_scan_is_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantized, "find_spec", lambda name: None)
    monkeypatch.setattr(engine_rows, "row_products", quantized.row_products.__wrapped__)
    vectors = VectorRows(DIMS, quantize=True)
    vectors.extend(made_of(8, "isotropic"))
    assert not vectors.rounds(SIZE)
    assert vectors.nbytes == 4 * SIZE * DIMS


async def test_the_option_of_both_adapters_reaches_the_rows(tmp_path: Path) -> None:
    for quantize in (True, False):
        for adapter in (
            MemoryAdapter(MemoryOptions(quantize=quantize)),
            SqliteAdapter(SqliteOptions(path=str(tmp_path / f"{quantize}.db"), quantize=quantize)),
        ):
            await adapter.open()
            arena = await adapter._arena("ns")
            arena.put([make_entry("a", embedding=[1.0, 0.0])])
            view = arena.view(START_US)
            assert view.vectors is not None
            assert view.vectors.rounds(SIZE) is quantize
            await adapter.aclose()
