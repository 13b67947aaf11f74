"""The real SDK against a server in another process: the protocol and our logic, not OpenAI's quality."""

from __future__ import annotations

import asyncio
import pickle
import random
import socket
import traceback
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import numpy as np
import openai
import pytest

from axon.core.errors import (
    AdapterTimeout,
    AdapterUnavailable,
    AxonError,
    ConfigError,
    EmbeddingError,
    EmptyTextError,
    MissingDependencyError,
    RateLimited,
)
from axon.core.retry import retry
from axon.embedders import EmbeddingCache, OpenAIEmbedder
from axon.embedders.openai_wire import requests, token_bound

KEY = "sk-test-0123456789"


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between attempts, noted instead of waited for."""
    noted: list[float] = []

    async def note(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr("axon.embedders.openai.retry", partial(retry, sleep=note, chance=lambda: 0.5))
    return noted


@pytest.fixture
async def embedder(openai_server: Any, pauses: list[float]) -> AsyncIterator[OpenAIEmbedder]:
    async with OpenAIEmbedder("any-model", api_key=KEY, base_url=openai_server.base_url) as made:
        yield made


def expected(text: str, dims: int = 8) -> np.ndarray[Any, Any]:
    source = random.Random(text)
    return np.array([source.gauss(0, 1) for _ in range(dims)], np.float32)


async def test_the_request_and_the_answer(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    rows = await embedder.embed_array(["one", "two"])
    np.testing.assert_array_equal(rows, [expected("one"), expected("two")])
    (request,) = openai_server.requests
    assert request == {
        "path": "/v1/embeddings",
        "authorization": f"Bearer {KEY}",
        "body": {"model": "any-model", "input": ["one", "two"], "encoding_format": "base64"},
    }
    assert embedder.spec.dims == 8
    assert embedder.spec.provider == "openai"


async def test_dimensions_are_sent_and_checked(openai_server: Any) -> None:
    async with OpenAIEmbedder(api_key=KEY, base_url=openai_server.base_url, dimensions=5) as embedder:
        assert embedder.spec.dims == 5
        assert (await embedder.embed_array(["one"])).shape == (1, 5)
        assert openai_server.requests[0]["body"]["dimensions"] == 5


async def test_a_server_without_base64_is_understood(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    openai_server.script({"float": True})
    np.testing.assert_allclose(await embedder.embed_array(["one"]), [expected("one")], rtol=1e-6)


async def test_a_shuffled_answer_is_sorted_by_index(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    openai_server.script({"shuffle": True})
    np.testing.assert_array_equal(await embedder.embed_array(["a", "b", "c"]), [expected(t) for t in "abc"])


async def test_2049_inputs_take_two_requests_and_duplicates_one_place(
    embedder: OpenAIEmbedder, openai_server: Any
) -> None:
    texts = [f"t{i}" for i in range(2049)]
    rows = await embedder.embed_array([*texts, "t0"])
    assert sorted(len(sent) for sent in openai_server.inputs) == [512, 1537]
    np.testing.assert_array_equal(rows[[0, 2048, 2049]], [expected("t0"), expected("t2048"), expected("t0")])


async def test_requests_stay_below_the_token_limit(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    texts = [f"{i} " + "word " * 2000 for i in range(100)]
    await embedder.embed_array(texts)
    assert [text for sent in openai_server.inputs for text in sent] == texts
    assert max(sum(map(token_bound, sent)) for sent in openai_server.inputs) <= 300_000
    assert len(openai_server.inputs) == 2


def test_the_token_estimate_is_an_upper_bound_and_never_above_one_inputs_limit() -> None:
    assert token_bound("word") == 2
    assert token_bound("漢字") == 6
    assert token_bound("x" * 10**6) == 8192
    assert [len(part) for part in requests(["x" * 10**6] * 40)] == [36, 4]


async def test_concurrent_singles_become_one_request(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    await asyncio.gather(*(embedder.embed(f"{i % 50}") for i in range(500)))
    assert [len(sent) for sent in openai_server.inputs] == [50]


async def test_blank_text_is_never_sent(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    with pytest.raises(EmptyTextError) as caught:
        await embedder.embed_batch(["a", ""])
    assert caught.value.index == 1
    assert openai_server.requests == []


async def test_a_rate_limit_is_waited_out_as_long_as_the_server_says(
    embedder: OpenAIEmbedder, openai_server: Any, pauses: list[float]
) -> None:
    openai_server.script(
        {"status": 429, "headers": {"Retry-After": "7"}},
        {"status": 429, "headers": {"retry-after-ms": "1500"}},
    )
    np.testing.assert_array_equal(await embedder.embed_array(["one"]), [expected("one")])
    assert pauses == [7.125, 1.75]


async def test_a_rate_limit_without_a_hint_backs_off(
    embedder: OpenAIEmbedder, openai_server: Any, pauses: list[float]
) -> None:
    openai_server.script({"status": 429}, {"status": 429})
    await embedder.embed("one")
    assert pauses == [0.375, 0.75]


async def test_a_wait_beyond_the_deadline_is_given_up_at_once(
    embedder: OpenAIEmbedder, openai_server: Any, pauses: list[float]
) -> None:
    openai_server.script({"status": 429, "headers": {"Retry-After": "3600"}})
    with pytest.raises(RateLimited) as caught:
        await embedder.embed("one")
    assert caught.value.retry_after == 3600
    assert pauses == []


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 408}, {"status": 409}, {"cut": "head"}, {"cut": "body"}]
)
async def test_three_failures_are_survived_and_four_are_not(
    embedder: OpenAIEmbedder, openai_server: Any, pauses: list[float], fault: dict[str, Any]
) -> None:
    openai_server.script(*[fault] * 3)
    np.testing.assert_array_equal(await embedder.embed_array(["one"]), [expected("one")])
    assert len(openai_server.requests) == 4 and len(pauses) == 3
    openai_server.script(*[fault] * 4)
    with pytest.raises(AdapterTimeout if fault.get("status") == 408 else AdapterUnavailable):
        await embedder.embed("two")
    assert len(openai_server.requests) == 8


async def test_a_busy_server_with_a_hint_counts_as_a_rate_limit(
    embedder: OpenAIEmbedder, openai_server: Any
) -> None:
    openai_server.script(*[{"status": 503, "headers": {"Retry-After": "2"}}] * 4)
    with pytest.raises(RateLimited) as caught:
        await embedder.embed("one")
    assert caught.value.retry_after == 2
    assert isinstance(caught.value.__cause__, AxonError | openai.OpenAIError)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"status": 400, "message": "too long"}, "status 400: .*too long"),
        ({"status": 404, "message": "no such model"}, "status 404: .*no such model"),
        ({"status": 429, "code": "insufficient_quota", "message": "pay"}, "waiting will not help"),
        ({"drop": 1}, "given 2 texts and answered for 1"),
        ({"nan": True}, "NaN or infinity for text 0 of 2"),
        ({"body": '{"data": ['}, "cannot be read"),
        ({"body": "[]"}, "without data"),
        (
            {"body": '{"data": [{"index": 0, "embedding": "AAAA"}, {"index": 0, "embedding": "AAAA"}]}'},
            "wrong positions",
        ),
        (
            {"body": '{"data": [{"index": 0, "embedding": "?"}, {"index": 1, "embedding": "?"}]}'},
            "bad base64",
        ),
        (
            {"body": '{"data": [{"index": 0, "embedding": null}, {"index": 1, "embedding": null}]}'},
            "any-model",
        ),
    ],
)
async def test_what_waiting_does_not_cure_is_not_repeated(
    embedder: OpenAIEmbedder, openai_server: Any, fault: dict[str, Any], message: str
) -> None:
    openai_server.script(fault)
    with pytest.raises(EmbeddingError, match=message):
        await embedder.embed_array(["one", "two"])
    assert len(openai_server.requests) == 1


async def test_wrong_dimensions_are_an_error(embedder: OpenAIEmbedder, openai_server: Any) -> None:
    await embedder.embed("one")
    openai_server.script({"dims": 3})
    with pytest.raises(EmbeddingError, match="should give 8 numbers per text and gave 3"):
        await embedder.embed("two")


@pytest.mark.parametrize("fault", ["hang", "drip"])
async def test_a_server_that_does_not_finish_is_a_timeout(
    openai_server: Any, pauses: list[float], fault: str
) -> None:
    options: dict[str, Any] = {
        "api_key": KEY,
        "base_url": openai_server.base_url,
        "timeout": 0.2,
        "max_retries": 1,
    }
    async with OpenAIEmbedder(**options) as embedder:
        openai_server.script({fault: True}, {fault: True})
        with pytest.raises(AdapterTimeout, match=r"0\.2 s|in time"):
            await embedder.embed("one")
        assert len(openai_server.requests) == 2


async def test_a_hanging_request_does_not_hold_up_the_loop_and_can_be_cancelled(openai_server: Any) -> None:
    async with OpenAIEmbedder("any-model", api_key=KEY, base_url=openai_server.base_url) as embedder:
        openai_server.script({"hang": True})
        waiting = asyncio.ensure_future(embedder.embed("one"))
        while not await asyncio.to_thread(lambda: openai_server.requests):
            pass
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (await embedder.embed_array(["one"])).shape == (1, 8)


async def test_a_server_that_is_not_there(pauses: list[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with OpenAIEmbedder(api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1", max_retries=1) as embedder:
        with pytest.raises(AdapterUnavailable, match=r"127\.0\.0\.1 cannot be reached"):
            await embedder.embed("one")
    assert len(pauses) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
async def test_the_key_is_in_no_message_no_traceback_and_no_repr(openai_server: Any, status: int) -> None:
    async with OpenAIEmbedder(api_key=KEY, base_url=openai_server.base_url, max_retries=0) as embedder:
        openai_server.script({"status": status, "message": f"the key {KEY} is wrong"})
        with pytest.raises(AxonError) as caught:
            await embedder.embed("one")
        assert KEY not in str(caught.value)
        if status in (401, 403):
            assert KEY not in "".join(traceback.format_exception(caught.value))
            assert "OPENAI_API_KEY" in str(caught.value)
        assert KEY not in repr(embedder) and KEY not in str(vars(embedder))
        with pytest.raises(TypeError):
            pickle.dumps(embedder)


def test_without_a_key_construction_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (None, "", "  "):
        if value is None:
            monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        else:
            monkeypatch.setenv("OPENAI_API_KEY", value)
        with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
            OpenAIEmbedder()
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    assert OpenAIEmbedder().spec.dims == 1536
    assert OpenAIEmbedder("text-embedding-3-large").spec.dims == 3072
    assert OpenAIEmbedder("text-embedding-3-large", dimensions=256).spec.dims == 256
    assert OpenAIEmbedder("something-else").spec.dims is None


@pytest.mark.parametrize(
    "options",
    [
        {"model": ""},
        {"dimensions": 0},
        {"timeout": 0},
        {"max_retries": -1},
        {"deadline": 0},
        {"client": object()},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        OpenAIEmbedder(api_key=KEY, **options)


def test_without_the_package_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openai", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'axon-integrations\[openai\]'"):
        OpenAIEmbedder(api_key=KEY)


async def test_a_client_passed_in_is_used_and_stays_open(openai_server: Any) -> None:
    async with openai.AsyncOpenAI(api_key=KEY, base_url=openai_server.base_url, max_retries=5) as client:
        embedder = OpenAIEmbedder(client=client, max_retries=0)
        openai_server.script({"status": 500}, {"dims": 1536})
        with pytest.raises(AdapterUnavailable):
            await embedder.embed("one")
        await embedder.aclose()
        assert not client.is_closed()
        await embedder.embed("one")
        assert len(openai_server.requests) == 2
        with pytest.raises(ConfigError, match="another event loop"):
            await asyncio.to_thread(embedder.embed_sync, "two")


async def test_one_embedder_serves_two_loops_and_the_blocking_form(embedder: OpenAIEmbedder) -> None:
    here = await embedder.embed("here")

    def elsewhere() -> list[float]:
        with asyncio.Runner() as runner:

            async def main() -> list[float]:
                result = await embedder.embed("elsewhere")
                await embedder.aclose()
                return result

            return runner.run(main())

    there = await asyncio.to_thread(elsewhere)
    blocking = await asyncio.to_thread(embedder.embed_sync, "blocking")
    again = await embedder.embed("again")
    rows = [here, there, blocking, again]
    np.testing.assert_allclose(
        rows, [expected(t) for t in ("here", "elsewhere", "blocking", "again")], rtol=1e-6
    )


async def test_the_disk_cache_saves_requests(openai_server: Any, tmp_path: Any) -> None:
    async with EmbeddingCache(tmp_path) as cache:
        for _ in range(2):
            options: dict[str, Any] = {"api_key": KEY, "base_url": openai_server.base_url, "dimensions": 4}
            async with OpenAIEmbedder(cache=cache, **options) as embedder:
                await embedder.embed("one")
        async with OpenAIEmbedder("other", cache=cache, **options) as embedder:
            await embedder.embed("one")
    assert [request["body"]["model"] for request in openai_server.requests] == [
        "text-embedding-3-small",
        "other",
    ]
