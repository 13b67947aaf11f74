from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon import Filter, MemoryConfig, MemorySystem, SyncMemorySystem, Tier
from axon.core.errors import AdapterTimeout, AxonError, EmptyTextError, SyncCallError
from axon.core.portal import run_blocking
from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders import HashingEmbedder

REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST", default="none")


class Probe:
    """An embedder that tells what it sees: the context, and how a call that never returns ended."""

    spec = EmbedderSpec(provider="test", model="probe", dims=2)

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.hangs = False
        self.asked = threading.Event()
        self.cancelled = threading.Event()

    async def embed_array(self, texts: Sequence[str], *, kind: EmbeddingKind = "document") -> Any:
        self.seen.append(REQUEST.get())
        self.asked.set()
        if self.hangs:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        return np.ones((len(texts), 2), np.float32)


@pytest.fixture(params=["memory", "sqlite"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SyncMemorySystem]:
    config = MemoryConfig.in_memory() if request.param == "memory" else MemoryConfig.local(tmp_path / "m.db")
    with SyncMemorySystem(config) as made:
        yield made


# What the name of a method says about it, and the same parameters in the same order with the same defaults.
RENAMED = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}


def public(cls: type) -> dict[str, Any]:
    special = {"__init__", "__aenter__", "__aexit__"}
    return {name: value for name, value in vars(cls).items() if name in special or not name.startswith("_")}


def test_every_public_name_of_the_memory_is_there() -> None:
    assert {RENAMED.get(name, name) for name in public(MemorySystem)} <= set(vars(SyncMemorySystem))


@pytest.mark.parametrize(
    "name", [name for name, value in public(MemorySystem).items() if inspect.isfunction(value)]
)
def test_every_method_takes_the_same_arguments(name: str) -> None:
    parameters = [
        list(inspect.signature(vars(cls)[known]).parameters.values())
        for cls, known in ((MemorySystem, name), (SyncMemorySystem, RENAMED.get(name, name)))
    ]
    described = [[(p.name, p.kind, p.default) for p in found] for found in parameters]
    assert described[0] == described[1]


def test_a_day_in_its_life(memory: SyncMemorySystem, tmp_path: Path) -> None:
    assert memory.namespace == "default" and Tier.PERSISTENT in memory.tiers
    key = memory.store("the deploy key is rotated monthly", importance=0.9, tags=["ops"], id="key")
    others = memory.bulk_store((f"note {i} about lunch" for i in range(5)), importance=0.1, tags=["note"])
    assert key == "key" and len(others) == 5

    assert memory.recall("when is the deploy key rotated", k=1)[0].entry.id == "key"
    assert [r[0].entry.id for r in memory.recall_many(["deploy key", "rotated monthly"], k=1)] == ["key"] * 2
    assert memory.recall("key", filter=Filter(tags=["note"]), k=9, tier="persistent") == []

    entry = memory.get("key")
    assert entry is not None and entry.tier is Tier.PERSISTENT
    assert [e is not None for e in memory.get_many(["key", "absent"])] == [True, False]
    assert memory.update("key", tags=["ops", "security"]).tags == ["ops", "security"]

    memory.demote("key", "session")
    assert memory.count(tier="session") == 1
    memory.promote("key", "persistent")
    assert memory.count() == 6 and memory.count(filter={"tags": "note"}) == 5

    assert memory.export(tmp_path / "export.jsonl").entries == 6
    assert memory.delete(others[0]) and not memory.delete(others[0])
    assert memory.delete_many(others[:2]) == 1
    assert memory.import_(tmp_path / "export.jsonl").entries == 6
    assert memory.forget(filter=Filter(tags=["note"])).deleted == 5
    assert memory.compact(dry_run=True).summaries == []
    assert memory.maintain().expired == 0
    assert memory.stats().entries == 1
    memory.clear()
    assert memory.count() == 0


def test_errors_are_those_of_the_async_memory(memory: SyncMemorySystem) -> None:
    with pytest.raises(EmptyTextError):
        memory.store(" ")
    with pytest.raises(AxonError):
        memory.bulk_store(["fine", ""])
    assert memory.count() == 0


