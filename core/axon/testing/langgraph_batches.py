"""Batches and concurrent calls: order, what reads see, who is affected by whom."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from langgraph.store.base import (
    BaseStore,
    GetOp,
    InvalidNamespaceError,
    Item,
    ListNamespacesOp,
    MatchCondition,
    Op,
    PutOp,
    SearchOp,
)

from axon.testing.langgraph_base import StoreTests, keys, there

_NS = ("batch",)


class BatchTests(StoreTests):
    """Explicit batches."""

    async def test_answers_come_in_the_order_of_the_operations(self, store: BaseStore) -> None:
        """Every kind of operation in one batch."""
        await store.aput(("a", "x"), "1", {"n": 1})
        await store.aput(("a", "y"), "2", {"n": 2})
        answers: list[Any] = await store.abatch(
            [
                GetOp(("a", "x"), "1"),
                PutOp(("a", "y"), "3", {"n": 3}),
                SearchOp(("a",), filter={"n": 2}),
                ListNamespacesOp(),
                GetOp(("a",), "1"),
            ]
        )
        got, put, found, listed, missing = answers
        assert isinstance(got, Item)
        assert got.value == {"n": 1}
        assert put is None
        assert keys(found) == ["2"]
        assert listed == [("a", "x"), ("a", "y")]
        assert missing is None

    async def test_a_batch_of_gets(self, store: BaseStore) -> None:
        """Repeats and gaps keep their places."""
        await store.abatch([PutOp(_NS, key, {"key": key}) for key in ("a", "b")])
        answers = await store.abatch([GetOp(_NS, key) for key in ("b", "missing", "a", "b")])
        assert [answer.key if isinstance(answer, Item) else answer for answer in answers] == [
            "b",
            None,
            "a",
            "b",
        ]

    async def test_a_batch_of_puts(self, store: BaseStore) -> None:
        """Each is answered by None, and written."""
        answers = await store.abatch([PutOp(_NS, str(n), {"n": n}) for n in range(20)])
        assert answers == [None] * 20
        assert sorted(item.value["n"] for item in await store.asearch(_NS, limit=50)) == list(range(20))

    async def test_a_batch_of_searches(self, store: BaseStore) -> None:
        """Each has a filter and limits of its own."""
        await store.abatch([PutOp(_NS, str(n), {"even": n % 2 == 0, "n": n}) for n in range(10)])
        ops: list[Op] = [
            SearchOp(_NS, filter={"even": True}),
            SearchOp(_NS, filter={"n": {"$gte": 8}}),
            SearchOp(_NS, limit=3),
            SearchOp(("elsewhere",)),
        ]
        answers: list[Any] = await store.abatch(ops)
        assert list(map(len, answers)) == [5, 2, 3, 0]

    async def test_a_batch_of_listings(self, store: BaseStore) -> None:
        """Each has conditions of its own."""
        await store.abatch([PutOp(place, "k", {}) for place in (("a", "x"), ("b", "x"), ("b", "y"))])
        ops: list[Op] = [
            ListNamespacesOp(match_conditions=(MatchCondition("prefix", ("b",)),)),
            ListNamespacesOp(match_conditions=(MatchCondition("suffix", ("x",)),)),
            ListNamespacesOp(max_depth=1),
        ]
        assert await store.abatch(ops) == [
            [("b", "x"), ("b", "y")],
            [("a", "x"), ("b", "x")],
            [("a",), ("b",)],
        ]

    async def test_an_empty_batch(self, store: BaseStore) -> None:
        """It has no answers."""
        assert await store.abatch([]) == []

    async def test_reads_see_the_state_before_the_writes_of_their_batch(self, store: BaseStore) -> None:
        """Wherever in the batch they stand."""
        await store.aput(_NS, "k", {"v": "old"})
        answers: list[Any] = await store.abatch(
            [PutOp(_NS, "k", {"v": "new"}), PutOp(_NS, "other", {}), GetOp(_NS, "k"), SearchOp(_NS)]
        )
        assert answers[2].value == {"v": "old"}
        assert [item.value for item in answers[3]] == [{"v": "old"}]
        assert there(await store.aget(_NS, "k")).value == {"v": "new"}

    async def test_the_last_put_of_a_key_wins(self, store: BaseStore) -> None:
        """Also when another key is put in between."""
        await store.abatch([PutOp(_NS, "k", {"v": 1}), PutOp(_NS, "other", {}), PutOp(_NS, "k", {"v": 2})])
        assert there(await store.aget(_NS, "k")).value == {"v": 2}

    async def test_put_and_delete_of_one_key_in_a_batch(self, store: BaseStore) -> None:
        """The later one counts."""
        await store.abatch([PutOp(_NS, "gone", {}), PutOp(_NS, "gone", None)])
        await store.abatch([PutOp(_NS, "kept", None), PutOp(_NS, "kept", {"v": 1})])
        assert keys(await store.asearch(_NS)) == ["kept"]


class ConcurrencyTests(StoreTests):
    """Calls at the same time, blocking calls, callers that give up."""

    async def test_many_concurrent_batches(self, store: BaseStore) -> None:
        """No write gets lost, none is answered with another's item."""
        batches = [[PutOp(("many", str(b)), str(n), {"n": n, "b": b}) for n in range(20)] for b in range(20)]
        await asyncio.gather(*map(store.abatch, batches))
        items = await asyncio.gather(
            *(store.aget(("many", str(b)), str(n)) for b in range(20) for n in range(20))
        )
        assert [there(item).value for item in items] == [
            {"n": n, "b": b} for b in range(20) for n in range(20)
        ]

    async def test_a_get_sees_a_put_of_the_same_turn(self, store: BaseStore) -> None:
        """Calls begun one after the other take effect in this order, awaited or not."""
        _, first, _, second = await asyncio.gather(
            store.aput(_NS, "k", {"v": 1}),
            store.aget(_NS, "k"),
            store.aput(_NS, "k", {"v": 2}),
            store.aget(_NS, "k"),
        )
        assert (there(first).value, there(second).value) == ({"v": 1}, {"v": 2})

    async def test_the_last_of_many_puts_begun_in_order_wins(self, store: BaseStore) -> None:
        """Also when they begin in different turns of the loop."""
        tasks = []
        for number in range(10):
            tasks.append(asyncio.create_task(store.aput(_NS, "k", {"v": number})))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        assert there(await store.aget(_NS, "k")).value == {"v": 9}

    async def test_a_cancelled_caller_leaves_the_others_alone(self, store: BaseStore) -> None:
        """Those that came in the same turn are answered."""
        tasks = [asyncio.create_task(store.aput(_NS, str(n), {"n": n})) for n in range(5)]
        await asyncio.sleep(0)
        tasks[2].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [outcome for n, outcome in enumerate(outcomes) if n != 2] == [None] * 4
        found = {item.value["n"] for item in await store.asearch(_NS)}
        assert {0, 1, 3, 4} <= found

    async def test_a_bad_call_does_not_fail_its_neighbours(self, store: BaseStore) -> None:
        """A namespace that is refused is its own caller's matter."""
        outcomes = await asyncio.gather(
            store.aput(_NS, "good", {"v": 1}),
            store.abatch([GetOp(("a.b",), "bad")]),
            store.aget(_NS, "good"),
            return_exceptions=True,
        )
        assert isinstance(outcomes[1], InvalidNamespaceError)
        assert outcomes[0] is None
        assert isinstance(outcomes[2], Item)

    def test_blocking_calls_without_a_loop(self, store: BaseStore) -> None:
        """All five methods, in a plain script."""
        store.put(_NS, "k", {"v": 1})
        assert there(store.get(_NS, "k")).value == {"v": 1}
        assert keys(store.search(_NS)) == ["k"]
        assert store.list_namespaces() == [_NS]
        store.delete(_NS, "k")
        assert store.get(_NS, "k") is None

    def test_blocking_calls_from_several_threads(self, store: BaseStore) -> None:
        """One object serves them all."""

        def work(number: int) -> None:
            for n in range(20):
                store.put(("thread", str(number)), str(n), {"n": n})

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(store.search(("thread",), limit=100)) == 80

    async def test_a_blocking_call_inside_a_running_loop_answers_or_refuses(self, store: BaseStore) -> None:
        """It never waits for itself; from another thread it works in any case."""
        await store.aput(_NS, "k", {"v": 1})
        try:
            answer = store.get(_NS, "k")
        except (RuntimeError, asyncio.InvalidStateError) as error:
            assert "aget" in str(error)
        else:
            assert there(answer).value == {"v": 1}
        assert there(await asyncio.to_thread(store.get, _NS, "k")).value == {"v": 1}

    @pytest.mark.parametrize("kind", ["awaited", "blocking"])
    def test_one_store_serves_several_event_loops(self, store: BaseStore, kind: str) -> None:
        """What one loop wrote, another reads."""
        with asyncio.Runner() as one, asyncio.Runner() as other:
            one.run(store.aput(_NS, "k", {"v": 1}))
            found = other.run(store.aget(_NS, "k")) if kind == "awaited" else store.get(_NS, "k")
            assert there(found).value == {"v": 1}
