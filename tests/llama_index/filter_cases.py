"""Random nodes and filters over a small vocabulary, so that most filters match some nodes and not others."""

from __future__ import annotations

import random
from typing import Any

from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
)

DIMS = 4
STRINGS = ["", "a", "b", "ab", "A", "Lab", "2"]
NUMBERS = [0, 1, 2, 2.0, 2.5, -1]
LISTS: list[list[Any]] = [
    [],
    ["a"],
    ["a", "b"],
    ["ab"],
    ["b", "a"],
    [1, 2],
    [2.0],
    [2.5],
    [1],
    ["a", 1, None, True],
]
VALUES: list[Any] = [*STRINGS, *NUMBERS, *LISTS, None, True, False, {}, {"a": 1}]
TAGS = ["a", "b", "ab"]
METADATA_KEYS = ["s", "n", "l", "any", "doc_id", "id", "metadata", "a.b", "with space", "ключ"]
FILTER_KEYS = [
    *METADATA_KEYS, "tags", "tags", "importance", "session_id", "tier", "created_at", "expires_at",
    "document_id", "ref_doc_id", "metadata.tags", "metadata.importance", "metadata.doc_id", "metadata.id",
    "metadata.metadata", "tree.x", "tree.deep.y", "tree.deep", "metadata.tree.x", "missing", "missing.too",
]  # fmt: skip
TIMES = ["2020-01-01", "2020-01-01T00:00:00+02:00", "2100-01-01T00:00:00", 1_600_000_000, 4_102_444_800.5]
ORDER = [FilterOperator.GT, FilterOperator.GTE, FilterOperator.LT, FilterOperator.LTE]
LISTED = [FilterOperator.IN, FilterOperator.NIN, FilterOperator.ANY, FilterOperator.ALL]
TEXTUAL = [FilterOperator.TEXT_MATCH, FilterOperator.TEXT_MATCH_INSENSITIVE]
NO_TIME = {FilterOperator.CONTAINS, FilterOperator.ANY, FilterOperator.ALL, *TEXTUAL}


def random_node(rng: random.Random, number: int) -> TextNode:
    metadata: dict[str, Any] = {key: rng.choice(VALUES) for key in METADATA_KEYS if rng.random() < 0.6}
    if rng.random() < 0.7:
        metadata["tree"] = {
            "x": rng.choice(VALUES),
            "deep": {"y": rng.choice(VALUES)} if rng.random() < 0.7 else None,
        }
    if rng.random() < 0.2:
        metadata["tree.x"] = rng.choice(VALUES)
    if rng.random() < 0.6:
        metadata["tags"] = rng.sample(TAGS, rng.randrange(len(TAGS) + 1))
    if rng.random() < 0.5:
        metadata["importance"] = rng.choice([0, 0.25, 0.5, 0.75, 1])
    if rng.random() < 0.5:
        metadata["session_id"] = rng.choice(["a", "b"])
    node = TextNode(
        id_=f"n{number}",
        text=f"text {number}",
        metadata=metadata,
        embedding=[rng.uniform(-1, 1) for _ in range(DIMS)],
    )
    if rng.random() < 0.6:
        node.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=rng.choice(["a", "b", "d1"]))
    return node


def random_filters(rng: random.Random, depth: int = 3) -> MetadataFilters:
    size = rng.choice([0, 1, 1, 2, 2, 3])
    children: list[Any] = [
        random_filters(rng, depth - 1) if depth > 1 and rng.random() < 0.4 else random_filter(rng)
        for _ in range(size)
    ]
    return MetadataFilters(filters=children, condition=rng.choice([*FilterCondition, None]))


def random_filter(rng: random.Random) -> MetadataFilter:
    key = rng.choice(FILTER_KEYS)
    operators = list(FilterOperator)
    if key in ("created_at", "updated_at", "expires_at"):
        operators = [each for each in operators if each not in NO_TIME]
    operator = rng.choice(operators)
    return MetadataFilter(key=key, operator=operator, value=random_operand(rng, key, operator))


def random_operand(rng: random.Random, key: str, operator: FilterOperator) -> Any:
    scalars = TIMES if key in ("created_at", "expires_at") else [*STRINGS, *NUMBERS]
    if key == "id":
        scalars = [f"n{number}" for number in range(12)]
    if key == "tier":
        scalars = ["ephemeral", "session", "persistent", "nowhere"]
    if operator is FilterOperator.IS_EMPTY:
        return None
    if operator in (FilterOperator.EQ, FilterOperator.NE) and rng.random() < 0.15:
        return None
    if operator in TEXTUAL:
        return rng.choice([each for each in scalars if isinstance(each, str)])
    takes_list = (
        operator in (FilterOperator.EQ, FilterOperator.NE, FilterOperator.CONTAINS) and scalars is not TIMES
    )
    if operator in LISTED or (takes_list and rng.random() < 0.3):
        kind = type(rng.choice(scalars))
        return rng.choices([each for each in scalars if type(each) is kind], k=rng.randrange(4))
    return rng.choice(scalars)
