"""Inside a compiled graph: nodes get the store they were compiled with."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from langgraph.store.base import BaseStore

import axon_integrations.langgraph.store
from axon.core.config import MemoryConfig
from axon.core.memory_system import MemorySystem
from axon.testing.langgraph_base import index_of
from axon_integrations.langgraph import AxonStore


class State(TypedDict):
    user: str
    says: str
    known: list[str]


async def arecall(state: State, *, store: BaseStore) -> dict[str, Any]:
    found = await store.asearch(("users", state["user"]), query=state["says"], limit=3)
    return {"known": [item.value["text"] for item in found]}


async def aremember(state: State, runtime: Runtime[None]) -> dict[str, Any]:
    assert runtime.store is not None
    await runtime.store.aput(("users", state["user"]), state["says"], {"text": state["says"]})
    return {}


def recall(state: State, *, store: BaseStore) -> dict[str, Any]:
    found = store.search(("users", state["user"]), query=state["says"], limit=3)
    return {"known": [item.value["text"] for item in found]}


def remember(state: State, runtime: Runtime[None]) -> dict[str, Any]:
    assert runtime.store is not None
    runtime.store.put(("users", state["user"]), state["says"], {"text": state["says"]})
    return {}


def graph(store: AxonStore, first: Any, second: Any) -> Any:
    builder = StateGraph(State)
    builder.add_node("recall", first)
    builder.add_node("remember", second)
    builder.add_edge(START, "recall")
    builder.add_edge("recall", "remember")
    builder.add_edge("remember", END)
    return builder.compile(store=store)


def turn(user: str, says: str) -> State:
    return {"user": user, "says": says, "known": []}


@pytest.fixture
def indexed(memory: MemorySystem) -> AxonStore:
    return AxonStore(memory, index=index_of("text"))


async def test_awaited_nodes(indexed: AxonStore) -> None:
    app = graph(indexed, arecall, aremember)
    await app.ainvoke(turn("ada", "tea is fine"))
    await app.ainvoke(turn("bob", "tea is bad"))
    assert (await app.ainvoke(turn("ada", "which tea")))["known"] == ["tea is fine"]
    assert [item.key for item in await indexed.asearch(("users", "bob"))] == ["tea is bad"]


async def test_blocking_nodes_in_an_awaited_graph(indexed: AxonStore) -> None:
    app = graph(indexed, recall, remember)
    await app.ainvoke(turn("ada", "tea is fine"))
    assert (await app.ainvoke(turn("ada", "which tea")))["known"] == ["tea is fine"]


def test_blocking_nodes_in_a_blocking_graph(indexed: AxonStore) -> None:
    app = graph(indexed, recall, remember)
    app.invoke(turn("ada", "tea is fine"))
    assert app.invoke(turn("ada", "which tea"))["known"] == ["tea is fine"]


async def test_a_later_process_remembers(tmp_path: Path) -> None:
    for says, known in (("tea is fine", []), ("which tea", ["tea is fine"])):
        async with MemorySystem(MemoryConfig.local(tmp_path / "axon.db")) as memory:
            app = graph(AxonStore(memory, index=index_of("text")), arecall, aremember)
            assert (await app.ainvoke(turn("ada", says)))["known"] == known


def test_examples_in_docstrings_run() -> None:
    results = doctest.testmod(axon_integrations.langgraph.store)
    assert results.attempted > 0
    assert results.failed == 0
