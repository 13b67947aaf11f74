"""The conditions that applications filter by most are the backend's own work: nothing of them is left to Python."""

from __future__ import annotations

import pkgutil
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from axon import Filter
from axon.adapters import _filters
from axon.core.clock import to_datetime
from axon.core.filter.ast import EVERYTHING
from axon.core.filter.evaluate import matches
from axon.core.filter.filter import as_node
from axon.testing.entries import START_US, make_entry
from tests.backends.catalogue import Backend
from tests.servers.running_clock import RunningClock

NOON = to_datetime(START_US)
HOUR = timedelta(hours=1)

CONDITIONS: dict[str, Any] = {
    "all tags": Filter(tags=["red", "round"]),
    "any tag": Filter(any_tags=["red", "green"]),
    "no tag": ~Filter(any_tags=["red", "green"]),
    "least importance": Filter(min_importance=0.5),
    "importance between": Filter(min_importance=0.25, max_importance=0.75),
    "importance equals": {"importance": 0.5},
    "created after": Filter(created_after=NOON),
    "created between": Filter(created_after=NOON - HOUR, created_before=NOON + HOUR),
    "created at": {"created_at": NOON},
    "updated since": {"updated_at": {"$gte": NOON}},
    "expires before": {"expires_at": {"$lt": NOON + 48 * HOUR}},
    "expires at all": {"expires_at": {"$exists": True}},
    "session": Filter(session_id="s1"),
    "another session": {"session_id": {"$ne": "s1"}},
    "id": {"id": {"$in": ["0", "3", "absent"]}},
    "text equals": Filter(metadata={"lang": "en"}),
    "text differs": {"lang": {"$ne": "en"}},
    "whole number equals": {"year": 2020},
    "number equals": {"year": 2020.0},
    "fraction equals": {"share": 0.5},
    "flag equals": {"draft": True},
    "null equals": {"draft": None},
    "one of": {"lang": {"$in": ["en", 2, True]}},
    "none of": {"lang": {"$nin": ["en", "de"]}},
    "exists": {"draft": {"$exists": True}},
    "is empty": {"lang": {"$is_empty": True}},
    "list holds all": {"labels": {"$contains_all": ["a", 1]}},
    "list holds any": {"labels": {"$contains_any": ["b", 1]}},
    "all of these": Filter(tags=["red"], min_importance=0.1, session_id="s1", metadata={"lang": "en"}),
    "either": Filter(tags=["green"]) | Filter(metadata={"year": 2020}),
    "neither": ~(Filter(tags=["green"]) | Filter(metadata={"year": 2020})),
    "number at least": {"year": {"$gte": 2020}},
    "number between": {"year": {"$gt": 2019, "$lt": 2021.5}},
    "number not below": ~Filter(metadata={"year": {"$lt": 2021}}),
}

NOT_NATIVE = {
    # Its numeric fields are declared when the index is made, and users' keys are not known then.
    "redis": {"number at least", "number between", "number not below", "is empty"},
}
"""By compiler: what it rightly leaves to Python."""

CORPUS = [
    make_entry(
        str(n),
        tags=[["red", "round"], ["red"], ["green", "round"], []][n % 4],
        importance=n / 8,
        session_id=[None, "s1", "s2"][n % 3],
        created_at=NOON + (n - 4) * HOUR,
        updated_at=NOON + (n - 3) * HOUR,
        expires_at=None if n % 2 else NOON + (44 + n) * HOUR,
        metadata=[
            {"lang": "en", "year": 2020, "share": 0.5, "draft": True, "labels": ["a", 1]},
            {"lang": "de", "year": 2020.0, "draft": None, "labels": ["b"]},
            {"lang": "", "year": 2021, "draft": 1, "labels": "a"},
            {"year": "2020"},
        ][n % 4],
    )
    for n in range(9)
]


def compilers() -> dict[str, ModuleType]:
    """Every module of filter compilers that has one, by the name of its adapter."""
    modules = {
        found.name: import_module(f"{_filters.__name__}.{found.name}")
        for found in pkgutil.iter_modules(_filters.__path__)
    }
    return {name: module for name, module in modules.items() if hasattr(module, "compile_filter")}


def test_every_network_adapter_has_a_compiler() -> None:
    assert {"chroma", "pinecone", "qdrant", "redis"} <= set(compilers())


def test_every_condition_tells_entries_apart() -> None:
    for condition in CONDITIONS.values():
        found = sum(matches(as_node(condition), entry) for entry in CORPUS)
        assert 0 < found < len(CORPUS), condition


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("name", compilers())
def test_conditions_are_compiled_whole(name: str, condition: str) -> None:
    compiled = compilers()[name].compile_filter(as_node(CONDITIONS[condition]))
    is_whole = compiled.residual is EVERYTHING
    assert is_whole is (condition not in NOT_NATIVE.get(name, ())), compiled
    if is_whole:
        assert not isinstance(compiled.native, bool), "nothing is asked of the backend"


async def test_backends_count_by_themselves(backend: Backend, tmp_path: Path) -> None:
    with backend.adapter(tmp_path, RunningClock()) as adapter:
        await adapter.open()
        await adapter.put_many("here", CORPUS)
        await adapter.put_many("elsewhere", CORPUS)
        for name, condition in CONDITIONS.items():
            node = as_node(condition)
            if adapter.compile(node).residual is EVERYTHING:
                wanted = sum(matches(node, entry) for entry in CORPUS)
                assert await adapter.count("here", node) == wanted, name
            else:
                assert name in NOT_NATIVE.get(backend.adapter_type, ())
        await adapter.aclose()
