"""Pinecone shows writes late: this process sees its own at once, and says what others see."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from axon.adapters._pinecone.recent import ASK_AFTER_SECONDS, TRUST_SECONDS, UNKNOWN_SECONDS, Recent
from axon.adapters._pinecone.records import About
from axon.adapters.pinecone import PineconeAdapter
from axon.core.errors import AdapterError, AdapterTimeout, EmbeddingMismatchError
from axon.core.filter.ast import EVERYTHING, Contains, Field
from axon.core.models import SearchRequest, Touch
from tests.adapters.pinecone.helpers import NS, QUERY, bodies, calls, entry
from tests.servers.pinecone_server import PineconeServer

NEVER = 1e6
TAGGED = Contains(Field("tags"), ("t",))


async def ids(adapter: PineconeAdapter) -> list[str]:
    return [each.id for each in (await adapter.scan(NS, EVERYTHING, order_by="id")).entries]


async def test_own_writes_are_seen_although_pinecone_never_shows_them(server: PineconeServer) -> None:
    adapter = PineconeAdapter(server.options(timeout=2, settle_seconds=0))
    await adapter.open()
    await adapter.put_many(NS, [entry("old", [1, 0]), entry("kept", [0.8, 0.6]), entry("gone", [1, 0])])
    server.set(query_delay=NEVER, fetch_delay=NEVER)
    await adapter.put_many(NS, [entry("old", [0, 1], "new", tags=["t"]), entry("added", [0.6, 0.8])])
    await adapter.delete_many(NS, ["gone"])
    await adapter.touch_many(NS, [Touch("kept", 1_700_000_000_000_001, 3)])
    old, gone, added, kept = await adapter.get_many(NS, ["old", "gone", "added", "kept"])
    assert old is not None
    assert (old.text, gone, added is not None, kept and kept.access_count) == ("new", None, True, 3)
    assert await ids(adapter) == ["added", "kept", "old"]
    assert await adapter.count(NS, EVERYTHING) == 3
    assert await adapter.count(NS, TAGGED) == 1
    found = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 3, QUERY.vector)]))[0]
    assert [hit.entry.id for hit in found] == ["kept", "added", "old"]
    assert (await adapter.stats()).entries == 3
    await adapter.clear(NS)
    assert await ids(adapter) == []
    assert await adapter.search_many(NS, [QUERY]) == [[]]
    assert await adapter.namespaces() == []
    await adapter.put_many(NS, [entry("again", [1, 0, 0])])
    assert await ids(adapter) == ["again"]
    await adapter.aclose()


async def test_what_was_rewritten_is_not_asked_for_again(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry(f"{n}", [1, n]) for n in range(60)])
    await adapter.aclose()
    await adapter.open()
    server.set(query_delay=NEVER)
    await adapter.put_many(NS, [entry(f"{n}", [-1, 0]) for n in range(50)])
    start = len(server.requests())
    found = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 3, QUERY.vector)]))[0]
    assert [hit.entry.id for hit in found] == ["50", "51", "52"]
    assert calls(server, start).count("/query") == 1
    assert bodies(server, "/query")[-1]["topK"] == 3
    server.set(query_delay=0)


async def test_writes_are_forgotten_once_pinecone_shows_them(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    assert (await adapter.stats()).details["unseen_writes"] > 0
    await adapter.search_many(NS, [QUERY])
    assert (await adapter.stats()).details["unseen_writes"] == 0
    start = len(server.requests())
    assert (await adapter.get_many(NS, ["a"]))[0] is not None
    assert calls(server, start) == ["/vectors/fetch"]


async def test_with_no_room_for_unseen_writes_each_is_shown_before_it_is_acknowledged(
    server: PineconeServer,
) -> None:
    server.set(query_delay=0.1, fetch_delay=0.1)
    writer = PineconeAdapter(server.options(max_unseen=0, fetch_lag=0))
    await writer.open()
    await writer.put_many(NS, [entry("a", [1, 0]), entry("b", [0, 1])])
    assert (await writer.stats()).details["unseen_writes"] == 0
    assert in_another_process(server) == ["a", "b"]
    await writer.touch_many(NS, [Touch("b", 1_700_000_000_000_001)])
    assert (await writer.stats()).details["unseen_writes"] == 0
    await writer.delete_many(NS, ["a"])
    assert (await writer.stats()).details["unseen_writes"] == 0
    assert in_another_process(server) == ["b"]
    await writer.clear(NS)
    assert (await writer.stats()).details["unseen_writes"] == 0
    assert in_another_process(server) == []
    await writer.aclose()


async def test_closing_waits_until_others_see_what_was_written(
    server: PineconeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(query_delay=0.3, fetch_delay=0.3)
    adapter = PineconeAdapter(server.options())
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.delete_many(NS, ["missing"])
    await adapter.aclose()
    assert caplog.text == ""
    assert in_another_process(server) == ["a"]


async def test_closing_does_not_wait_for_ever(
    server: PineconeServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(query_delay=NEVER)
    adapter = PineconeAdapter(server.options(settle_seconds=0.2))
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    started = time.monotonic()
    await adapter.aclose()
    assert time.monotonic() - started < 5
    assert "before Pinecone showed every write" in caplog.text


async def test_more_unseen_writes_than_allowed_are_refused_before_anything_is_sent(
    server: PineconeServer,
) -> None:
    server.set(query_delay=NEVER, fetch_delay=NEVER)
    adapter = PineconeAdapter(server.options(max_unseen=10, settle_seconds=0.1))
    await adapter.open()
    await adapter.put_many(NS, [entry(f"{n}", [1, n]) for n in range(10)])
    start = len(server.requests())
    with pytest.raises(AdapterTimeout, match="max_unseen"):
        await adapter.put_many(NS, [entry("more", [1, 0])])
    assert "/vectors/upsert" not in calls(server, start)
    server.set(query_delay=0, fetch_delay=0)
    await adapter.put_many(NS, [entry("more", [1, 0])])
    assert len(await ids(adapter)) == 11
    await adapter.aclose()


async def test_an_answer_from_an_older_state_is_asked_for_again(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.search_many(NS, [QUERY])
    server.script({"position": 0})
    assert [hit.entry.id for hit in (await adapter.search_many(NS, [QUERY]))[0]] == ["a"]
    server.script(*[{"position": 0}] * 3)
    with pytest.raises(AdapterError, match="older"):
        await adapter.search_many(NS, [QUERY])
    assert [hit.entry.id for hit in (await adapter.search_many(NS, [QUERY]))[0]] == ["a"]


async def test_a_namespace_may_vanish_when_it_is_cleared(
    server: PineconeServer, adapter: PineconeAdapter, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(keeps_empty=False)
    for size in (2, 3):
        for n in range(3):
            await adapter.put_many(NS, [entry(f"{n}", [1.0] * size)])
            await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, np.ones(size, np.float32))])
        assert await ids(adapter) == ["0", "1", "2"]
        await adapter.clear(NS)
        assert await ids(adapter) == []
    await adapter.clear(NS)
    assert await adapter.delete_many(NS, ["0"]) == 0
    assert (await adapter.stats()).details["unseen_writes"] == 0
    assert await adapter.namespaces() == []
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.clear(NS)
    await adapter.aclose()
    assert caplog.text == ""
    await adapter.open()
    assert await ids(adapter) == []


async def test_two_adapters_of_one_process_see_each_others_writes(server: PineconeServer) -> None:
    server.set(query_delay=NEVER, fetch_delay=NEVER)
    one, other = (PineconeAdapter(server.options(settle_seconds=0)) for _ in range(2))
    for adapter in (one, other):
        await adapter.open()
    await one.put_many(NS, [entry("a", [1, 0])])
    assert await ids(other) == ["a"]
    await other.delete_many(NS, ["a"])
    assert await one.get_many(NS, ["a"]) == [None]
    assert await one.bind_embedder(NS, "first") == await other.bind_embedder(NS, "second") == "first"
    for adapter in (one, other):
        await adapter.aclose()


async def test_another_process_may_change_everything(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.bind_embedder(NS, "mine")
    await adapter.search_many(NS, [QUERY])
    in_another_process(server, "await adapter.clear(NS); await adapter.put_many(NS, [entry('a', [1, 0, 0])])")
    query = np.array([1, 0, 0], np.float32)
    found = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, query)]))[0]
    assert [hit.entry.dims for hit in found] == [3]
    with pytest.raises(EmbeddingMismatchError):
        await adapter.search_many(NS, [QUERY])
    assert await adapter.bind_embedder(NS, None) is None


async def test_what_others_record_of_a_namespace_is_kept(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a")])
    await adapter.search_many(NS, [QUERY])
    in_another_process(server, "await adapter.bind_embedder(NS, 'theirs')")
    await adapter.put_many(NS, [entry("b", [1, 0])])
    assert in_another_process(server, "print(await adapter.bind_embedder(NS, 'mine'), file=sys.stderr)") == [
        "a",
        "b",
    ]
    await adapter.aclose()
    await adapter.open()
    assert await adapter.bind_embedder(NS, "mine") == "theirs"


def in_another_process(server: PineconeServer, work: str = "pass") -> list[str]:
    """Do some work there, and return the ids it sees."""
    script = f"""
