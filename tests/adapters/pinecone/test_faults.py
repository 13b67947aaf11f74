"""Pinecone refuses, fails, hangs or talks nonsense: typed errors in time, and no harm afterwards."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import Any

import pytest
from pinecone.errors.exceptions import (
    ApiError,
    NotFoundError,
    PineconeConnectionError,
    PineconeTimeoutError,
    RateLimitError,
    ResponseParsingError,
    ServiceError,
)

from axon.adapters._pinecone.errors import OlderStateError, translated
from axon.adapters._shared.translation import NoCollectionError
from axon.adapters.pinecone import PineconeAdapter
from axon.core.adapter_options import PineconeOptions
from axon.core.config import MemoryConfig
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    ConfigError,
    CorruptEntryError,
    EmbeddingMismatchError,
    MissingDependencyError,
    RateLimited,
)
from axon.core.filter.ast import EVERYTHING
from axon.core.memory_system import MemorySystem
from axon.core.policies import PersistentPolicy
from tests.adapters.pinecone.helpers import NS, QUERY, calls, entry
from tests.servers.pinecone_server import INDEX_NAME, KEY, PineconeServer
from tests.servers.process import free_port

STORM = 200
SLACK = 1.0
"""Seconds beyond a deadline that a loaded machine may need."""


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 429},
        {"status": 429, "headers": {"retry-after": "0.01"}},
        *({"status": status} for status in (408, 500, 502, 503, 504)),
        {"cut": True},
        {"short": True},
    ],
    ids=str,
)
async def test_faults_that_pass_are_tried_again(
    server: PineconeServer, adapter: PineconeAdapter, fault: dict[str, Any]
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.script(fault)
    await adapter.put_many(NS, [entry("b", [0, 1])])
    server.script(fault, fault)
    assert [hit.entry.id for hit in (await adapter.search_many(NS, [QUERY]))[0]] == ["a"]
    server.script(fault)
    assert await adapter.count(NS, EVERYTHING) == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"status": 429}, RateLimited),
        ({"status": 503}, AdapterUnavailable),
        ({"status": 500}, AdapterUnavailable),
        ({"status": 504}, AdapterTimeout),
        ({"cut": True}, AdapterUnavailable),
        ({"short": True}, AdapterUnavailable),
        ({"status": 400}, AdapterError),
        ({"status": 401}, AdapterUnavailable),
        ({"status": 403}, AdapterUnavailable),
        ({"status": 413}, AdapterError),
    ],
    ids=str,
)
async def test_faults_that_stay_are_named_and_leave_no_mark(
    server: PineconeServer, adapter: PineconeAdapter, fault: dict[str, Any], kind: type[AdapterError]
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    kinds: tuple[type[AdapterError], ...] = (kind,)
    for call in (
        lambda: adapter.count(NS, EVERYTHING),
        lambda: adapter.put_many(NS, [entry("b", [0, 1])]),
        lambda: adapter.delete_many(NS, ["a"]),
    ):
        server.script(*[fault] * STORM)
        started = time.monotonic()
        with pytest.raises(kinds):
            await call()
        assert time.monotonic() - started < 2 + SLACK
        # The circuit may have opened.
        kinds = kind, AdapterUnavailable
    server.script()
    await until_back(adapter)
    assert {each.id for each in (await adapter.scan(NS, EVERYTHING)).entries} >= {"a"}


async def test_answers_that_are_no_json_are_named(server: PineconeServer, adapter: PineconeAdapter) -> None:
    for call in (lambda: adapter.count(NS, EVERYTHING), lambda: adapter.put_many(NS, [entry("b", [0, 1])])):
        server.script({"nonsense": True})
        with pytest.raises(AdapterError, match="parse"):
            await call()


async def until_back(adapter: PineconeAdapter) -> None:
    """Wait until an open circuit has closed again by itself."""
    async with asyncio.timeout(20):
        while True:
            try:
                await adapter.count(NS, EVERYTHING)
            except AdapterUnavailable:
                continue
            return


async def test_each_attempt_is_one_request(server: PineconeServer, adapter: PineconeAdapter) -> None:
    """The client would try again by itself, which would multiply the attempts."""
    start = len(server.requests())
    server.script(*[{"status": 503}] * STORM)
    with pytest.raises(AdapterUnavailable):
        await adapter.count(NS, EVERYTHING)
    assert len(calls(server, start)) == 3
    server.script(*[{"status": 401}] * STORM)
    start = len(server.requests())
    with pytest.raises(AdapterUnavailable, match="credentials"):
        await adapter.count(NS, EVERYTHING)
    assert len(calls(server, start)) == 1


async def test_a_long_retry_after_is_handed_on(server: PineconeServer, adapter: PineconeAdapter) -> None:
    server.script(*[{"status": 429, "headers": {"retry-after": "100"}}] * STORM)
    started = time.monotonic()
    with pytest.raises(RateLimited) as caught:
        await adapter.count(NS, EVERYTHING)
    assert caught.value.retry_after == 100
    assert time.monotonic() - started < 2 + SLACK


async def test_a_storm_of_429_loses_no_acknowledged_write(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    server.script(*[{"status": 429}, {}, {"status": 429, "headers": {"retry-after": "0.01"}}, {}] * 50)
    outcomes = await asyncio.gather(
        *(adapter.put_many(NS, [entry(f"{n}", [1, n])]) for n in range(60)), return_exceptions=True
    )
    server.script()
    kept = {f"{n}" for n, outcome in enumerate(outcomes) if outcome is None}
    assert all(outcome is None or isinstance(outcome, RateLimited) for outcome in outcomes)
    assert kept
    found = await adapter.get_many(NS, sorted(kept))
    assert None not in found


async def test_a_hang_ends_at_the_deadline_and_nothing_else_is_held_up(server: PineconeServer) -> None:
    adapter = PineconeAdapter(server.options(timeout=0.5, settle_seconds=1))
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.script({"hang": 2}, {"drip": 2})
    started = time.monotonic()
    outcomes = await asyncio.gather(
        adapter.count(NS, EVERYTHING), adapter.search_many(NS, [QUERY]), return_exceptions=True
    )
    assert [type(each) for each in outcomes] == [AdapterTimeout, AdapterTimeout]
    assert time.monotonic() - started < 0.5 + SLACK
    await until_back(adapter)
    await adapter.aclose()


async def test_a_paused_server_times_out_and_serves_again(server: PineconeServer) -> None:
    adapter = PineconeAdapter(server.options(timeout=0.5, settle_seconds=1))
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.pause()
    started = time.monotonic()
    with pytest.raises(AdapterTimeout):
        await adapter.put_many(NS, [entry("b", [1, 0])])
    assert time.monotonic() - started < 0.5 + SLACK
    server.resume()
    await until_back(adapter)
    await adapter.put_many(NS, [entry("c", [1, 0])])
    assert {each.id for each in (await adapter.scan(NS, EVERYTHING)).entries} >= {"a", "c"}
    await adapter.aclose()


async def test_after_repeated_failure_calls_fail_at_once_for_a_while(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    server.script(*[{"status": 503}] * STORM)
    for _ in range(2):
        with pytest.raises(AdapterUnavailable):
            await adapter.count(NS, EVERYTHING)
    start = len(server.requests())
    with pytest.raises(AdapterUnavailable, match="failures in a row"):
        await adapter.count(NS, EVERYTHING)
    assert calls(server, start) == []
    server.script()
    await until_back(adapter)


async def test_vectors_of_the_wrong_size_are_not_handed_on(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [0.6, 0.8])])
    await adapter.aclose()
    await adapter.open()
    server.script({"dims": 1})
    with pytest.raises(CorruptEntryError, match="1 of 2 numbers"):
        await adapter.get_many(NS, ["a"])


async def test_a_server_that_is_down_is_unavailable() -> None:
    options = PineconeOptions(host=f"http://127.0.0.1:{free_port()}", api_key=KEY, attempts=2, timeout=2)
    with pytest.raises(AdapterUnavailable, match="check that the server runs"):
        await PineconeAdapter(options).open()


async def test_a_server_that_never_answers_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(AdapterTimeout, match="timeout option"):
            await PineconeAdapter(PineconeOptions(host=host, api_key=KEY, timeout=0.3)).open()


async def test_an_index_is_found_by_its_name(server: PineconeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINECONE_CONTROLLER_HOST", server.host)
    monkeypatch.setenv("PINECONE_API_KEY", KEY)
    adapter = PineconeAdapter(PineconeOptions(index_name=INDEX_NAME))
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    assert (await adapter.stats()).details["host"] == server.host
    await adapter.aclose()
    with pytest.raises(ConfigError, match="no index 'another'"):
        await PineconeAdapter(PineconeOptions(index_name="another")).open()


def test_options_that_cannot_work_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PINECONE_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="index_name or host"):
        PineconeAdapter(PineconeOptions(api_key=KEY))
    with pytest.raises(ConfigError, match="PINECONE_API_KEY"):
        PineconeAdapter(PineconeOptions(index_name="i"))


def test_the_environment_is_ignored_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="environment is ignored") as caught:
        PineconeAdapter(PineconeOptions(index_name="i", api_key=KEY, environment="us-east1-gcp"))
    assert len(caught) == 1


def test_a_missing_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.adapters.pinecone.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"axon-integrations\[pinecone\]"):
        PineconeAdapter(PineconeOptions(index_name="i", api_key=KEY))


async def test_the_key_is_shown_nowhere(server: PineconeServer, caplog: pytest.LogCaptureFixture) -> None:
    secret = "pcsk-very-secret-indeed"
    caplog.set_level(logging.DEBUG)
    options = server.options(api_key=secret, timeout=2)
    adapter = PineconeAdapter(options)
    with pytest.raises(AdapterUnavailable) as refused:
        await adapter.open()
    policy = PersistentPolicy(
        adapter_type="pinecone", adapter_config={"api_key": secret, "host": server.host}
    )
    memory = MemorySystem(MemoryConfig(persistent=policy))
    shown = [
        repr(adapter),
        repr(options),
        repr(refused.value),
        str(refused.value),
        repr(refused.value.__cause__),
    ]
    shown += [repr(policy), repr(memory), caplog.text]
    assert server.requests()
    assert not any(secret in text for text in shown)


@pytest.mark.parametrize(
    ("error", "kind", "passes"),
    [
        (PineconeTimeoutError("x"), AdapterTimeout, True),
        (PineconeConnectionError("x"), AdapterUnavailable, True),
        (TimeoutError(), AdapterTimeout, True),
        (ConnectionResetError("x"), AdapterUnavailable, True),
        (OlderStateError("x"), AdapterError, True),
        (RateLimitError("x"), RateLimited, True),
        (ServiceError("x", 500), AdapterUnavailable, True),
        (ServiceError("x", 504), AdapterTimeout, True),
        (ServiceError("x", 599), AdapterError, False),
        (ApiError("x", 400), AdapterError, False),
        (ApiError("Vector dimension 3 does not match", 400), EmbeddingMismatchError, False),
        (ApiError("x", 401), AdapterUnavailable, False),
        (ApiError("x", 402), AdapterUnavailable, False),
        (NotFoundError("x"), NoCollectionError, False),
        (ResponseParsingError("x"), AdapterError, False),
        (RuntimeError("x"), AdapterError, False),
    ],
    ids=str,
)
def test_every_error_of_pinecone_has_one_of_ours(
    error: Exception, kind: type[Exception], passes: bool
) -> None:
    found = translated(error, "host")
    assert (type(found.error), found.passes) == (kind, passes)
    assert "Pinecone at host" in str(found.error)


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    for asked, seconds in (("7", 7.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), (None, None)):
        error = RateLimitError("x", headers={} if asked is None else {"retry-after": asked})
        assert getattr(translated(error, "host").error, "retry_after", "none") == seconds
