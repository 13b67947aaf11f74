"""The conformance suite of embedders: one class to inherit, one fixture to give."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

import asyncio

import numpy as np
import pytest
from numpy.typing import NDArray

from axon.core.errors import EmptyTextError
from axon.core.ports import Embedder, EmbeddingKind
from axon.testing.guard import GuardedSuite

TOLERANCE = 1e-5
"""How far numbers of the same text may differ between a batch and a single call."""

TEXTS = (
    "The red fox jumps over the lazy dog.",
    "Grüße aus Köln, naïve café, straße",
    "记忆系统",
    "line one\nline two\ttabbed \0 end",
    "🦊🐻 emoji only 🦊",
    "x",
    "The red fox jumps over the lazy cat.",
    "?!… ---",
    "a very long text " * 500,
    "42",
)

KINDS: tuple[EmbeddingKind, ...] = ("document", "query")


def close(left: NDArray[np.float32], right: NDArray[np.float32]) -> bool:
    """Tell whether two arrays are equal within :data:`TOLERANCE`."""
    return left.shape == right.shape and bool(np.allclose(left, right, rtol=0, atol=TOLERANCE))


class EmbedderSuite(GuardedSuite):
    """Every promise of ``Embedder``, as tests.

    A subclass gives the fixture ``embedder``; it may not replace a test, only declare ``deviations``.
    """

    @pytest.fixture
    def embedder(self) -> Embedder:
        """Give the embedder under test; the one thing that a subclass has to do."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture embedder")

    @pytest.mark.parametrize("kind", KINDS)
    async def test_an_answer_is_one_finite_row_per_text(
        self, embedder: Embedder, kind: EmbeddingKind
    ) -> None:
        rows = await embedder.embed_array(list(TEXTS), kind=kind)
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        assert rows.shape == (len(TEXTS), embedder.spec.dims)
        assert np.isfinite(rows).all()
        assert (np.abs(rows).sum(axis=1) > 0).all(), "a row of zeros is near nothing"

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_batch_equals_single_calls(self, embedder: Embedder, kind: EmbeddingKind) -> None:
        rows = await embedder.embed_array(list(TEXTS), kind=kind)
        for text, row in zip(TEXTS, rows, strict=True):
            assert close((await embedder.embed_array([text], kind=kind))[0], row), (
                f"{text[:30]!r} differs alone"
            )

    async def test_rows_follow_the_order_of_the_texts(self, embedder: Embedder) -> None:
        rows = await embedder.embed_array(list(TEXTS))
        order = [3, 0, 7, 3, 9, 1, 3]
        shuffled = await embedder.embed_array([TEXTS[place] for place in order])
        assert close(shuffled, rows[order])

    async def test_the_same_text_has_the_same_vector(self, embedder: Embedder) -> None:
        first = await embedder.embed_array(list(TEXTS))
        assert close(await embedder.embed_array(list(TEXTS)), first)

    async def test_different_texts_have_different_vectors(self, embedder: Embedder) -> None:
        rows = await embedder.embed_array(list(TEXTS))
        for place, row in enumerate(rows):
            assert not any(close(row, other) for other in rows[place + 1 :]), (
                f"{TEXTS[place][:30]!r} is like another"
            )

    async def test_a_text_is_nearest_to_its_like(self, embedder: Embedder) -> None:
        rows = (await embedder.embed_array(list(TEXTS))).astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        near = rows @ rows[0]
        assert near.argmax() == 0
        near[0] = -np.inf
        assert near.argmax() == 6

    async def test_vectors_are_as_long_as_the_spec_says(self, embedder: Embedder) -> None:
        lengths = np.linalg.norm(await embedder.embed_array(list(TEXTS)), axis=1)
        if embedder.spec.normalized:
            assert np.allclose(lengths, 1.0, atol=1e-3)
        else:
            assert (lengths > 0).all()

    async def test_more_texts_than_a_call_takes_are_split(self, embedder: Embedder) -> None:
        count = min(embedder.spec.max_batch * 2 + 3, 700)
        texts = [f"text number {n}" for n in range(count)]
        rows = await embedder.embed_array(texts)
        assert rows.shape == (count, embedder.spec.dims)
        for place in (0, count // 2, count - 1):
            assert close((await embedder.embed_array([texts[place]]))[0], rows[place])

    @pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u00a0\u2003"], ids=ascii)
    async def test_blank_text_is_refused_with_its_index(self, embedder: Embedder, blank: str) -> None:
        for place in (0, 1, 2):
            texts = ["one", "two"]
            texts.insert(place, blank)
            with pytest.raises(EmptyTextError) as refused:
                await embedder.embed_array(texts)
            assert refused.value.index == place

    async def test_the_spec_identifies_the_model(self, embedder: Embedder) -> None:
        await embedder.embed_array(["something"])
        spec = embedder.spec
        assert spec.provider
        assert spec.model
        assert spec.max_batch >= 1
        assert spec.dims is not None
        assert str(spec.dims) in spec.fingerprint
        assert embedder.spec == spec

    async def test_the_caller_owns_the_answer(self, embedder: Embedder) -> None:
        first = await embedder.embed_array([TEXTS[0], TEXTS[0]])
        kept = first.copy()
        assert first.flags.writeable
        first[0] = 0.0
        assert close(first[1], kept[1]), "two rows share their numbers"
        assert close(await embedder.embed_array([TEXTS[0]]), kept[:1])

    async def test_the_texts_are_left_as_they_were(self, embedder: Embedder) -> None:
        texts = ["b ", "a", "b "]
        await embedder.embed_array(texts)
        assert texts == ["b ", "a", "b "]

    async def test_concurrent_calls_get_their_own_answers(self, embedder: Embedder) -> None:
        rows = await embedder.embed_array(list(TEXTS))
        places = [n % len(TEXTS) for n in range(60)]
        calls = (embedder.embed_array([TEXTS[place], f"only of call {n}"]) for n, place in enumerate(places))
        for place, answer in zip(places, await asyncio.gather(*calls), strict=True):
            assert answer.shape == (2, embedder.spec.dims)
            assert close(answer[0], rows[place])

    async def test_a_refused_call_leaves_the_others_alone(self, embedder: Embedder) -> None:
        calls = [embedder.embed_array([text]) for text in ("one", " ", "two")]
        one, refused, two = await asyncio.gather(*calls, return_exceptions=True)
        assert isinstance(refused, EmptyTextError)
        assert isinstance(one, np.ndarray)
        assert isinstance(two, np.ndarray)
        assert close(one, await embedder.embed_array(["one"]))
        assert close(two, await embedder.embed_array(["two"]))

    @pytest.mark.parametrize("patience", [0, 1, 2, 5])
    async def test_cancelling_one_caller_leaves_the_others_alone(
        self, embedder: Embedder, patience: int
    ) -> None:
        texts = [f"patience {patience}", "shared", "third"]
        tasks = [asyncio.ensure_future(embedder.embed_array([text, "shared"])) for text in texts]
        for _ in range(patience):
            await asyncio.sleep(0)
        tasks[0].cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        for text, answer in list(zip(texts, answers, strict=True))[1:]:
            assert isinstance(answer, np.ndarray)
            assert close(answer, await embedder.embed_array([text, "shared"]))
        assert (await embedder.embed_array([texts[0]])).shape == (1, embedder.spec.dims)

    async def test_one_object_serves_several_loops(self, embedder: Embedder) -> None:
        rows = await embedder.embed_array(list(TEXTS))

        def elsewhere(place: int) -> NDArray[np.float32]:
            with asyncio.Runner() as runner:
                return runner.run(embedder.embed_array([TEXTS[place]]))

        answers = await asyncio.gather(*(asyncio.to_thread(elsewhere, place) for place in (0, 1, 2, 0)))
        assert close(np.concatenate(answers), rows[[0, 1, 2, 0]])
        assert close(await embedder.embed_array(list(TEXTS)), rows)
