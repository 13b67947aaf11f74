"""Native async, the order of calls, and blocking calls that would wait for themselves: L2, L3, L30."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from langgraph.store.base import BaseStore, PutOp, SearchOp

from axon.core.errors import SyncCallError
from axon.core.memory_system import MemorySystem
from axon.core.portal import run_blocking
from axon.testing.langgraph_base import LetterEmbeddings, index_of
from axon_integrations.langgraph import AxonStore
from tests.loop_turns import counted_turns


class Gate:
    """A model that answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.set()
        await self.open.wait()
        return [[1.0, float(len(text))] for text in texts]


async def some_turns() -> None:
    """Give all that can run the time to get stuck."""
    for _ in range(100):
        await asyncio.sleep(0)


def gated(memory: MemorySystem) -> tuple[AxonStore, Gate]:
    gate = Gate()
    return AxonStore(memory, index={"dims": 2, "embed": gate, "fields": ["text"]}), gate


async def test_l2_no_call_takes_a_detour_through_a_thread(
    memory: MemorySystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **keywords: Any) -> None:
        raise AssertionError("run_in_executor was called")

    monkeypatch.setattr("langchain_core.embeddings.embeddings.run_in_executor", refuse)
    for number, embed in enumerate((LetterEmbeddings(), LetterEmbeddings().embed_documents)):
        store = AxonStore(memory, index={**index_of("text"), "embed": embed}, namespace=str(number))
        await store.aput(("a",), "k", {"text": "abc"})
        assert (await store.asearch((), query="abc"))[0].score == pytest.approx(1.0)
        assert await store.aget(("a",), "k")
        assert await store.alist_namespaces() == [("a",)]
        await store.adelete(("a",), "k")


async def test_l2_large_batches_let_other_tasks_run(store: AxonStore) -> None:
    async with counted_turns() as of_the_puts:
        await store.abatch([PutOp(("a", str(n % 7)), str(n), {"n": n}) for n in range(5000)])
    async with counted_turns() as of_the_search:
        found = await store.asearch((), limit=5000)
    assert len(found) == 5000
    assert of_the_puts.count > 50
    assert of_the_search.count > 20


async def test_a_slow_model_does_not_let_a_later_put_overtake(memory: MemorySystem) -> None:
    store, gate = gated(memory)
    first = asyncio.create_task(store.aput(("a",), "k", {"text": "slow", "v": 1}))
    await gate.asked.wait()
    second = asyncio.create_task(store.aput(("a",), "k", {"v": 2}))
    await some_turns()
    third = asyncio.create_task(store.aget(("a",), "k"))
    await some_turns()
    gate.open.set()
    await asyncio.gather(first, second)
    item = await third
    assert item is not None
    assert item.value == {"v": 2}


async def test_a_get_does_not_wait_for_the_put_of_another_key(memory: MemorySystem) -> None:
    store, gate = gated(memory)
    await store.aput(("a",), "there", {"v": 1})
    slow = asyncio.create_task(store.aput(("a",), "k", {"text": "slow"}))
    await gate.asked.wait()
    assert await store.aget(("a",), "there") is not None
    assert not slow.done()
    gate.open.set()
    await slow


async def test_a_write_given_up_does_not_let_a_later_one_overtake(memory: MemorySystem) -> None:
    store, gate = gated(memory)
    first = asyncio.create_task(store.aput(("a",), "k", {"text": "slow", "v": 1}))
    await gate.asked.wait()
    second = asyncio.create_task(store.abatch([PutOp(("a",), key, {"text": "slow too"}) for key in "kl"]))
    await some_turns()
    second.cancel()
    await some_turns()
    third = asyncio.create_task(store.aput(("a",), "k", {"v": 3}))
    await some_turns()
    gate.open.set()
    await asyncio.gather(first, third)
    assert [item.value for item in await store.asearch(())] == [{"v": 3}]


async def test_a_failed_write_lets_the_next_one_come(memory: MemorySystem) -> None:
    async def broken(texts: Sequence[str]) -> list[list[float]]:
        raise RuntimeError("out of order")

    store = AxonStore(memory, index={"dims": 2, "embed": broken, "fields": ["text"]})
    outcomes = await asyncio.gather(
        store.abatch([PutOp(("a",), "k", {"text": "x"}), PutOp(("a",), "l", {})]),
        store.abatch([PutOp(("a",), "k", {"v": 2}), PutOp(("a",), "m", {})]),
        return_exceptions=True,
    )
    assert type(outcomes[0]).__name__ == "EmbeddingError"
    assert sorted(item.key for item in await store.asearch(())) == ["k", "m"]


async def test_a_cancelled_batch_lets_the_next_one_come(memory: MemorySystem) -> None:
    store, gate = gated(memory)
    batch = asyncio.create_task(store.abatch([PutOp(("a",), "k", {"text": "x"}), PutOp(("a",), "l", {})]))
    await gate.asked.wait()
    batch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await batch
    await store.aput(("a",), "k", {"v": 2})
    assert [item.value for item in await store.asearch(())] == [{"v": 2}]


async def test_a_caller_that_gave_up_before_its_turn_is_not_served(store: AxonStore) -> None:
    task = asyncio.create_task(store.aput(("a",), "k", {}))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await store.asearch(()) == []


def test_l3_a_blocking_call_on_our_own_loop_names_the_awaited_forms(store: AxonStore) -> None:
    async def inside() -> None:
        store.put(("a",), "k", {})

    with pytest.raises(SyncCallError, match="aput"):
        run_blocking(inside())


async def test_l3_a_blocking_put_of_what_this_loop_is_writing_refuses(memory: MemorySystem) -> None:
    """It would wait for the loop that it holds up; another key, and the same one afterwards, are fine."""
    store, gate = gated(memory)
    writing = asyncio.create_task(store.aput(("a",), "k", {"text": "slow"}))
    await gate.asked.wait()
    with pytest.raises(SyncCallError, match="aput"):
        store.put(("a",), "k", {"v": 2})
    store.put(("a",), "other", {})
    gate.open.set()
    await writing
    store.put(("a",), "k", {"v": 3})
    assert store.get(("a",), "k") is not None


def test_l3_threads_and_loops_at_once(store: AxonStore) -> None:
    """Increments by read and write in one loop each, of keys of their own."""

    def work(name: str) -> None:
        async def count() -> None:
            for n in range(30):
                await store.aput(("a", name), "n", {"n": n})

        asyncio.run(count())

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [item.value for item in store.search(("a",))] == [{"n": 29}] * 3


async def test_searches_after_a_put_of_the_same_turn_see_it(store: AxonStore) -> None:
    before, _, after = await asyncio.gather(
        store.asearch(("a",)), store.aput(("a",), "k", {}), store.abatch([SearchOp(("a",))])
    )
    assert before == []
    assert [item.key for item in after[0]] == ["k"]


@pytest.mark.parametrize("name", ["aget", "aput", "asearch", "adelete", "alist_namespaces"])
def test_the_short_forms_are_those_of_the_base_class(name: str) -> None:
    """One way in, so that blocking and awaited calls cannot differ."""
    assert getattr(AxonStore, name) is getattr(BaseStore, name)