import asyncio, json, sys
from axon.adapters.pinecone import PineconeAdapter
from axon.core.filter.ast import EVERYTHING
from tests.adapters.pinecone.helpers import NS, entry
from tests.servers.pinecone_server import KEY
from axon.core.adapter_options import PineconeOptions

async def main():
    adapter = PineconeAdapter(PineconeOptions(host={server.host!r}, api_key=KEY))
    await adapter.open()
    {work}
    print(json.dumps([each.id for each in (await adapter.scan(NS, EVERYTHING, order_by="id")).entries]))
    await adapter.aclose()

asyncio.run(main())
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; sys.path[:0] = [{str(root / 'core')!r}, {str(root)!r}]\n{script}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_write_is_added_until_an_answer_has_covered_it_for_long_enough() -> None:
    clock = Seconds()
    recent = Recent(1.0, clock)
    recent.note({"a": entry("a"), "b": None}, 5)
    recent.shown(4)
    clock.now += 60
    assert recent.view().entries.keys() == {"a", "b"}
    recent.shown(5)
    assert (recent.waiting(), recent.view().entries.keys(), recent.is_behind(4)) == (0, {"a", "b"}, False)
    clock.now += 1
    assert (recent.view().entries, recent.is_idle(), recent.is_behind(4), recent.is_behind(None)) == (
        {}, True, True, False,
    )  # fmt: skip
    recent.note({"late": entry("late")}, 5)
    assert recent.is_idle()


