from __future__ import annotations

import asyncio
import hashlib
import json
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

import axon.embedders
from axon.core.errors import EmptyTextError, SyncCallError
from axon.core.portal import run_blocking


async def test_plain_lists_of_floats(counting: Any) -> None:
    embedder = counting()
    assert await embedder.embed("abc") == [3.0, 97.0, 1.0]
    assert await embedder.embed_query("abc") == [3.0, 97.0, 1.0]
    assert await embedder.embed_batch(["abc", "b"]) == [[3.0, 97.0, 1.0], [1.0, 98.0, 1.0]]
    assert embedder.kinds == ["document", "query", "document"]
    assert embedder.calls[2] == ["b"]


def test_blocking_forms_give_the_same(counting: Any) -> None:
    embedder = counting()
    assert embedder.embed_sync("abc") == [3.0, 97.0, 1.0]
    assert embedder.embed_query_sync("abc") == [3.0, 97.0, 1.0]
    assert embedder.embed_batch_sync(text for text in ("abc", "b")) == [[3.0, 97.0, 1.0], [1.0, 98.0, 1.0]]
    embedder.close()


async def test_a_blocking_form_on_axons_own_loop_names_the_await_form(counting: Any) -> None:
    async def inside() -> None:
        counting().embed_sync("abc")

    with pytest.raises(SyncCallError, match=r"await.*embed_array"):
        await asyncio.to_thread(run_blocking, inside())


async def test_an_embedding_may_be_awaited_again_and_by_several_at_once(counting: Any) -> None:
    embedder = counting(lru_entries=0)
    pending = embedder.embed("abc")
    first, second = await asyncio.gather(_awaiting(pending), _awaiting(pending))
    third = await pending
    assert first == second == third
    first.append(0.0)
    assert await pending == third
    assert embedder.calls == [["abc"]]


async def _awaiting(pending: Any) -> Any:
    return await pending


def test_an_embedding_may_be_awaited_on_several_loops(counting: Any) -> None:
    embedder = counting(lru_entries=0)
    pending = embedder.embed("abc")
    for _ in range(2):
        with asyncio.Runner() as runner:
            assert runner.run(_awaiting(pending)) == [3.0, 97.0, 1.0]
    assert embedder.calls == [["abc"]]


async def test_an_error_shows_up_at_the_await_and_leaves_nothing_behind(counting: Any) -> None:
    pending = counting().embed(" ")
    with pytest.raises(EmptyTextError):
        await pending


async def test_the_lru_cache_recipe(counting: Any) -> None:
    embedder = counting(lru_entries=0)

    @lru_cache(maxsize=10000)
    def get_cached_embedding(text: str) -> Any:
        """Cache embeddings for frequently used text."""
        return embedder.embed(text)

    assert await get_cached_embedding("abc") == await get_cached_embedding("abc")
    assert get_cached_embedding.cache_info().hits == 1
    assert embedder.calls == [["abc"]]


async def test_the_json_file_recipe(counting: Any, tmp_path: Path) -> None:
    class EmbeddingCache:
        """Cache embeddings to disk."""

        def __init__(self, cache_dir: str = ".embedding_cache") -> None:
            self.cache_dir = Path(cache_dir)
            self.cache_dir.mkdir(exist_ok=True)

        def _get_key(self, text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        async def get_embedding(self, text: str, embedder: Any) -> Any:
            cache_file = self.cache_dir / f"{self._get_key(text)}.json"
            if cache_file.exists():
                return json.loads(cache_file.read_text())
            embedding = await embedder.embed(text)
            with open(cache_file, "w") as f:  # noqa: ASYNC230 - as the user's document writes it
                json.dump(embedding, f)
            return embedding

    embedder = counting()
    cache = EmbeddingCache(str(tmp_path / "cache"))
    assert await cache.get_embedding("abc", embedder) == await cache.get_embedding("abc", embedder)
    assert embedder.calls == [["abc"]]


async def test_large_batches_become_lists_piece_by_piece(counting: Any) -> None:
    embedder = counting()
    texts = [f"{i}" for i in range(700)]
    assert await embedder.embed_batch(texts) == embedder.rows(texts).tolist()


def test_every_exported_name_exists_and_nothing_heavy_is_loaded_for_it() -> None:
    assert {name: getattr(axon.embedders, name) for name in axon.embedders.__all__}.keys() == set(
        axon.embedders.__dir__()
    )
    with pytest.raises(AttributeError, match="no attribute 'Missing'"):
        axon.embedders.Missing  # noqa: B018 - the access is the test
    code = (
        "import sys, axon.embedders as e; light = 'axon.embedders.pipeline' not in sys.modules;"
        "[getattr(e, n) for n in e.__all__];"
        "print(light, {'openai', 'torch', 'sentence_transformers', 'transformers'} & set(sys.modules),"
        " callable(e.from_callable))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["True", "set()", "True"]


def test_repr_names_the_model(counting: Any) -> None:
    assert repr(counting()) == "CountingEmbedder(model='counting', dims=3)"
