"""How the calls of a client that blocks are made: for how long, how often, and when not at all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.translation import Interrupted, Translated
from axon.core.errors import AdapterTimeout, AdapterUnavailable, AxonError
from axon.core.retry import RetryPolicy, retry_blocking

T = TypeVar("T")

_DOWN = (AdapterUnavailable, AdapterTimeout)
"""What counts against the circuit. A server that asks to slow down is there, and says itself when to come back."""


class Patience:
    """Makes calls, again after errors that may pass, and lets none of a vendor's errors out.

    Parameters
    ----------
    attempts : of one call, >= 1, the first one included.
    deadline : seconds, > 0; no attempt begins later than this after the operation did that the call is a part of.
    translate : finds out what an error of the vendor's means.
    circuit : of a server, shared by all who call it; None for an engine in this process.
    """

    def __init__(
        self,
        attempts: int,
        deadline: float,
        translate: Callable[[Exception], Translated],
        circuit: Circuit | None,
    ) -> None:
        self._policy = RetryPolicy(attempts=attempts, first_delay=0.05, max_delay=1.0, deadline=deadline)
        self._translate = translate
        self._circuit = circuit
        self._operation = threading.local()

    @property
    def deadline(self) -> float:
        """Seconds in which an operation should succeed or fail."""
        return self._policy.deadline

    @contextmanager
    def operation(self) -> Iterator[None]:
        """Let the calls of this thread share one deadline until the block ends."""
        self._operation.since = time.monotonic()
        try:
            yield
        finally:
            self._operation.since = None

    def call(self, work: Callable[[], T]) -> T:
        """Call the vendor's client; ``work`` must be safe to repeat.

        Raises
        ------
        AxonError
            Once the attempts or the time are used up, or at once for an error that stays.
        AdapterUnavailable
            At once while the circuit is open.
        """
        since: float | None = getattr(self._operation, "since", None)
        try:
            return retry_blocking(
                lambda: self._attempt(work), on=(Interrupted,), policy=self._policy, since=since
            )
        except Interrupted as interrupted:
            raise interrupted.cause from interrupted.cause.__cause__

    def _attempt(self, work: Callable[[], T]) -> T:
        if self._circuit is not None:
            self._circuit.check()
        try:
            answer = work()
        except AxonError:
            raise
        except (
            Exception
        ) as error:  # Clients raise ValueErrors, bare Exceptions and those of the libraries below.
            meaning = self._translate(error)
            meaning.error.__cause__ = error
            self._note(meaning)
            if meaning.passes:
                raise Interrupted(meaning.error) from error
            raise meaning.error from error
        if self._circuit is not None:
            self._circuit.succeeded()
        return answer

    def _note(self, meaning: Translated) -> None:
        if self._circuit is None:
            return
        if meaning.passes and isinstance(meaning.error, _DOWN):
            self._circuit.failed(str(meaning.error))
        elif not meaning.passes:
            self._circuit.succeeded()