def test_a_later_position_covers_what_was_written_without_one() -> None:
    clock = Seconds()
    recent = Recent(0.0, clock)
    recent.note({"gone": None}, None)
    ticket = recent.ticket()
    recent.note({"after": None}, None)
    recent.note({"b": entry("b")}, 7, ticket)
    assert recent.is_uncertain()
    recent.shown(7)
    assert recent.view().entries.keys() == {"after"}
    clock.now += UNKNOWN_SECONDS + 1
    assert recent.view().entries == {}
    assert not recent.is_uncertain()


def test_an_older_write_does_not_replace_a_newer_one() -> None:
    recent = Recent(0.0)
    recent.note({"a": entry("a", text="newer")}, 9)
    recent.note({"a": entry("a", text="older")}, 8)
    found = recent.view().entries["a"]
    assert found is not None
    assert found.text == "newer"


def test_clearing_hides_what_pinecone_shows_until_a_later_write_is_shown() -> None:
    recent = Recent(0.0)
    recent.note({"a": entry("a")}, 3)
    recent.note_cleared()
    assert recent.view() == (True, {})
    assert recent.about() == About()
    recent.note_about(About(is_stored=True, dims=2), 5, recent.ticket())
    recent.shown(4)
    assert recent.view().cleared
    recent.shown(5)
    assert not recent.view().cleared
    assert recent.about() == About(is_stored=True, dims=2)


def test_what_was_read_of_a_namespace_is_believed_for_a_while() -> None:
    clock = Seconds()
    recent = Recent(0.0, clock)
    assert recent.about() is None
    recent.learn_about(About(is_stored=True, dims=2))
    assert recent.about() is not None
    assert recent.about(fresh=True) is None
    clock.now += TRUST_SECONDS + 1
    assert recent.about() is None


def test_reading_asks_for_the_position_now_and_then_while_writes_wait() -> None:
    clock = Seconds()
    recent = Recent(0.0, clock)
    clock.now += 60
    assert not recent.has_to_ask()
    clock.now += 60
    recent.note({"a": None}, 1)
    assert not recent.has_to_ask()
    clock.now += ASK_AFTER_SECONDS
    assert [recent.has_to_ask(), recent.has_to_ask()] == [True, False]
    recent.start_over()
    recent.shown(1)
    clock.now += 60
    assert not recent.has_to_ask()


async def test_reads_of_own_writes_give_way_to_those_of_others_in_time(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0], "mine")])
    in_another_process(server, "await adapter.put_many(NS, [entry('a', [1, 0], 'theirs')])")
    async with asyncio.timeout(20):
        while (found := (await adapter.get_many(NS, ["a"]))[0]) is not None and found.text == "mine":
            pass
    assert found is not None
    assert found.text == "theirs"
