from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from axon.core.errors import ConfigError, EmbeddingError, EmptyTextError, InvalidInputError
from axon.core.ports import Embedder, EmbedderSpec, EmbeddingKind
from axon.embedders import EmbeddingPipeline, HashingEmbedder, as_pipeline, from_callable
from tests.loop_turns import counted_turns


class Gate:
    """A model that answers when told, and says when it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.asked = asyncio.Event()
        self.open = asyncio.Event()
        self.cancelled = False

    async def __call__(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(texts)
        self.asked.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return [[float(len(text)), 1.0] for text in texts]


class Bare:
    """The smallest thing that satisfies the protocol."""

    __slots__ = ("__weakref__", "spec")
    __hash__ = None  # type: ignore[assignment]  # the protocol does not ask for it

    def __init__(self) -> None:
        self.spec = EmbedderSpec(provider="test", model="bare", dims=2)

    async def embed_array(self, texts: Sequence[str], *, kind: EmbeddingKind = "document") -> Any:
        return np.array([[len(text), kind == "query"] for text in texts], np.float32)


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_one_row_per_text_in_order_and_equal_texts_asked_once(counting: Any) -> None:
    embedder = counting()
    rows = await embedder.embed_array(["bb", "a", "bb", "ccc"])
    assert rows.dtype == np.float32 and rows.flags.c_contiguous and rows.flags.writeable
    np.testing.assert_array_equal(rows, embedder.rows(["bb", "a", "bb", "ccc"]))
    assert embedder.calls == [["bb", "a", "ccc"]]


@pytest.mark.parametrize("blank", ["", "   ", "\n\t", "\u00a0", "\u2003"])
async def test_blank_text_is_named_before_the_model_is_asked(counting: Any, blank: str) -> None:
    embedder = counting()
    with pytest.raises(EmptyTextError, match="text 2 is blank") as caught:
        await embedder.embed_array(["a", "b", blank, "c"])
    assert caught.value.index == 2
    assert embedder.calls == []


async def test_a_blank_text_beyond_the_first_window_keeps_its_position(counting: Any) -> None:
    embedder = counting()
    with pytest.raises(EmptyTextError) as caught:
        await embedder.embed_array([*(f"t{i}" for i in range(3000)), " "])
    assert caught.value.index == 3000
    assert embedder.calls == []


@pytest.mark.parametrize("wrong", [3, None, b"bytes", "\ud800"])
async def test_what_is_no_text_is_refused_with_its_position(counting: Any, wrong: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        await counting().embed_array(["a", wrong])
    assert caught.value.index == 1


async def test_one_string_is_not_taken_for_a_list_of_letters(counting: Any) -> None:
    with pytest.raises(InvalidInputError, match="not one string"):
        await counting().embed_array("hello")
    with pytest.raises(InvalidInputError, match="not one string"):
        await counting().embed_batch("hello")


async def test_no_texts_give_no_rows(counting: Any) -> None:
    assert (await counting().embed_array([])).shape == (0, 3)
    assert await counting().embed_batch([]) == []


async def test_texts_may_come_from_a_generator(counting: Any) -> None:
    assert (await counting().embed_array(text for text in ("a", "b"))).shape == (2, 3)


async def test_batches_stay_below_the_models_limit(counting: Any) -> None:
    embedder = counting(max_batch=100)
    texts = [f"{i}" for i in range(250)]
    np.testing.assert_array_equal(await embedder.embed_array(texts), embedder.rows(texts))
    assert [len(call) for call in embedder.calls] == [100, 100, 50]


async def test_many_windows_are_put_together_in_order(counting: Any) -> None:
    embedder = counting(max_batch=5000)
    texts = [f"{i}" for i in range(4500)]
    np.testing.assert_array_equal(await embedder.embed_array(texts), embedder.rows(texts))


async def test_500_concurrent_singles_take_two_calls(counting: Any) -> None:
    embedder = counting()
    rows = await asyncio.gather(*(embedder.embed(f"text {i}") for i in range(500)))
    assert [len(call) for call in embedder.calls] == [256, 244]
    assert len(rows) == 500


async def test_500_concurrent_singles_of_one_text_are_embedded_once(counting: Any) -> None:
    embedder = counting()
    await asyncio.gather(*(embedder.embed("same") for _ in range(500)))
    assert embedder.calls == [["same"]]


async def test_queries_and_documents_are_kept_apart(counting: Any) -> None:
    embedder = counting()
    await asyncio.gather(embedder.embed("same"), embedder.embed_query("same"))
    assert sorted(embedder.kinds) == ["document", "query"]
    await asyncio.gather(embedder.embed("same"), embedder.embed_query("same"))
    assert len(embedder.calls) == 2


async def test_the_next_batch_fills_while_one_is_in_flight() -> None:
    gate = Gate()
    embedder = from_callable(gate, name="gate")
    first = asyncio.ensure_future(embedder.embed("first"))
    await gate.asked.wait()
    others = [asyncio.ensure_future(embedder.embed(text)) for text in ("second", "third", "first")]
    await turns()
    assert gate.calls == [["first"]]
    gate.open.set()
    await asyncio.gather(first, *others)
    assert gate.calls == [["first"], ["second", "third"]]


async def test_a_lone_call_reaches_the_model_within_a_few_turns_of_the_loop() -> None:
    gate = Gate()
    embedder = from_callable(gate, name="gate")
    lone = asyncio.ensure_future(embedder.embed("lone"))
    await turns(5)
    assert gate.calls == [["lone"]]
    gate.open.set()
    await lone


async def test_cancelling_one_waiter_leaves_the_others_alone() -> None:
    gate = Gate()
    embedder = from_callable(gate, name="gate")
    doomed, kept = (asyncio.ensure_future(embedder.embed("shared")) for _ in range(2))
    await gate.asked.wait()
    doomed.cancel()
    await turns()
    gate.open.set()
    assert await kept == [6.0, 1.0]
    assert doomed.cancelled() and not gate.cancelled
    assert gate.calls == [["shared"]]


async def test_a_call_nobody_waits_for_any_more_is_cancelled() -> None:
    gate = Gate()
    embedder = from_callable(gate, name="gate")
    flying = asyncio.ensure_future(embedder.embed("flying"))
    await gate.asked.wait()
    queued = asyncio.ensure_future(embedder.embed("queued"))
    await turns()
    queued.cancel()
    flying.cancel()
    await turns()
    assert gate.cancelled
    gate.open.set()
    assert await embedder.embed("flying") == [6.0, 1.0]
    assert gate.calls == [["flying"], ["flying"]]


async def test_every_waiter_gets_an_error_of_its_own() -> None:
    async def broken(texts: list[str]) -> list[list[float]]:
        raise ValueError("out of order")

    embedder = from_callable(broken, name="broken")
    errors = await asyncio.gather(*(embedder.embed("x") for _ in range(2)), return_exceptions=True)
    assert [type(error) for error in errors] == [EmbeddingError, EmbeddingError]
    assert errors[0] is not errors[1]
    assert "broken failed: ValueError: out of order" in str(errors[0])


async def test_a_failure_is_not_remembered() -> None:
    answers: list[Any] = [None, [[1.0]]]
    embedder = from_callable(lambda texts: answers.pop(0), name="flaky")
    pending = embedder.embed("x")
    with pytest.raises(EmbeddingError):
        await pending
    assert await pending == [1.0]
    await embedder.aclose()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([[1.0, 2.0]], r"given 2 texts and answered with shape \(1, 2\)"),
        ([1.0, 2.0], r"shape \(2,\)"),
        ([[], []], r"shape \(2, 0\)"),
        ([[1.0], [1.0, 2.0]], "one list of numbers per text"),
        ([["a", "b"], ["c", "d"]], "one list of numbers per text"),
        (None, "broken"),
        ([[1.0, 2.0], [1.0, float("nan")]], "NaN or infinity for text 1 of 2"),
        ([[1.0, float("inf")], [1.0, 2.0]], "NaN or infinity for text 0 of 2"),
        ([[1e300, 0.0], [1.0, 2.0]], "NaN or infinity for text 0 of 2"),
        ([[1.0], [2.0]], "should give 2 numbers per text and gave 1"),
    ],
)
async def test_a_nonsensical_answer_is_an_error(answer: Any, message: str) -> None:
    async def broken(texts: list[str]) -> Any:
        return answer

    with pytest.raises(EmbeddingError, match=message):
        await from_callable(broken, name="broken", dims=2).embed_array(["a", "b"])


async def test_dimensions_are_learned_once_and_then_binding() -> None:
    answers = [[[1.0, 2.0]], [[1.0]]]
    embedder = from_callable(lambda texts: answers.pop(0), name="changing")
    assert embedder.spec.dims is None
    await embedder.embed("a")
    assert embedder.spec.dims == 2
    assert embedder.spec.fingerprint == "callable/changing@#2"
    with pytest.raises(EmbeddingError, match="should give 2 numbers"):
        await embedder.embed("b")
    await embedder.aclose()


async def test_prepare_asks_a_model_of_unknown_dimensions_once() -> None:
    calls: list[list[str]] = []

    async def model(texts: list[str]) -> list[list[float]]:
        calls.append(texts)
        return [[1.0, 2.0] for _ in texts]

    embedder = from_callable(model, name="unknown")
    specs = await asyncio.gather(*(embedder.prepare() for _ in range(3)))
    assert {spec.dims for spec in specs} == {2} and len(calls) == 1
    await embedder.prepare()
    assert len(calls) == 1


async def test_a_text_seen_before_costs_no_call_until_it_is_pushed_out(counting: Any) -> None:
    embedder = counting(lru_entries=2)
    await embedder.embed_array(["a", "b"])
    await embedder.embed("a")
    await embedder.embed("c")
    await embedder.embed("a")
    assert embedder.calls == [["a", "b"], ["c"]]
    await embedder.embed("b")
    assert embedder.calls[2:] == [["b"]]


async def test_what_is_handed_out_cannot_change_what_is_kept(counting: Any) -> None:
    embedder = counting()
    first = await embedder.embed_array(["abc"])
    expected = first.copy()
    first[:] = 99
    np.testing.assert_array_equal(await embedder.embed_array(["abc"]), expected)


async def test_a_negative_cache_size_is_refused(counting: Any) -> None:
    with pytest.raises(ConfigError, match="lru_entries"):
        counting(lru_entries=-1)


async def test_a_bare_protocol_object_gets_the_whole_pipeline() -> None:
    bare = Bare()
    assert isinstance(bare, Embedder)
    pipeline = as_pipeline(bare)
    assert as_pipeline(bare) is pipeline
    rows = await pipeline.embed_array(["a", "bb"], kind="query")
    np.testing.assert_array_equal(rows, [[1, 1], [2, 1]])
    assert pipeline.fingerprint == bare.spec.fingerprint
    with pytest.raises(EmptyTextError):
        await pipeline.embed_array([""])


def test_the_pipeline_of_a_bare_object_goes_with_its_last_user() -> None:
    bare = Bare()
    gone = weakref.ref(bare)
    pipeline: EmbeddingPipeline | None = as_pipeline(bare)
    del bare
    gc.collect()
    assert gone() is not None and pipeline is not None
    del pipeline
    gc.collect()
    assert gone() is None


def test_an_embedder_of_ours_brings_its_own_pipeline(counting: Any) -> None:
    embedder = counting()
    assert as_pipeline(embedder) is embedder.pipeline
    assert as_pipeline(embedder.pipeline) is embedder.pipeline


def test_what_is_no_embedder_is_refused_with_a_way_out() -> None:
    with pytest.raises(ConfigError, match="from_callable"):
        as_pipeline(object())  # type: ignore[arg-type]  # that is the point


async def test_an_inline_model_lets_the_loop_turn_in_a_large_batch() -> None:
    embedder = HashingEmbedder(dims=32)
    texts = [f"{i} " + "word " * 100 for i in range(500)]
    async with counted_turns() as turns:
        together = await embedder.embed_array(texts)
    assert turns.count >= 10
    np.testing.assert_array_equal(
        together[::100], np.concatenate([await embedder.embed_array([t]) for t in texts[::100]])
    )


async def test_one_pipeline_serves_loops_in_several_threads(counting: Any) -> None:
    embedder = counting()

    def elsewhere() -> list[float]:
        with asyncio.Runner() as runner:
            result: list[float] = runner.run(embedder.embed_array(["elsewhere"]))[0].tolist()
            return result

    here, there, sync = await asyncio.gather(
        embedder.embed("here"), asyncio.to_thread(elsewhere), asyncio.to_thread(embedder.embed_sync, "sync")
    )
    assert (here[0], there[0], sync[0]) == (4.0, 9.0, 4.0)