def test_a_scope_is_blocking_too_and_apart(memory: SyncMemorySystem) -> None:
    other = memory.scope("other")
    assert isinstance(other, SyncMemorySystem) and other.namespace == "other"
    other.store("only here")
    assert (memory.count(), other.count()) == (0, 1)
    other.close()
    assert memory.count() == 0


def test_a_scan_walks_everything_and_may_be_left_early(memory: SyncMemorySystem) -> None:
    memory.bulk_store([f"text {i}" for i in range(600)])
    scan = memory.scan()
    assert next(scan).text == "text 0"
    del scan
    gc.collect()
    assert [entry.text for entry in memory.scan()] == [f"text {i}" for i in range(600)]
    assert [entry.text for entry in memory.scan(filter={"tags": "absent"})] == []


def test_a_wrapped_memory_and_its_blocking_face_see_the_same(tmp_path: Path) -> None:
    memory = MemorySystem(MemoryConfig.local(tmp_path / "m.db"))
    face = SyncMemorySystem.wrap(memory)
    assert face.memory is memory and face.embedder is memory.embedder and face.config is memory.config
    assert repr(face).startswith("SyncMemorySystem(namespace='default'")
    face.store("written from outside", id="a")

    async def inside() -> None:
        assert await memory.get("a") is not None
        await memory.store("written from inside", id="b")

    run_blocking(inside())
    assert face.get("b") is not None
    face.close()


# The six cases of the sync face.


async def test_1_a_call_inside_a_running_loop(memory: SyncMemorySystem) -> None:
    memory.store("from within a loop", id="a")
    assert memory.recall("loop", k=1)[0].entry.id == "a"
    assert (await asyncio.to_thread(memory.recall, "loop", k=1))[0].entry.id == "a"


def test_2_a_memory_made_in_one_loop_and_used_in_another(tmp_path: Path) -> None:
    memory = MemorySystem(MemoryConfig.local(tmp_path / "m.db"), embedder=HashingEmbedder())
    face = SyncMemorySystem.wrap(memory)
    with asyncio.Runner() as runner:
        runner.run(memory.store("first loop", id="1"))
    face.store("blocking", id="2")
    with asyncio.Runner() as runner:
        runner.run(memory.store("second loop", id="3"))
        assert len(runner.run(memory.recall("loop blocking"))) == 3
    assert [entry is not None for entry in face.get_many(["1", "2", "3"])] == [True] * 3
    face.close()


def test_3_waiting_on_ones_own_loop_is_refused_with_the_await_form(memory: SyncMemorySystem) -> None:
    async def inside() -> None:
        memory.recall("anything")

    with pytest.raises(SyncCallError, match=r"`await` before the coroutine form \(MemorySystem\.recall\)"):
        run_blocking(inside())
    assert memory.count() == 0


def test_4_context_variables_cross() -> None:
    probe = Probe()
    with SyncMemorySystem(embedder=probe) as memory:
        token = REQUEST.set("request 7")
        try:
            memory.store("text")
        finally:
            REQUEST.reset(token)
    assert set(probe.seen) == {"request 7"}


def test_5_ctrl_c_cancels_the_coroutine() -> None:
    probe = Probe()
    with SyncMemorySystem(embedder=probe) as memory:
        probe.hangs = True

        def interrupt() -> None:
            probe.asked.wait(10)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            memory.store("never embedded")
        assert probe.cancelled.wait(10)
        assert memory.count() == 0


def test_6_a_timeout_cancels_the_coroutine() -> None:
    probe = Probe()
    with SyncMemorySystem(embedder=probe) as memory:
        probe.hangs = True
        with pytest.raises(AdapterTimeout, match=r"MemorySystem\.store did not finish"):
            run_blocking(memory.memory.store("never embedded"), timeout=0.2)
        assert probe.cancelled.wait(10)
        assert memory.count() == 0


def test_threads_share_one_memory(memory: SyncMemorySystem) -> None:
    threads = [threading.Thread(target=memory.store, args=(f"thread {i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert memory.count() == 8
