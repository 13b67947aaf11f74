"""What is sent to Pinecone: its shapes, its limits, and no more requests than needed."""

from __future__ import annotations

import asyncio
import random
import string

import numpy as np
import pytest

from axon import Filter
from axon.adapters._pinecone.names import namespace_name, namespace_of, record_id
from axon.adapters.pinecone import PineconeAdapter
from axon.core.errors import EmbeddingMismatchError, InvalidInputError
from axon.core.filter.ast import EVERYTHING
from axon.core.filter.filter import as_node
from axon.core.models import SearchRequest
from axon.testing.entries import assert_same
from axon.testing.strategies import NASTY_STRINGS
from tests.adapters.pinecone.helpers import NS, QUERY, bodies, calls, entry
from tests.servers.pinecone_server import DIMS, PineconeServer, new_server

UPSERT, FETCH, QUERIES = "/vectors/upsert", "/vectors/fetch", "/query"


def incompressible(length: int) -> str:
    letters = random.Random(1)
    return "".join(letters.choices(string.printable[:94], k=length))


async def settled(adapter: PineconeAdapter) -> None:
    """Close and open again, so that what follows is Pinecone's own answer."""
    await adapter.aclose()
    await adapter.open()


async def test_filters_reach_pinecone(server: PineconeServer, adapter: PineconeAdapter) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0], tags=["t"], importance=0.75, metadata={"year": 2021})])
    source = Filter(tags=["t"], min_importance=0.5, metadata={"year": {"$gte": 2020}})
    request = SearchRequest(as_node(source), 1, QUERY.vector)
    assert [hit.entry.id for hit in (await adapter.search_many(NS, [request]))[0]] == ["a"]
    sent = str(bodies(server, QUERIES)[-1]["filter"])
    for part in (
        "[f4:tagsst",
        "{'importance': {'$gte': 0.5}}",
        "{'n79656172': {'$gte': 2020.0}}",
        "expires_at",
    ):
        assert part in sent
    await adapter.count(NS, as_node(source))
    assert "[f4:tagsst" in str(bodies(server, "/vectors/fetch_by_metadata")[-1]["filter"])


async def test_a_batch_of_concurrent_writes_is_few_requests(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("first", [1, 0])])
    start = len(server.requests())
    await asyncio.gather(*(adapter.put_many(NS, [entry(f"{n}", [1, n])]) for n in range(100)))
    assert await adapter.count(NS, EVERYTHING) == 101
    assert calls(server, start).count(UPSERT) <= 5


async def test_known_namespaces_are_read_in_one_call(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry(f"{n}", [1, n]) for n in range(20)])
    await settled(adapter)
    await adapter.bind_embedder(NS, None)
    start = len(server.requests())
    assert None not in await adapter.get_many(NS, [f"{n}" for n in range(20)])
    assert len((await adapter.search_many(NS, [QUERY] * 5))[4]) == 1
    assert len((await adapter.scan(NS, EVERYTHING, limit=50)).entries) == 20
    assert calls(server, start) == [FETCH, *[QUERIES] * 5, "/vectors/fetch_by_metadata"]


async def test_requests_stay_below_two_megabytes_and_a_thousand_records(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry(f"{n}", [1, n], incompressible(20_000)) for n in range(150)])
    await adapter.put_many(NS, [entry(f"small {n}", [1, n]) for n in range(999)])
    sent = [each for each in server.requests() if each["path"] == UPSERT]
    assert len(sent) == 3
    assert max(each["bytes"] for each in sent) <= 2 * 1024 * 1024
    assert max(len(each["body"]["vectors"]) for each in sent) <= 1000
    await settled(adapter)
    assert await adapter.count(NS, EVERYTHING) == 1149
    found = await adapter.get_many(NS, [f"{n}" for n in range(150)])
    assert [each and each.text for each in found] == [incompressible(20_000)] * 150


