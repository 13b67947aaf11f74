"""How calls of a blocking client are made and queued, without any client."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from axon.adapters._shared.circuit import Circuit
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.patience import Patience
from axon.adapters._shared.translation import Translated, by_status, own_copy
from axon.core.errors import AdapterError, AdapterTimeout, AdapterUnavailable, CorruptEntryError, RateLimited


class VendorError(Exception):
    pass


class Passing(VendorError):
    pass


def translate(error: Exception) -> Translated:
    if isinstance(error, Passing):
        return Translated(AdapterUnavailable(f"ours: {error}"), True)
    return Translated(AdapterError(f"ours: {error}"), False)


class Calls:
    """A call that fails as scripted."""

    def __init__(self, *outcomes: Exception | str) -> None:
        self.outcomes = list(outcomes)
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def test_errors_that_pass_are_tried_again_and_the_last_is_raised_as_ours() -> None:
    patience = Patience(3, 60.0, translate, None)
    assert patience.call(Calls(Passing(), Passing(), "answer")) == "answer"
    last = Passing("last")
    calls = Calls(Passing(), Passing(), last)
    with pytest.raises(AdapterUnavailable, match="ours: last") as raised:
        patience.call(calls)
    assert raised.value.__cause__ is last
    assert calls.count == 3


@pytest.mark.parametrize("error", [VendorError("bad"), KeyError("bad"), AdapterTimeout("ours: 'bad'")])
def test_errors_that_stay_are_raised_as_ours_at_once(error: Exception) -> None:
    calls = Calls(error, "answer")
    with pytest.raises(AdapterError, match=r"ours: '?bad"):
        Patience(3, 60.0, translate, None).call(calls)
    assert calls.count == 1


def test_calls_of_one_operation_share_a_deadline() -> None:
    patience = Patience(1000, 0.2, translate, None)
    calls = Calls(*[Passing() for _ in range(2000)])
    with patience.operation():
        for _ in range(2):
            with pytest.raises(AdapterUnavailable):
                patience.call(calls)
    in_one_operation, calls.count = calls.count, 0
    for _ in range(2):
        with patience.operation(), pytest.raises(AdapterUnavailable):
            patience.call(calls)
    assert calls.count > in_one_operation, "a second call begins with what the first left of the time"


def test_an_open_circuit_lets_no_call_through_and_is_not_waited_for() -> None:
    circuit = Circuit(failures=3, pause=60.0)
    patience = Patience(3, 60.0, translate, circuit)
    with pytest.raises(AdapterUnavailable, match="ours"):
        patience.call(Calls(Passing(), Passing(), Passing()))
    calls = Calls("answer")
    with pytest.raises(AdapterUnavailable, match="not asked for another"):
        patience.call(calls)
    assert calls.count == 0
    assert circuit.details() == {"circuit": "open", "circuit_opened_by": "ours: "}


def test_any_answer_closes_the_circuit_and_a_rate_limit_leaves_it_alone() -> None:
    circuit = Circuit(failures=3)

    def limited(error: Exception) -> Translated:
        return by_status(429, "", "here", None) if str(error) == "429" else translate(error)

    patience = Patience(1, 60.0, limited, circuit)
    for outcome in (Passing(), Passing(), VendorError("an answer"), Passing(), Passing()):
        with pytest.raises(AdapterError):
            patience.call(Calls(outcome))
    for _ in range(5):
        with pytest.raises(RateLimited):
            patience.call(Calls(Passing("429")))
    assert not circuit.is_open


def test_copies_of_an_error_keep_what_it_carries() -> None:
    cause = VendorError()
    for error, name, value in (
        (RateLimited("slow", 3.0), "retry_after", 3.0),
        (CorruptEntryError("torn", "id"), "entry_id", "id"),
    ):
        error.__cause__ = cause
        own = own_copy(error)
        assert own is not error
        assert (type(own), own.args, getattr(own, name)) == (type(error), error.args, value)
        assert own.__cause__ is cause


class Outage:
    """A room whose writes block until they are let go, and then fail."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()
        self.calls = 0


def put(room: Outage, payloads: Sequence[int]) -> Sequence[None]:
    room.calls += 1
    room.begun.set()
    room.let_go.wait(60)
    raise AdapterTimeout("no answer")


def delete(room: Outage, payloads: Sequence[int]) -> Sequence[None]:
    return put(room, payloads)


@pytest.mark.parametrize(("deadline", "calls"), [(1e-9, 2), (3600.0, 5)])
async def test_a_queue_fails_with_those_before_it_once_its_time_is_over(deadline: float, calls: int) -> None:
    room = Outage()
    lanes: Lanes[Outage] = Lanes("test", 0, 100, Patience(1, deadline, translate, None))
    first = asyncio.ensure_future(lanes.write(room, put, 0))
    await asyncio.to_thread(room.begun.wait, 60)
    queue = [asyncio.ensure_future(lanes.write(room, method, 0)) for method in (put, delete, put, delete)]
    await asyncio.sleep(0)
    room.let_go.set()
    answers = await asyncio.gather(first, *queue, return_exceptions=True)
    assert [type(answer) for answer in answers] == [AdapterTimeout] * 5
    assert len({id(answer) for answer in answers}) == 5, "each caller has an error of its own"
    assert room.calls == calls
    await asyncio.to_thread(lanes.close)


async def test_after_closing_lanes_refuse_work() -> None:
    lanes: Lanes[Outage] = Lanes("test", 1, 100, Patience(1, 1.0, translate, None))
    lanes.close()
    with pytest.raises(AdapterUnavailable, match="open it again"):
        await lanes.write(Outage(), put, 0)
    with pytest.raises(AdapterUnavailable, match="open it again"):
        await lanes.run(lambda: None)
