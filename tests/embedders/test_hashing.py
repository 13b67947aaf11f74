from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from axon.core.errors import ConfigError
from axon.embedders import HashingEmbedder

# The vectors are stored next to this revision: another digest needs another revision.
GOLDEN = ("1", "9e8f6057f2593ed8")
SENTENCES = [
    "The cat sat on the mat.",
    "Überraschung! naïve café",
    "日本語のテキスト",
    "!?",
    "a a a b",
    "x" * 500,
]


async def test_unit_rows_of_the_size_asked() -> None:
    for dims in (8, 384, 1000):
        rows = await HashingEmbedder(dims).embed_array(SENTENCES)
        assert rows.shape == (len(SENTENCES), dims)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)


async def test_the_vectors_belong_to_the_revision() -> None:
    embedder = HashingEmbedder()
    rows = await embedder.embed_array(SENTENCES)
    digest = hashlib.sha256((rows * 1e4).round().astype("<i4").tobytes()).hexdigest()[:16]
    assert (embedder.spec.revision, digest) == GOLDEN


def test_every_process_makes_the_same_vectors() -> None:
    code = (
        "import sys; from axon.embedders import HashingEmbedder;"
        "sys.stdout.buffer.write(HashingEmbedder()._rows(['same words everywhere']).tobytes())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {HashingEmbedder()._rows(["same words everywhere"]).tobytes()}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(min_size=1).filter(lambda t: not t.isspace() and t.isprintable()), min_size=1, max_size=5
    )
)
def test_any_text_has_a_finite_direction_independent_of_its_neighbours(texts: list[str]) -> None:
    embedder = HashingEmbedder(16)
    rows = embedder._rows(texts)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)
    np.testing.assert_array_equal(rows[-1:], HashingEmbedder(16)._rows(texts[-1:]))


async def test_shared_words_inflections_and_typing_errors_bring_texts_together() -> None:
    embedder = HashingEmbedder()
    query, same, inflected, misspelt, other = await embedder.embed_array(
        [
            "train station",
            "the station of the train",
            "trains and stations",
            "trian staton",
            "apple pie recipe",
        ]
    )
    assert query @ same > 0.9
    assert query @ inflected > 0.5
    assert query @ misspelt > query @ other + 0.1
    assert abs(query @ other) < 0.3


async def test_a_word_repeated_weighs_less_than_its_count() -> None:
    once, often, cat = await HashingEmbedder().embed_array(["dog cat", "dog " * 50 + "cat", "cat"])
    assert 0.1 < often @ cat < once @ cat


async def test_a_long_text_gives_the_same_vector_as_a_short_one_with_its_words() -> None:
    embedder = HashingEmbedder()
    long = "harbour light " * 5000
    rows = await embedder.embed_array([long, "harbour light"])
    assert rows[0] @ rows[1] > 0.9999


async def test_the_table_of_known_words_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.embedders.hashing._MAX_KNOWN_WORDS", 10)
    embedder = HashingEmbedder()
    rows = await embedder.embed_array([f"word{i}" for i in range(100)])
    assert len(embedder._words) <= 10
    np.testing.assert_array_equal(await embedder.embed_array(["word3"]), rows[3:4])


def test_too_few_dimensions_are_refused() -> None:
    with pytest.raises(ConfigError, match="dims must be >= 8"):
        HashingEmbedder(4)


def test_the_spec() -> None:
    spec = HashingEmbedder().spec
    assert (spec.provider, spec.model, spec.dims) == ("axon", "hashing", 384)
    assert spec.normalized and spec.lexical
