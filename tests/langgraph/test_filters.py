"""Random filters on random values: the store finds what the meaning of the filter says, on each backend: L16."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langgraph.store.base import PutOp

from axon.core.config import MemoryConfig
from axon.core.errors import FilterError
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from axon_integrations.langgraph import AxonStore

SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 1.5, "", "a", "1", "é"])
LEAVES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2))
NAMES = st.sampled_from(["x", "y", "tags", "_axon.x", "x.y"])
VALUES = st.dictionaries(NAMES, st.one_of(LEAVES, st.dictionaries(NAMES, LEAVES, max_size=2)), max_size=3)
CONDITIONS = st.one_of(
    LEAVES,
    st.fixed_dictionaries(
        {}, optional={"$eq": LEAVES, "$ne": LEAVES, "$gt": SCALARS, "$lte": SCALARS}
    ).filter(bool),
    st.fixed_dictionaries({"$in": st.lists(LEAVES, max_size=3)}),
    st.fixed_dictionaries({"$nin": st.lists(LEAVES, max_size=3)}),
    st.fixed_dictionaries({"$contains": SCALARS}),
)
PLAIN = st.dictionaries(NAMES, st.one_of(CONDITIONS, st.dictionaries(NAMES, CONDITIONS, min_size=1, max_size=2)),
                        min_size=1, max_size=2)  # fmt: skip
FILTERS = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=4,
)


def equal(left: Any, right: Any) -> bool:
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(equal, left, right))
    return (
        isinstance(left, bool) == isinstance(right, bool)
        and left == right
        and (left is None) == (right is None)
    )


def ordered(left: Any, right: Any) -> bool:
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (left, right))
    return numbers or (isinstance(left, str) and isinstance(right, str))


def holds(value: list[Any], word: str, operand: Any) -> bool:
    """Tell whether one operator holds of a value, given as a list of one, or of none where it is missing."""
    found = value[0] if value else None
    match word:
        case "$eq":
            return bool(value) and equal(found, operand)
        case "$ne":
            return not value or not equal(found, operand)
        case "$gt":
            return bool(value) and ordered(found, operand) and found > operand
        case "$lte":
            return bool(value) and ordered(found, operand) and found <= operand
        case "$in":
            return bool(value) and any(equal(found, each) for each in operand)
        case "$nin":
            return not value or not any(equal(found, each) for each in operand)
    return bool(value) and isinstance(found, list) and any(equal(each, operand) for each in found)


def below(value: list[Any], key: str) -> list[Any]:
    if not value or not isinstance(value[0], dict):
        return []
    if key in value[0]:
        return [value[0][key]]
    if "." not in key:
        return []
    head, _, rest = key.partition(".")
    return below(below_literally(value[0], head), rest)


def below_literally(value: dict[str, Any], key: str) -> list[Any]:
    return [value[key]] if key in value else []


def meant(filter: Mapping[str, Any], value: list[Any]) -> bool:
    """Give the meaning of a filter, written apart from the store's."""
    for key, operand in filter.items():
        if key == "$and":
            true = all(meant(each, value) for each in operand)
        elif key == "$or":
            true = any(meant(each, value) for each in operand)
        elif key == "$not":
            true = not meant(operand, value)
        elif isinstance(operand, dict) and any(word.startswith("$") for word in operand):
            true = all(holds(below(value, key), word, wanted) for word, wanted in operand.items())
        elif isinstance(operand, dict):
            true = meant(operand, below(value, key))
        else:
            true = holds(below(value, key), "$eq", operand)
        if not true:
            return False
    return True


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_l16_random_filters_mean_what_they_say(backend: str, tmp_path: Path) -> None:
    options = {"path": str(tmp_path / "axon.db")} if backend == "sqlite" else {}
    policy = PersistentPolicy(adapter_type=backend, adapter_config=options)
    memory = MemorySystem(MemoryConfig(persistent=policy))
    store = AxonStore(memory)
    examples = 0

    @settings(suppress_health_check=list(HealthCheck))
    @given(st.lists(VALUES, min_size=1, max_size=6), st.lists(FILTERS, min_size=1, max_size=5))
    def compare(values: list[dict[str, Any]], filters: list[dict[str, Any]]) -> None:
        nonlocal examples
        examples += 1
        place = ("example", str(examples))
        store.batch([PutOp(place, str(n), value) for n, value in enumerate(values)])
        for filter in filters:
            found = {item.key for item in store.search(place, filter=filter, limit=50)}
            assert found == {str(n) for n, value in enumerate(values) if meant(filter, [value])}, filter

    compare()
    assert examples >= 100
    asyncio.run(memory.aclose())


@pytest.mark.parametrize(
    "filter",
    [
        {"$or": []},
        {"$and": {}},
        {"x": {"$gt": 1, "y": 2}},
        {"$near": 1},
        {"x": {"$not": 1}},
        {1: 2},
        {"x": {1: 2}},
    ],
    ids=repr,
)
async def test_what_cannot_be_read_is_an_error(store: AxonStore, filter: dict[str, Any]) -> None:
    with pytest.raises(FilterError):
        await store.asearch((), filter=filter)


async def test_a_filter_may_not_be_nested_without_end(store: AxonStore) -> None:
    filter: dict[str, Any] = {"x": 1}
    for _ in range(100):
        filter = {"x": filter}
    with pytest.raises(FilterError, match="levels"):
        await store.asearch((), filter=filter)


async def test_our_own_fields_are_out_of_reach(store: AxonStore) -> None:
    await store.aput(("a",), "k", {"v": 1})
    for key in (
        "_axon.langgraph.kind",
        "_axon.langgraph.within.1",
        "metadata.v",
        "metadata._axon.langgraph.kind",
    ):
        assert await store.asearch((), filter={key: {"$exists": True}}) == []
