"""Many nodes at a time, in portions, so that other coroutines of the loop get their turn in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from llama_index.core.schema import BaseNode

from axon.core.errors import AxonError, EmbeddingMismatchError, at_position
from axon.core.models import MemoryEntry, MemoryInput
from axon_integrations.llama_index.nodes import entry_to_node, node_to_input
from axon_integrations.llama_index.options import WriteTarget

# About 2 ms of work.
_PORTION = 64


async def to_items(nodes: Sequence[BaseNode], target: WriteTarget) -> list[MemoryInput]:
    """Turn nodes into items of a bulk store, all of them or none.

    Raises
    ------
    InvalidInputError
        For a node that cannot be stored.
    EmbeddingMismatchError
        For an embedding of another length than the first node's. The ``index`` of both says which node it is.
    """
    items: list[MemoryInput] = []
    for index, node in enumerate(nodes):
        try:
            item = node_to_input(node)
            _check_dims(item, len(items[0].embedding) if items else len(item.embedding))
        except AxonError as error:
            raise at_position(error, index, 0) from error.__cause__
        item.tier = target.tier_of(item.importance)
        item.ttl = target.ttl
        items.append(item)
        if len(items) % _PORTION == 0:
            await asyncio.sleep(0)
    return items


def _check_dims(item: MemoryInput, dims: int) -> None:
    if len(item.embedding) != dims:
        raise EmbeddingMismatchError(
            f"node {item.id!r} has {len(item.embedding)} numbers in its embedding, the first node {dims}"
        )


async def to_nodes(entries: Sequence[MemoryEntry]) -> list[BaseNode]:
    """Turn entries into nodes, in order."""
    nodes: list[BaseNode] = []
    for entry in entries:
        nodes.append(entry_to_node(entry))
        if len(nodes) % _PORTION == 0:
            await asyncio.sleep(0)
    return nodes
