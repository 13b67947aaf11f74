"""Qdrant over the wire: what is sent, how often, and what happens when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import grpc
import httpx
import numpy as np
import pytest
from pydantic import SecretStr
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from axon.adapters._qdrant.errors import translated
from axon.adapters._shared.translation import NoCollectionError
from axon.adapters.qdrant import QdrantAdapter
from axon.core.adapter_options import QdrantOptions
from axon.core.clock import to_datetime
from axon.core.errors import (
    AdapterError,
    AdapterTimeout,
    AdapterUnavailable,
    EmbeddingMismatchError,
    MissingDependencyError,
    RateLimited,
)
from axon.core.filter.ast import EVERYTHING
from axon.core.models import MemoryEntry, SearchRequest, TextStatistics
from axon.engine.text_index import score_hits
from tests.servers.qdrant_server import QdrantServer, new_server

NS = "n"
QUERY = SearchRequest(EVERYTHING, 1, np.array([1, 0], np.float32))


def entry(id: str, vector: list[float] | None = None, text: str = "text") -> MemoryEntry:
    embedding = None if vector is None else np.array(vector, np.float32)
    return MemoryEntry(text, id=id, created_at=to_datetime(1_700_000_000_000_000), embedding=embedding)


@pytest.fixture(scope="module")
def running() -> Iterator[QdrantServer]:
    server = new_server()
    yield server
    server.close()


@pytest.fixture
def server(running: QdrantServer) -> QdrantServer:
    """A server that knows of nothing."""
    running.reset()
    return running


@pytest.fixture
async def adapter(server: QdrantServer) -> AsyncIterator[QdrantAdapter]:
    adapter = QdrantAdapter(QdrantOptions(url=server.url))
    await adapter.open()
    yield adapter
    await adapter.aclose()


def calls(server: QdrantServer, since: int = 0) -> list[str]:
    return [f"{each['method']} {each['path']}" for each in server.requests()[since:]]


async def test_collections_get_indexes_and_namespaces_are_tenants(
    server: QdrantServer, adapter: QdrantAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    made = [each for each in server.requests() if each["path"] == "/collections/axon_2/index"]
    fields = {each["body"]["field_name"]: each["body"]["field_schema"] for each in made}
    assert fields.keys() == {"namespace", "tokens", "importance", "created_at", "updated_at", "expires_at"}
    assert fields["namespace"] == {"type": "keyword", "is_tenant": True}
    await adapter.search_many(NS, [QUERY])
    asked = server.requests()[-1]["body"]["searches"][0]["filter"]["must"]
    assert {"key": "namespace", "match": {"value": NS}} in asked


async def test_known_namespaces_are_read_in_one_call(server: QdrantServer, adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry(f"{n}", [1, n]) for n in range(20)])
    start = len(server.requests())
    await adapter.get_many(NS, [f"{n}" for n in range(20)])
    await adapter.search_many(NS, [QUERY] * 5)
    assert calls(server, start) == [
        "POST /collections/axon_2/points",
        "POST /collections/axon_2/points/query/batch",
    ]


async def test_words_and_vector_are_searched_in_one_call_per_collection(
    server: QdrantServer, adapter: QdrantAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0]), entry("b", [0, 1])])
    created = {each["path"]: each["body"] for each in server.requests() if each["method"] == "PUT"}
    for name in ("axon", "axon_2"):
        assert created[f"/collections/{name}"]["sparse_vectors"] == {"words": {"modifier": "idf"}}
    start = len(server.requests())
    both = SearchRequest(EVERYTHING, 2, QUERY.vector, "text")
    hits = (await adapter.search_many(NS, [both]))[0]
    assert [hit.entry.id for hit in hits] == ["a", "b"]
    assert calls(server, start) == [
        "POST /collections/axon_2/points/query/batch",
        "POST /collections/axon/points/query/batch",
    ]
    by_words = server.requests()[start]["body"]["searches"][1]
    assert by_words["params"]["idf"]["corpus"]["must"] == [{"key": "namespace", "match": {"value": NS}}]


async def test_how_rare_a_word_is_depends_on_no_other_namespace(adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0]), entry("b")])
    by_words = SearchRequest(EVERYTHING, 5, None, "text")
    alone = [hit.text_score for hit in (await adapter.search_many(NS, [by_words]))[0]]
    await adapter.put_many("another", [entry(f"{n}", [1, 0]) for n in range(50)])
    assert [hit.text_score for hit in (await adapter.search_many(NS, [by_words]))[0]] == alone


async def test_what_only_the_vector_finds_has_the_score_of_its_words(adapter: QdrantAdapter) -> None:
    far = [entry(f"{n}", [0, 1]) for n in range(20)]
    await adapter.put_many(NS, [*far, entry("near", [1, 0], "text among other words that make it longer")])
    narrow = SearchRequest(EVERYTHING, 1, QUERY.vector, "text")
    wide = SearchRequest(EVERYTHING, 30, None, "text")
    by_words = {hit.entry.id: hit.text_score for hit in (await adapter.search_many(NS, [wide]))[0]}
    found = {hit.entry.id: hit for hit in (await adapter.search_many(NS, [narrow]))[0]}
    assert len(found) == 2
    assert found["near"].text_score == pytest.approx(by_words["near"])
    assert 0.0 < by_words["near"] < max(score or 0.0 for score in by_words.values())


async def test_a_word_weighs_what_it_weighs_in_other_tiers(adapter: QdrantAdapter) -> None:
    await adapter.put_many(
        NS, [entry("a", [1, 0], "a fox"), entry("b", [0, 1], "no word"), entry("c", None, "fox")]
    )
    mine = await adapter.text_statistics(NS, "fox and bear")
    assert mine is not None
    assert (mine.rows, mine.frequency) == (3, {"fox": 2, "bear": 0})
    all_tiers = mine + TextStatistics(1000, 3000, {"fox": 7, "bear": 1})
    request = SearchRequest(EVERYTHING, 5, QUERY.vector, "fox and bear", all_tiers)
    found = (await adapter.search_many(NS, [request]))[0]
    scores = {hit.entry.id: hit.text_score for hit in found}
    score_hits(found, "fox and bear", all_tiers)
    assert scores == {hit.entry.id: hit.text_score for hit in found}
    assert scores["c"] > scores["a"] > scores["b"] == 0.0


async def test_words_are_left_out_where_they_are_not_wanted(server: QdrantServer) -> None:
    adapter = QdrantAdapter(QdrantOptions(url=server.url, text_index=False))
    assert not adapter.capabilities.text_search
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    assert all("sparse_vectors" not in (each["body"] or {}) for each in server.requests())
    hits = (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 5, QUERY.vector, "text")]))[0]
    assert [(hit.entry.id, hit.text_score) for hit in hits] == [("a", None)]
    assert await adapter.search_many(NS, [SearchRequest(EVERYTHING, 5, None, "text")]) == [[]]
    await adapter.aclose()


async def test_concurrent_writes_are_joined(server: QdrantServer, adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry("first", [1, 0])])
    start = len(server.requests())
    await asyncio.gather(*(adapter.put_many(NS, [entry(f"{n}", [1, n])]) for n in range(100)))
    assert await adapter.count(NS, EVERYTHING) == 101
    assert calls(server, start).count("PUT /collections/axon_2/points") <= 5


async def test_a_burst_of_writes_reads_what_is_known_once(
    server: QdrantServer, adapter: QdrantAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("axon.adapters._qdrant.room._BURST_SECONDS", 60)
    await adapter.put_many(NS, [entry("a", [1, 0])])
    start = len(server.requests())
    for id in "bcd":
        await adapter.put_many(NS, [entry(id, [1, 0])])
    assert calls(server, start) == ["PUT /collections/axon_2/points"] * 3
    # From the first entry without a vector on, an older version may lie in the other collection.
    await adapter.put_many(NS, [entry("b")])
    await adapter.put_many(NS, [entry("b", [1, 0])])
    assert await adapter.count(NS, EVERYTHING) == 4
    with pytest.raises(EmbeddingMismatchError):
        await adapter.put_many(NS, [entry("e", [1, 0, 0])])


async def test_ids_are_uuids_there_and_the_callers_here(server: QdrantServer, adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry("any id: *?", [1, 0])])
    point = next(each for each in server.requests() if each["path"].endswith("axon_2/points"))["body"][
        "points"
    ][0]
    assert UUID(point["id"]).version == 5
    assert point["payload"]["id"] == "any id: *?"
    assert (await adapter.search_many(NS, [QUERY]))[0][0].entry.id == "any id: *?"


async def test_nothing_is_deleted_by_an_empty_selector(server: QdrantServer, adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.delete_many(NS, [])
    await adapter.delete_many(NS, ["missing"])
    await adapter.clear("another")
    deleted = [each["body"] for each in server.requests() if each["path"].endswith("/delete")]
    assert all(each.get("points") or each["filter"]["must"] for each in deleted)
    assert await adapter.count(NS, EVERYTHING) == 1


async def test_another_process_may_change_the_size_of_vectors(
    server: QdrantServer, adapter: QdrantAdapter
) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    other = QdrantAdapter(QdrantOptions(url=server.url))
    await other.open()
    await other.clear(NS)
    await other.put_many(NS, [entry("a", [1, 0, 0])])
    query = np.array([1, 0, 0], np.float32)
    assert [
        hit.entry.dims for hit in (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 1, query)]))[0]
    ] == [3]
    with pytest.raises(EmbeddingMismatchError):
        await adapter.search_many(NS, [QUERY])
    await other.aclose()


async def test_faults_that_pass_are_tried_again(server: QdrantServer, adapter: QdrantAdapter) -> None:
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.script({"status": 503}, {"cut": True})
    assert (await adapter.get_many(NS, ["a"]))[0] is not None
    server.script({"status": 429, "headers": {"retry-after": "0"}})
    await adapter.put_many(NS, [entry("b", [1, 0])])
    assert await adapter.count(NS, EVERYTHING) == 2


async def test_an_error_inside_the_server_is_not_tried_again(
    server: QdrantServer, adapter: QdrantAdapter
) -> None:
    server.script({"status": 500})
    with pytest.raises(AdapterError, match="scripted"):
        await adapter.count(NS, EVERYTHING)
    assert await adapter.count(NS, EVERYTHING) == 0


async def test_faults_over_grpc_are_tried_again_or_named(server: QdrantServer) -> None:
    over_grpc = QdrantOptions(url=server.url, grpc_port=server.grpc_port, prefer_grpc=True)
    adapter = QdrantAdapter(over_grpc)
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    server.script({"code": "UNAVAILABLE"}, {"code": "DEADLINE_EXCEEDED"})
    assert await adapter.count(NS, EVERYTHING) == 1
    for code, kind in (
        ("UNAVAILABLE", AdapterUnavailable),
        ("DEADLINE_EXCEEDED", AdapterTimeout),
        ("RESOURCE_EXHAUSTED", RateLimited),
        ("UNAUTHENTICATED", AdapterUnavailable),
        ("INTERNAL", AdapterError),
    ):
        server.script(*[{"code": code}] * 3)
        with pytest.raises(kind):
            await adapter.count(NS, EVERYTHING)
        server.script()
        assert await adapter.count(NS, EVERYTHING) == 1, "an answer closes the circuit"
    server.script({"code": "RESOURCE_EXHAUSTED", "headers": {"retry-after": "100"}})
    with pytest.raises(RateLimited) as caught:
        await adapter.count(NS, EVERYTHING)
    assert caught.value.retry_after == 100
    assert {each["method"] for each in server.requests()} == {"GRPC"}
    await adapter.aclose()


async def test_an_answer_over_grpc_that_takes_too_long_times_out(server: QdrantServer) -> None:
    hasty = QdrantOptions(url=server.url, grpc_port=server.grpc_port, prefer_grpc=True, timeout=1, attempts=1)
    adapter = QdrantAdapter(hasty)
    await adapter.open()
    server.script({"hang": 3})
    with pytest.raises(AdapterTimeout):
        await adapter.namespaces()
    await adapter.aclose()


async def test_parameters_of_the_index_reach_the_server(server: QdrantServer) -> None:
    wanted = QdrantOptions(
        url=server.url,
        hnsw={"m": 32, "ef_construct": 200},
        quantization={"scalar": {"type": "int8", "always_ram": True}},
        on_disk=True,
        hnsw_ef=77,
        collection_name="tuned",
    )
    adapter = QdrantAdapter(wanted)
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.search_many(NS, [QUERY])
    await adapter.aclose()
    sent = {each["path"]: each["body"] for each in server.requests() if each["method"] in ("PUT", "POST")}
    created = sent["/collections/tuned_2"]
    assert created["hnsw_config"] == {"m": 32, "ef_construct": 200}
    assert created["quantization_config"] == {"scalar": {"type": "int8", "always_ram": True}}
    assert created["vectors"]["dense"] == {"size": 2, "distance": "Dot", "on_disk": True}
    assert sent["/collections/tuned_2/points/query/batch"]["searches"][0]["params"]["hnsw_ef"] == 77


@pytest.mark.filterwarnings("ignore:Api key is used with an insecure connection")
@pytest.mark.parametrize("prefer_grpc", [False, True])
async def test_the_key_is_sent_with_every_request(server: QdrantServer, prefer_grpc: bool) -> None:
    keyed = QdrantOptions(
        url=server.url, grpc_port=server.grpc_port, prefer_grpc=prefer_grpc, api_key=SecretStr("key")
    )
    adapter = QdrantAdapter(keyed)
    await adapter.open()
    await adapter.put_many(NS, [entry("a", [1, 0])])
    await adapter.aclose()
    assert {each["key"] for each in server.requests()} == {"key"}


@pytest.mark.parametrize("prefer_grpc", [False, True])
async def test_what_was_written_is_there_after_the_server_was_killed(
    server: QdrantServer, prefer_grpc: bool
) -> None:
    options = QdrantOptions(url=server.url, grpc_port=server.grpc_port, prefer_grpc=prefer_grpc)
    adapter = QdrantAdapter(options)
    await adapter.open()
    for n in range(50):
        await adapter.put_many(NS, [entry(f"{n}", [1, n]), entry(f"text {n}")])
    server.kill()
    server.start_again()
    assert await adapter.count(NS, EVERYTHING) == 100
    await adapter.put_many(NS, [entry("after", [1, 0])])
    assert (await adapter.search_many(NS, [SearchRequest(EVERYTHING, 100, QUERY.vector)]))[0][
        0
    ].similarity == 1
    assert await adapter.count(NS, EVERYTHING) == 101
    await adapter.aclose()


class _GrpcError(grpc.RpcError):
    def __init__(self, code: grpc.StatusCode) -> None:
        self._code = code

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "details"


def answered(status: int, content: bytes = b"") -> UnexpectedResponse:
    return UnexpectedResponse(status, "", content, httpx.Headers())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ResponseHandlingException(httpx.ReadTimeout("x")), AdapterTimeout),
        (ResponseHandlingException(httpx.ConnectError("x")), AdapterUnavailable),
        (ResponseHandlingException(ValueError("x")), AdapterError),
        (answered(404), NoCollectionError),
        (answered(400, b"Vector dimension error: expected dim: 2, got 3"), EmbeddingMismatchError),
        (answered(403), AdapterUnavailable),
        (answered(500), AdapterError),
        (ValueError("Collection x not found"), NoCollectionError),
        (_GrpcError(grpc.StatusCode.NOT_FOUND), NoCollectionError),
        (_GrpcError(grpc.StatusCode.UNAVAILABLE), AdapterUnavailable),
        (_GrpcError(grpc.StatusCode.DEADLINE_EXCEEDED), AdapterTimeout),
        (_GrpcError(grpc.StatusCode.RESOURCE_EXHAUSTED), RateLimited),
        (_GrpcError(grpc.StatusCode.INTERNAL), AdapterError),
        (PermissionError("x"), AdapterUnavailable),
    ],
)
def test_errors_are_translated_by_a_table(error: Exception, kind: type[Exception]) -> None:
    assert type(translated(error, "here").error) is kind


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("axon.adapters.qdrant.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"axon-integrations\[qdrant\]"):
        QdrantAdapter()
