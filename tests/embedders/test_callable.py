from __future__ import annotations

import asyncio
import multiprocessing
import threading
from typing import Any

import numpy as np
import pytest

from axon.core.errors import ConfigError, EmbeddingError
from axon.embedders import from_callable
from axon.embedders.worker import WorkerThread


def lengths(texts: list[str]) -> list[list[float]]:
    return [[float(len(text)), 1.0] for text in texts]


async def lengths_async(texts: list[str]) -> list[list[float]]:
    await asyncio.sleep(0)
    return lengths(texts)


class Model:
    async def __call__(self, texts: list[str]) -> Any:
        return np.array(lengths(texts), dtype=np.float64)


@pytest.mark.parametrize("function", [lengths, lengths_async, Model(), lambda texts: lengths_async(texts)])
async def test_any_kind_of_function(function: Any) -> None:
    async with from_callable(function, name="lengths") as embedder:
        assert await embedder.embed_batch(["a", "bb"]) == [[1.0, 1.0], [2.0, 1.0]]


async def test_a_plain_function_runs_in_one_other_thread_and_a_coroutine_here() -> None:
    threads: list[threading.Thread] = []

    def plain(texts: list[str]) -> list[list[float]]:
        threads.append(threading.current_thread())
        return lengths(texts)

    async def here(texts: list[str]) -> list[list[float]]:
        threads.append(threading.current_thread())
        return lengths(texts)

    async with from_callable(plain, name="plain", max_batch=1) as embedder:
        await embedder.embed_batch(["a", "b", "c"])
        await embedder.embed_query("d")
    assert len(set(threads)) == 1 and threading.current_thread() not in threads
    threads.clear()
    await from_callable(here, name="here").embed("a")
    assert threads == [threading.current_thread()]


async def test_while_a_function_blocks_the_loop_goes_on() -> None:
    release = threading.Event()

    def blocking(texts: list[str]) -> list[list[float]]:
        assert release.wait(10)
        return lengths(texts)

    async with from_callable(blocking, name="blocking") as embedder:
        waiting = asyncio.ensure_future(embedder.embed("text"))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        release.set()
        assert await waiting == [4.0, 1.0]


async def test_closing_ends_the_thread_and_a_later_call_starts_another() -> None:
    embedder = from_callable(lengths, name="lengths", lru_entries=0)
    await embedder.embed("a")
    workers = [thread for thread in threading.enumerate() if "axon-callable-embedder" in thread.name]
    await embedder.aclose()
    await embedder.aclose()
    for worker in workers:
        worker.join(10)
    assert not any(worker.is_alive() for worker in workers)
    assert await embedder.embed("a") == [1.0, 1.0]
    await embedder.aclose()


async def test_what_the_function_raises_is_the_cause() -> None:
    def broken(texts: list[str]) -> Any:
        raise KeyError("weights")

    async with from_callable(broken, name="broken") as embedder:
        with pytest.raises(EmbeddingError, match="broken failed: KeyError: 'weights'") as caught:
            await embedder.embed("text")
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, KeyError):
        error = error.__cause__
    assert isinstance(error, KeyError)


def test_the_spec() -> None:
    spec = from_callable(lengths, name="lengths", dims=2, max_batch=7, revision="b").spec
    assert spec.fingerprint == "callable/lengths@b#2"
    assert spec.max_batch == 7 and not spec.normalized


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("no function", {"name": "x"}),
        (lengths, {"name": ""}),
        (lengths, {"name": "x", "dims": 0}),
        (lengths, {"name": "x", "max_batch": 0}),
    ],
)
def test_options_that_cannot_work_are_refused(function: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        from_callable(function, **options)


def work_in_child(worker: WorkerThread, answers: Any) -> None:
    with asyncio.Runner() as runner:
        answers.put(runner.run(worker.run(lambda: 7)))


def test_a_forked_child_gets_a_thread_of_its_own() -> None:
    worker = WorkerThread("forked")
    with asyncio.Runner() as runner:
        assert runner.run(worker.run(lambda: 1)) == 1
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=work_in_child, args=(worker, answers))
    child.start()
    child.join(30)
    alive = child.is_alive()
    child.kill()
    child.join(10)
    assert not alive and answers.get() == 7
    worker.close()
