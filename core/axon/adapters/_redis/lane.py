"""Single operations of one moment travel together: one pipeline instead of one round trip each."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from axon.adapters._redis.errors import VENDOR_ERRORS, is_transient, mapped
from axon.adapters._redis.operations import Command, Operation, Run, plan
from axon.adapters._shared.translation import Interrupted, own_copy
from axon.core.errors import AdapterError
from axon.core.retry import RetryPolicy, retry

Send = Callable[[Sequence[Command]], Awaitable[list[Any]]]
"""Sends commands in order as one pipeline; a reply may be an error."""

_MOST_ENTRIES = 1_000
"""Entries per pipeline, unless one operation alone has more; bounds the wait of those behind."""


class Lane:
    """Operations in the order in which they came, one pipeline at a time; what comes meanwhile forms the next.

    Belongs to one event loop. Cancelling a caller leaves the others, and the operation itself, alone.

    Parameters
    ----------
    send : see ``Send``.
    policy : how patiently repeatable operations are tried again.
    server : for messages.
    """

    def __init__(self, send: Send, policy: RetryPolicy, server: str) -> None:
        self._send = send
        self._policy = policy
        self._server = server
        self._waiting: deque[Operation] = deque()
        self._task: asyncio.Task[None] | None = None

    def submit(self, operation: Operation) -> asyncio.Future[Any]:
        """Queue an operation; the future is set to its answer, or to an ``AdapterError``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        operation.done = future
        self._waiting.append(operation)
        if self._task is None:
            self._task = loop.create_task(self._drain())
        return future

    async def _drain(self) -> None:
        batch: list[Operation] = []
        try:
            while self._waiting:
                batch = self._next_batch()
                await self._carry_out(batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to those who wait
            for operation in batch:
                if not operation.done.done():
                    operation.done.set_exception(error)
        finally:
            self._task = None
            self._end((*batch, *self._waiting))

    def _end(self, left: Sequence[Operation]) -> None:
        self._waiting.clear()
        for operation in left:
            operation.done.cancel()

    def _next_batch(self) -> list[Operation]:
        batch: list[Operation] = []
        weight = 0
        while self._waiting and (not batch or weight + self._waiting[0].weight <= _MOST_ENTRIES):
            operation = self._waiting.popleft()
            if not operation.done.cancelled():
                batch.append(operation)
                weight += operation.weight
        return batch

    async def _carry_out(self, batch: list[Operation]) -> None:
        left = batch
        for operation in batch:
            await operation.prepare()

        async def attempt() -> None:
            nonlocal left
            left = [operation for operation in left if not operation.done.done()]
            if left:
                await self._attempt(left)

        try:
            await retry(attempt, on=(Interrupted,), policy=self._policy)
        except Interrupted as interrupted:
            self._fail(left, mapped(interrupted.cause, self._server), interrupted.cause)
        except VENDOR_ERRORS as error:
            self._fail(left, mapped(error, self._server), error)
        except AdapterError as error:
            self._fail(left, error, None)

    async def _attempt(self, batch: list[Operation]) -> None:
        runs = plan(batch)
        try:
            replies = await self._send([command for run in runs for command in run.commands])
        except VENDOR_ERRORS as error:
            if not is_transient(error):
                raise
            self._fail_unrepeatable(batch, error)
            raise Interrupted(error) from error
        passing = next((reply for reply in replies if is_transient(reply)), None)
        if passing is not None:
            # All are done again, since a later write of an entry may have come through where an earlier did not.
            self._fail_unrepeatable(batch, passing)
            raise Interrupted(passing)
        self._deliver(runs, replies)

    def _deliver(self, runs: list[Run], replies: list[Any]) -> None:
        start = 0
        for run in runs:
            part = replies[start : start + len(run.commands)]
            start += len(run.commands)
            kind = type(run.operations[0])
            failed = (reply for reply in part if isinstance(reply, Exception) and not kind.tolerates(reply))
            error = next(failed, None)
            if error is not None:
                self._fail(run.operations, mapped(error, self._server), error)
                continue
            answers = kind.answers(run.operations, part)
            for operation, answer in zip(run.operations, answers, strict=True):
                if not operation.done.done():
                    operation.done.set_result(answer)

    def _fail_unrepeatable(self, batch: Sequence[Operation], cause: BaseException) -> None:
        stuck = [operation for operation in batch if not operation.repeatable]
        self._fail(stuck, mapped(cause, self._server), cause)

    @staticmethod
    def _fail(operations: Sequence[Operation], error: AdapterError, cause: BaseException | None) -> None:
        for operation in operations:
            if not operation.done.done():
                own = own_copy(error)
                own.__cause__ = cause
                operation.done.set_exception(own)
