"""One random corpus and filter, every backend at once: all find what the evaluator says, at the same cosines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from hypothesis import given, note

from axon.core.filter.evaluate import matches
from axon.core.models import Hit, MemoryEntry, SearchRequest
from axon.core.ports import StorageAdapter
from axon.testing import generate
from axon.testing.adapter_base import property_settings
from axon.testing.adapter_filters import CHECKED, FILTERS_PER_SEED
from axon.testing.oracle import Oracle
from axon.testing.strategies import seeds
from tests.backends.catalogue import BACKENDS
from tests.servers.running_clock import RunningClock

SAME_COSINE = 1e-5
MORE_THAN_ENTRIES = 100

Adapters = dict[str, StorageAdapter]


@pytest.fixture
def clock() -> RunningClock:
    return RunningClock()


@pytest.fixture
async def adapters(tmp_path: Path, clock: RunningClock) -> AsyncIterator[Adapters]:
    """Every backend, opened."""
    opened = {}
    async with AsyncExitStack() as stack:
        for backend in BACKENDS.values():
            folder = tmp_path / backend.name
            folder.mkdir()
            adapter = stack.enter_context(backend.adapter(folder, clock))
            await adapter.open()
            stack.push_async_callback(adapter.aclose)
            opened[backend.name] = adapter
        yield opened


@given(seeds)
@property_settings(0.8)
async def test_every_backend_finds_what_the_evaluator_says(
    adapters: Adapters, clock: RunningClock, seed: int
) -> None:
    choices = generate.SeededChoices(seed)
    entries = generate.corpus(choices)
    nodes = [generate.filter_tree(choices, entries) for _ in range(FILTERS_PER_SEED)]
    query = generate.vector(choices)
    namespace = f"seed {seed}"
    model = Oracle(clock)
    model.put(namespace, entries)
    requests = [SearchRequest(node, MORE_THAN_ENTRIES, query) for node in nodes]
    requests += [SearchRequest(node, MORE_THAN_ENTRIES) for node in nodes]
    found = dict(
        zip(
            adapters,
            await asyncio.gather(
                *(_ask(adapter, namespace, entries, requests) for adapter in adapters.values())
            ),
            strict=True,
        )
    )
    for place, node in enumerate(nodes):
        note(f"filter: {node}")
        wanted = sorted(entry.id for entry in model.select(namespace, node))
        cosines = model.similarities(namespace, node, query)
        for name, answers in found.items():
            near, listed = answers[place], answers[place + len(nodes)]
            assert sorted(hit.entry.id for hit in listed) == wanted, name
            assert sorted(hit.entry.id for hit in near) == sorted(cosines), name
            assert _cosines(near) == pytest.approx(cosines, abs=SAME_COSINE), name
            CHECKED[name] += 1


async def _ask(
    adapter: StorageAdapter,
    namespace: str,
    entries: list[MemoryEntry],
    requests: Sequence[SearchRequest],
) -> list[list[Hit]]:
    """Store the corpus, answer all requests at once, residuals checked, and leave nothing behind."""
    await adapter.put_many(namespace, entries)
    answers = await adapter.search_many(namespace, requests)
    kept = [
        [hit for hit in hits if matches(adapter.compile(request.filter).residual, hit.entry)]
        for hits, request in zip(answers, requests, strict=True)
    ]
    await adapter.clear(namespace)
    return kept


def _cosines(hits: list[Hit]) -> dict[str, float | None]:
    return {hit.entry.id: hit.similarity for hit in hits}
