"""The real all-MiniLM-L6-v2. Meaning is asserted by wide margins between related and unrelated texts."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from axon.core.errors import EmbeddingError
from axon.core.ports import Embedder
from axon.embedders import EmbeddingCache, SentenceTransformerEmbedder
from tests.loop_turns import counted_turns

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def shared(minilm_path: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(model_name=str(minilm_path))


@pytest.fixture
async def embedder(minilm_path: Path) -> AsyncIterator[SentenceTransformerEmbedder]:
    async with SentenceTransformerEmbedder(str(minilm_path)) as made:
        yield made


async def test_meaning_counts_and_spelling_does_not(shared: SentenceTransformerEmbedder) -> None:
    pairs = [
        (
            "How do I reset my password?",
            "Steps to regain access to a locked account",
            "Bananas are rich in potassium",
        ),
        ("The cat slept on the sofa", "A kitten is napping on the couch", "The stock market fell sharply"),
        ("Paris is the capital of France", "France's government sits in Paris", "He tuned his old guitar"),
    ]
    for query, related, unrelated in pairs:
        asked = (await shared.embed_array([query], kind="query"))[0]
        near, far = await shared.embed_array([related, unrelated])
        assert asked @ near > asked @ far + 0.2


async def test_the_vectors_and_the_spec(shared: SentenceTransformerEmbedder, minilm_path: Path) -> None:
    rows = await shared.embed_array(["one text", "another text"])
    assert rows.shape == (2, 384) and rows.dtype == np.float32 and rows.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-5)
    assert isinstance(shared, Embedder)
    assert shared.spec.dims == 384
    assert shared.spec.model == minilm_path.name
    assert len(shared.spec.revision) == 16
    assert isinstance(await shared.embed("one text"), list)


async def test_a_text_alone_and_in_a_batch_give_the_same_vector(
    embedder: SentenceTransformerEmbedder,
) -> None:
    texts = ["short", "a much longer sentence that needs more tokens than its neighbour " * 3]
    together = await embedder.embed_array(texts)
    again = SentenceTransformerEmbedder(embedder._name, lru_entries=0)
    for row, text in zip(together, texts, strict=True):
        assert row @ (await again.embed_array([text]))[0] > 0.9999
    await again.aclose()


async def test_the_model_loads_when_first_needed_and_the_loop_goes_on(
    embedder: SentenceTransformerEmbedder,
) -> None:
    assert embedder.spec.dims is None
    async with counted_turns() as turns:
        await asyncio.gather(*(embedder.embed(f"sentence number {i}") for i in range(40)))
    # A model inside the coroutine would let it turn once.
    assert turns.count > 10
    assert embedder.spec.dims == 384


async def test_a_copy_of_the_folder_is_the_same_model_and_another_is_not(
    embedder: SentenceTransformerEmbedder, minilm_path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / minilm_path.name
    shutil.copytree(minilm_path, copy)
    (copy / "README.md").write_text("other words")
    async with SentenceTransformerEmbedder(str(copy)) as moved:
        assert (await moved.prepare()).fingerprint == (await embedder.prepare()).fingerprint
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x00\x00")
    async with SentenceTransformerEmbedder(str(copy)) as changed:
        assert (await changed.prepare()).fingerprint != embedder.spec.fingerprint


async def test_prompts_of_the_model_are_used(minilm_path: Path, tmp_path: Path) -> None:
    shutil.copytree(minilm_path, tmp_path / "prompted")
    config = tmp_path / "prompted" / "config_sentence_transformers.json"
    config.write_text('{"prompts": {"query": "a question about cooking: ", "document": ""}}')
    async with SentenceTransformerEmbedder(str(tmp_path / "prompted")) as embedder:
        document = await embedder.embed_array(["how long?"])
        query = await embedder.embed_array(["how long?"], kind="query")
        spelt_out = await embedder.embed_array(["a question about cooking: how long?"])
    assert document[0] @ query[0] < 0.95
    assert spelt_out[0] @ query[0] > 0.9999


async def test_the_disk_cache_spares_the_model(minilm_path: Path, tmp_path: Path) -> None:
    async with EmbeddingCache(tmp_path) as cache:
        async with SentenceTransformerEmbedder(str(minilm_path), cache=cache) as first:
            expected = await first.embed("a text worth keeping")
        async with SentenceTransformerEmbedder(str(minilm_path), cache=cache) as second:
            assert await second.embed("a text worth keeping") == expected
            assert await cache.get_embedding("a text worth keeping", second) == expected


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2-that-is-not-cached", "./no/such/folder"])
async def test_a_model_that_cannot_be_fetched_names_the_hub_and_the_local_form(name: str) -> None:
    async with SentenceTransformerEmbedder(model_name=name) as embedder:
        with pytest.raises(EmbeddingError, match=r"huggingface\.co.*path of a folder") as caught:
            await embedder.embed("text")
    assert name in str(caught.value) and caught.value.__cause__ is not None


async def test_a_folder_without_a_model_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    async with SentenceTransformerEmbedder(str(tmp_path)) as embedder:
        with pytest.raises(EmbeddingError, match="cannot load the model"):
            await embedder.embed("text")
