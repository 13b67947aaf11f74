"""R12 and R13 over the wire: 2,000 random LlamaIndex filters find what the oracle says on each networked adapter."""

from __future__ import annotations

import asyncio
import random
from functools import cache
from pathlib import Path

import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import MetadataFilters

from axon.core.memory_system import MemorySystem
from axon_integrations.llama_index import AxonVectorStore
from tests.backends.catalogue import BACKENDS
from tests.llama_index.filter_cases import DIMS, random_filters, random_node
from tests.llama_index.helpers import ask, ids
from tests.llama_index.oracle import passes
from tests.llama_index.test_filters import entry_and_stored

pytestmark = pytest.mark.filterwarnings("ignore::axon_integrations._shared.inputs.ReservedMetadataWarning")

CASES = 2_010
AT_ONCE = 30
ONE_PER_COMPILER = ("redis-plain", "redis-search", "chroma-embedded", "qdrant-memory", "pinecone-contract")
"""The other backends of these adapters compile filters alike, and are asked random ones by the core's own suites."""

Case = tuple[MetadataFilters, set[str]]


@cache
def nodes_and_cases() -> tuple[list[TextNode], list[Case]]:
    """Nodes, and filters with the ids that pass, worked out once for all backends."""
    rng = random.Random(22)
    nodes = [random_node(rng, number) for number in range(30)]
    forms = {node.node_id: entry_and_stored(node)[1] for node in nodes}
    drawn = [random_filters(rng) for _ in range(CASES)]
    return nodes, [(each, {id for id, form in forms.items() if passes(each, form)}) for each in drawn]


@pytest.mark.parametrize("name", ONE_PER_COMPILER)
async def test_r12_r13_random_filters_find_what_the_oracle_says(name: str, tmp_path: Path) -> None:
    nodes, cases = nodes_and_cases()
    with BACKENDS[name].config(tmp_path) as config:
        async with MemorySystem(config) as memory:
            store = AxonVectorStore(memory)
            await store.async_add(nodes)

            async def check(number: int, chosen: MetadataFilters, expected: set[str]) -> None:
                if number % 2:
                    found = {node.node_id for node in await store.aget_nodes(filters=chosen)}
                else:
                    found = set(ids(await store.aquery(ask([1.0] * DIMS, k=len(nodes), filters=chosen))))
                assert found == expected, chosen

            for start in range(0, CASES, AT_ONCE):
                portion = enumerate(cases[start : start + AT_ONCE])
                await asyncio.gather(*(check(number, *case) for number, case in portion))
    telling = sum(0 < len(expected) < len(nodes) for _, expected in cases)
    assert telling > CASES / 4