async def test_an_entry_too_large_is_refused_before_anything_is_sent(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("small", [1, 0])])
    start = len(server.requests())
    with pytest.raises(InvalidInputError, match=r"'large' takes \d+ bytes in Pinecone"):
        await adapter.put_many(NS, [entry("other", [1, 0]), entry("large", [1, 0], incompressible(60_000))])
    assert UPSERT not in calls(server, start)
    assert await adapter.count(NS, EVERYTHING) == 1


async def test_a_refused_batch_leaves_those_beside_it_alone(adapter: PineconeAdapter) -> None:
    batches = [
        [entry("one", [1, 0])],
        [entry("large", None, incompressible(60_000))],
        [entry("misfit", [1, 0, 0])],
        [entry("two", [0, 1])],
    ]
    answers = await asyncio.gather(*(adapter.put_many(NS, each) for each in batches), return_exceptions=True)
    assert [type(each) for each in answers] == [
        type(None),
        InvalidInputError,
        EmbeddingMismatchError,
        type(None),
    ]
    page = await adapter.scan(NS, EVERYTHING, order_by="id")
    assert [each.id for each in page.entries] == ["one", "two"]


async def test_long_compressible_texts_are_packed(server: PineconeServer, adapter: PineconeAdapter) -> None:
    long = entry("a", [3, 4], "wörd " * 40_000, metadata={"k": [None, {"x": []}]})
    await adapter.put_many(NS, [long])
    await settled(adapter)
    assert_same((await adapter.get_many(NS, ["a"]))[0], long)
    metadata = bodies(server, UPSERT)[0]["vectors"][-1]["metadata"]
    assert "packed" in metadata
    assert "payload" not in metadata


async def test_entries_without_a_vector_get_one_that_no_search_finds(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    entries = [entry("text"), entry("zero", [0, 0]), entry("real", [0.6, 0.8])]
    await adapter.put_many(NS, entries)
    sent = {each["id"]: each["values"] for each in bodies(server, UPSERT)[0]["vectors"]}
    assert all(len(values) == DIMS and any(values) for values in sent.values())
    await settled(adapter)
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 9, QUERY.vector)]))[0]
    assert [(hit.entry.id, round(hit.similarity or 0, 4)) for hit in hits] == [("real", 0.6), ("zero", 0.0)]
    for found, wanted in zip(await adapter.get_many(NS, ["text", "zero", "real"]), entries, strict=True):
        assert_same(found, wanted)


async def test_vectors_come_back_to_the_bit(adapter: PineconeAdapter) -> None:
    rows = np.random.default_rng(3).standard_normal((50, 40)).astype(np.float32) * np.float32(1e-3)
    rows[0, 0] = -0.0
    rows[1] = rows[1] / np.linalg.norm(rows[1])
    rows[2] *= np.float32(1e38)
    await adapter.put_many(NS, [entry(f"{n}", row.tolist()) for n, row in enumerate(rows)])
    await settled(adapter)
    found = await adapter.get_many(NS, [f"{n}" for n in range(50)])
    assert [
        each.embedding.tobytes() for each in found if each is not None and each.embedding is not None
    ] == [row.tobytes() for row in rows]


async def test_large_answers_are_read_in_parts(server: PineconeServer, adapter: PineconeAdapter) -> None:
    await adapter.put_many(NS, [entry(f"{n}", [1, n], incompressible(25_000)) for n in range(400)])
    await settled(adapter)
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 350, QUERY.vector)]))[0]
    assert [hit.entry.id for hit in hits] == [f"{n}" for n in range(350)]
    asked = bodies(server, QUERIES)[-1]
    assert (asked["topK"], asked["includeValues"], asked["includeMetadata"]) == (350, False, False)
    fetched = bodies(server, FETCH)
    assert max(len(each["ids"]) for each in fetched) <= 100
    assert max(sum(map(len, each["ids"])) for each in fetched) <= 4000


