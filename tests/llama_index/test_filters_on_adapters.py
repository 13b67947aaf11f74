"""R12 and R13 through whole stores: what a filter finds is what the oracle says, on every adapter."""

from __future__ import annotations

import random

import pytest

from axon.core.filter.evaluate import matches
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from axon_integrations.llama_index.filters import compile_filters
from tests.llama_index.filter_cases import DIMS, random_filters, random_node
from tests.llama_index.helpers import ask, ids
from tests.llama_index.oracle import passes
from tests.llama_index.test_filters import stored_form

pytestmark = pytest.mark.filterwarnings("ignore::axon_integrations._shared.inputs.ReservedMetadataWarning")

CASES = 2_100


async def test_r12_r13_random_filters_find_what_the_oracle_says(store: AxonVectorStore) -> None:
    rng = random.Random(20)
    nodes = {node.node_id: node for node in (random_node(rng, number) for number in range(40))}
    await store.async_add(list(nodes.values()))
    entries = [entry async for entry in store.client.scan()]
    assert len(entries) == len(nodes)
    stored = {entry.id: (entry, stored_form(nodes[entry.id], entry)) for entry in entries}
    telling = 0
    for case in range(CASES):
        chosen = random_filters(rng)
        expected = {id_ for id_, (_, form) in stored.items() if passes(chosen, form)}
        telling += 0 < len(expected) < len(nodes)
        compiled = compile_filters(chosen)
        assert {id_ for id_, (entry, _) in stored.items() if matches(compiled, entry)} == expected, chosen
        if case % 2:
            assert {node.node_id for node in await store.aget_nodes(filters=chosen)} == expected, chosen
        else:
            everything = ids(await store.aquery(ask([1.0] * DIMS, k=len(nodes), filters=chosen)))
            assert set(everything) == expected, chosen
            assert ids(await store.aquery(ask([1.0] * DIMS, k=3, filters=chosen))) == everything[:3], chosen
    assert telling > CASES / 4


def test_r12_deleting_by_random_filters_deletes_what_the_oracle_says(store: AxonVectorStore) -> None:
    rng = random.Random(21)
    nodes = [random_node(rng, number) for number in range(12)]
    names = {node.node_id for node in nodes}
    for _ in range(60):
        store.add(nodes)
        chosen = random_filters(rng)
        named = rng.sample(sorted(names), 6)
        entries = {name: run_blocking(store.client.get(name)) for name in named}
        doomed = {
            node.node_id
            for node in nodes
            if node.node_id in named and passes(chosen, stored_form(node, entries[node.node_id]))
        }
        store.delete_nodes(named, chosen)
        assert {node.node_id for node in store.get_nodes()} == names - doomed, chosen
