from __future__ import annotations

import asyncio
import contextvars
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from typing import Any

import pytest

from axon.core.errors import AdapterTimeout, SyncCallError
from axon.core.portal import Portal, run_blocking

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE", default="unset")


async def give(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


class Blocked:
    """A coroutine that waits for ever and remembers how it ended."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.ended = threading.Event()
        self.cancelled = False

    async def wait(self) -> None:
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled = True
            raise
        finally:
            self.ended.set()


def test_a_result_and_an_error_come_back() -> None:
    assert run_blocking(give(3)) == 3
    error = KeyError("x")
    with pytest.raises(KeyError) as caught:
        run_blocking(fail(error))
    assert caught.value is error


def test_all_calls_share_one_daemon_thread() -> None:
    async def thread() -> threading.Thread:
        return threading.current_thread()

    first = run_blocking(thread())
    assert first is run_blocking(thread())
    assert first.daemon and first is not threading.current_thread()
    assert [thread.name for thread in threading.enumerate()].count("axon-portal") == 1


async def test_it_works_inside_a_running_loop_of_another_thread() -> None:
    assert run_blocking(give(1)) == 1
    assert await asyncio.to_thread(run_blocking, give(2)) == 2


def test_many_threads_at_once() -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda i=i: results.append(run_blocking(give(i)))) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(results) == list(range(20))


def test_context_variables_cross() -> None:
    async def read() -> str:
        return VARIABLE.get()

    token = VARIABLE.set("seen")
    try:
        assert run_blocking(read()) == "seen"
    finally:
        VARIABLE.reset(token)
    assert run_blocking(read()) == "unset"


def test_waiting_on_ones_own_loop_is_refused_and_names_the_await_form() -> None:
    async def outer() -> None:
        run_blocking(give(1))

    with pytest.raises(SyncCallError, match=r"`await` before the coroutine form \(give\)"):
        run_blocking(outer())


def test_a_thread_started_from_the_loop_may_block() -> None:
    async def outer() -> Any:
        return await asyncio.to_thread(run_blocking, give(5))

    assert run_blocking(outer()) == 5


def test_a_timeout_cancels_the_coroutine_before_it_is_reported() -> None:
    blocked = Blocked()
    with pytest.raises(AdapterTimeout, match=r"Blocked\.wait did not finish within 0\.05 s"):
        run_blocking(blocked.wait(), timeout=0.05)
    assert blocked.cancelled


def test_a_timeout_of_zero_never_hangs_and_leaves_no_coroutine_unawaited() -> None:
    with pytest.raises(TimeoutError):
        run_blocking(Blocked().wait(), timeout=0)


def test_a_timeout_error_of_the_coroutine_itself_is_passed_on() -> None:
    error = TimeoutError("its own")
    with pytest.raises(TimeoutError) as caught:
        run_blocking(fail(error), timeout=30)
    assert caught.value is error


def test_a_coroutine_that_ignores_its_cancellation_does_not_hold_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("axon.core.portal._UNWIND_SECONDS", 0.01)
    release: list[Any] = []
    ended = threading.Event()

    async def stubborn() -> None:
        event = asyncio.Event()
        release.append((asyncio.get_running_loop(), event))
        while not event.is_set():
            try:
                await event.wait()
            except asyncio.CancelledError:
                continue
        ended.set()

    with pytest.raises(AdapterTimeout):
        run_blocking(stubborn(), timeout=0.05)
    loop, event = release[0]
    loop.call_soon_threadsafe(event.set)
    assert ended.wait(10)


def test_ctrl_c_cancels_the_coroutine() -> None:
    blocked = Blocked()

    def interrupt() -> None:
        blocked.started.wait(10)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        run_blocking(blocked.wait())
    assert blocked.cancelled


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_a_coroutine_that_exits_does_not_take_the_loop_along(error: BaseException) -> None:
    with pytest.raises(type(error)):
        run_blocking(fail(error))
    assert run_blocking(give(1)) == 1


def test_a_cancelled_coroutine_is_reported_as_cancelled() -> None:
    async def cancel_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        run_blocking(cancel_itself())


def test_nothing_starts_before_the_first_call() -> None:
    code = (
        "import threading, axon.core.portal as p; before = threading.active_count();"
        "import asyncio; p.run_blocking(asyncio.sleep(0)); print(before, threading.active_count())"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", code], capture_output=True, text=True, timeout=60
    )
    assert (run.stdout.split(), run.stderr, run.returncode) == (["1", "2"], "", 0)


def answer_in_child(answers: Any) -> None:
    answers.put(run_blocking(give(7), timeout=20))


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    run_blocking(give(1))
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()
    child = context.Process(target=answer_in_child, args=(answers,))
    child.start()
    child.join(30)
    assert child.exitcode == 0 and answers.get() == 7
    assert run_blocking(give(1)) == 1


def test_portals_are_independent() -> None:
    async def through_the_shared_one() -> Any:
        return run_blocking(give(9))

    assert Portal().run(through_the_shared_one()) == 9