async def test_more_results_than_pinecone_gives_are_all_there(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry(f"{n:02}", [1, n]) for n in range(30)])
    await settled(adapter)
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 20_000, QUERY.vector)]))[0]
    assert [hit.entry.id for hit in hits] == [f"{n:02}" for n in range(30)]
    assert QUERIES not in calls(server, len(server.requests()) - 1)


@pytest.mark.parametrize("metric", ["dotproduct", "euclidean"])
async def test_any_metric_ranks_by_the_cosine(metric: str) -> None:
    server = new_server(8, metric)
    adapter = PineconeAdapter(server.options())
    await adapter.open()
    await adapter.put_many(NS, [entry("long", [90, 10]), entry("near", [0.1, 0.001]), entry("far", [-1, 0])])
    await settled(adapter)
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 3, QUERY.vector)]))[0]
    assert [hit.entry.id for hit in hits] == ["near", "long", "far"]
    assert hits[2].similarity == pytest.approx(-1)
    assert (await adapter.stats()).details["metric"] == metric
    await adapter.aclose()
    server.close()


async def test_vectors_larger_than_the_index_are_refused(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    with pytest.raises(EmbeddingMismatchError, match=f"an index of {DIMS}"):
        await adapter.put_many(NS, [entry("a", [1.0] * (DIMS + 1))])
    assert UPSERT not in calls(server)


async def test_nothing_is_deleted_by_an_empty_selector(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    assert await adapter.delete_many(NS, []) == 0
    assert await adapter.delete_many(NS, ["missing"]) == 0
    await adapter.clear("another")
    for body in bodies(server, "/vectors/delete"):
        assert body.get("ids") or body["namespace"].endswith("another")
    assert await adapter.count(NS, EVERYTHING) == 1


async def test_access_statistics_are_merged_into_the_record(
    server: PineconeServer, adapter: PineconeAdapter
) -> None:
    from axon.core.models import Touch

    await adapter.put_many(NS, [entry("a", [1, 0])])
    start = len(server.requests())
    await adapter.touch_many(NS, [Touch("a", 1_700_000_000_000_001, 2), Touch("missing", 1)])
    sent = [each for each in server.requests()[start:] if each["path"] == "/vectors/update"]
    assert [each["body"]["setMetadata"] for each in sent] == [
        {"access_count": 2, "accessed_at": "1700000000000001"}
    ]
    assert UPSERT not in calls(server, start)


def test_ids_and_namespaces_are_ascii_and_stay_apart() -> None:
    names = [record_id(text) for text in NASTY_STRINGS]
    assert len(set(names)) == len(NASTY_STRINGS)
    spaces = [namespace_name("p.axon.", text) for text in [*NASTY_STRINGS, "é" * 300, ""]]
    assert len(set(spaces)) == len(spaces)
    for name in [*names, *spaces]:
        assert 1 <= len(name) <= 512
        assert name.isascii()
        assert name.isprintable()
    for text in NASTY_STRINGS:
        assert namespace_of("p.axon.", namespace_name("p.axon.", text)) == text
        assert namespace_of("axon.", namespace_name("p.axon.", text)) is None
        assert namespace_of("p.", namespace_name("p.axon.", text)) is None


async def test_namespaces_of_others_are_left_alone(server: PineconeServer, adapter: PineconeAdapter) -> None:
    long = "é" * 300
    other = PineconeAdapter(server.options(namespace="other"))
    session = PineconeAdapter(server.options().for_tier("session"))
    for each in (other, session):
        await each.open()
        await each.put_many(NS, [entry("theirs", [1, 0])])
    await adapter.put_many(long, [entry("a", [1, 0])])
    assert [await each.namespaces() for each in (adapter, other, session)] == [[long], [NS], [NS]]
    assert await adapter.get_many(NS, ["theirs"]) == [None]
    await settled(adapter)
    assert await adapter.namespaces() == [long]
    await adapter.clear(NS)
    for each in (other, session):
        assert await each.count(NS, EVERYTHING) == 1
        await each.aclose()
