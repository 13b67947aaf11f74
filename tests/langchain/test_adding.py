"""Writing: generators, ids, lengths, overwriting, the entry's own fields, tiers."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.documents import Document

from axon.core.errors import EmptyTextError, InvalidInputError
from axon.core.memory_system import MemorySystem
from axon.core.models import Tier
from axon_integrations._shared import inputs
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings, at


def texts_of(count: int) -> Iterator[str]:
    return (str(angle) for angle in range(count))


def test_l4_generators_are_stored_whole(store: AxonVectorStore) -> None:
    ids = store.add_texts(texts_of(7))
    assert [document.page_content for document in store.get_by_ids(ids)] == list(texts_of(7))


async def test_l4_generators_are_stored_whole_async(store: AxonVectorStore) -> None:
    ids = await store.aadd_texts(texts_of(7), ({"n": n} for n in range(7)), ids=(f"i{n}" for n in range(7)))
    assert ids == [f"i{n}" for n in range(7)]
    assert [document.metadata for document in await store.aget_by_ids(ids)] == [{"n": n} for n in range(7)]


async def test_l4_document_generators_are_stored_whole(embedding: PlaneEmbeddings) -> None:
    documents = [Document(page_content=text, metadata={"t": text}, id=text) for text in texts_of(3)]
    with AxonVectorStore.from_documents((document for document in documents), embedding) as store:
        assert store.get_by_ids(["0", "1", "2"]) == documents
    async with await AxonVectorStore.afrom_documents(iter(documents), embedding) as store:
        assert await store.aget_by_ids(["0", "1", "2"]) == documents
        assert await store.aadd_documents(iter(documents)) == ["0", "1", "2"]


@pytest.mark.parametrize(
    "lists",
    [
        {"ids": ["a"]},
        {"ids": ["a", "b", "c"]},
        {"ids": []},
        {"metadatas": [{}]},
        {"metadatas": []},
        {"importance": [0.5]},
        {"tags": [["a"]]},
        {"ttl": (1.0, 2.0, 3.0)},
        {"tier": ["persistent"]},
        {"session_id": ["s"]},
    ],
)
async def test_l4_another_length_is_an_error_before_anything_is_embedded(
    store: AxonVectorStore, embedding: PlaneEmbeddings, lists: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="for 2 texts"):
        store.add_texts(texts_of(2), **lists)
    with pytest.raises(ValueError, match="for 2 texts"):
        await store.aadd_texts(texts_of(2), **lists)
    lists = {name: value for name, value in lists.items() if name != "metadatas"}
    if lists:
        with pytest.raises(ValueError, match="for 2 texts"):
            store.add_documents([Document(page_content="1"), Document(page_content="2")], **lists)
    assert embedding.calls == []


def test_one_string_is_not_a_list_of_texts(store: AxonVectorStore) -> None:
    with pytest.raises(InvalidInputError, match="texts takes a list"):
        store.add_texts("12")
    with pytest.raises(InvalidInputError, match="ids takes a list"):
        store.add_texts(["1", "2"], ids="ab")


def test_blank_text_is_an_error_that_names_the_item(store: AxonVectorStore) -> None:
    with pytest.raises(EmptyTextError, match="item 1") as caught:
        store.add_texts(["1", " "])
    assert caught.value.index == 1
    assert store.similarity_search_by_vector(at(1)) == []


@pytest.mark.parametrize("id_", ["a:b", "*", "ключ", "a/b?c#d", "0" * 128, "a\nb", "1"])
def test_l5_any_string_is_an_id(store: AxonVectorStore, id_: str) -> None:
    assert store.add_texts(["5"], ids=[id_]) == [id_]
    assert [document.id for document in store.get_by_ids([id_])] == [id_]
    assert [document.id for document in store.similarity_search("5")] == [id_]
    store.delete([id_])
    assert store.get_by_ids([id_]) == []


def test_l5_missing_ids_are_filled(store: AxonVectorStore) -> None:
    ids = store.add_texts(["1", "2", "3"], ids=[None, "b", None])
    assert ids[1] == "b"
    assert len(set(ids)) == 3
    assert [document.page_content for document in store.get_by_ids(ids)] == ["1", "2", "3"]


def test_l5_keyword_ids_beat_the_documents_own_which_fill_holes(store: AxonVectorStore) -> None:
    documents = [Document(page_content="1", id="own1"), Document(page_content="2", id="own2")]
    assert store.add_documents(documents) == ["own1", "own2"]
    assert store.add_documents(documents, ids=["given", None]) == ["given", "own2"]


def test_l5_of_equal_ids_the_last_wins(store: AxonVectorStore) -> None:
    ids = store.add_texts(["1", "2", "3", "4"], ids=["a", "b", "a", None])
    assert ids[:3] == ["a", "b", "a"]
    assert [document.page_content for document in store.get_by_ids(["a", "b", ids[3]])] == ["3", "2", "4"]
    assert len(store.similarity_search("1", k=9)) == 3


def test_l5_of_equal_ids_the_last_wins_across_tiers(tiers: MemorySystem, embedding: PlaneEmbeddings) -> None:
    store = AxonVectorStore(tiers, embedding)
    store.add_texts(["1", "2", "3"], ids=["other", "a", "a"], importance=[0.1, 0.9, 0.1])
    (found,) = store.similarity_search("3", k=9, filter={"id": "a"}, include=["tier"])
    assert (found.page_content, found.metadata) == ("3", {"tier": "ephemeral"})


async def test_l6_an_id_written_again_is_replaced_whole(
    memory: MemorySystem, embedding: PlaneEmbeddings
) -> None:
    store = AxonVectorStore(memory, embedding)
    store.add_texts(["10"], [{"old": 1}], ids=["a"], tags=["x"], importance=0.9, session_id="s")
    store.add_texts(["80"], [{"new": 2}], ids=["a"], tags=["y"], importance=0.2)
    entry = await store.memory.get("a")
    assert entry is not None
    assert (entry.text, entry.metadata, entry.tags, entry.importance, entry.session_id) == (
        "80",
        {"new": 2},
        ["y"],
        0.2,
        None,
    )
    assert [score for _, score in store.similarity_search_with_score("80")] == [pytest.approx(1.0)]
    assert await memory.count() == 1


def test_l8_nothing_is_mutated_or_aliased(store: AxonVectorStore) -> None:
    metadata = {"nested": {"list": [1]}}
    document = Document(page_content="1", metadata=metadata)
    before = copy.deepcopy(document)
    (id_,) = store.add_documents([document])
    assert document == before
    document.metadata["nested"]["list"].append(2)
    first = store.get_by_ids([id_])[0]
    assert first.metadata == {"nested": {"list": [1]}}
    first.metadata["nested"]["list"].append(3)
    found = store.similarity_search("1")[0]
    assert found.metadata == {"nested": {"list": [1]}}
    found.metadata["nested"]["list"].append(4)
    assert store.get_by_ids([id_])[0].metadata == {"nested": {"list": [1]}}


async def test_metadata_fills_the_entrys_own_fields_and_stays(store: AxonVectorStore) -> None:
    metadata = {"tags": ["a", "b"], "importance": 0.8, "session_id": "s1", "other": None}
    store.add_texts(["1"], [metadata], ids=["x"])
    entry = await store.memory.get("x")
    assert entry is not None
    assert (entry.tags, entry.importance, entry.session_id) == (["a", "b"], 0.8, "s1")
    assert store.similarity_search("1", filter={"tags": "a", "session_id": "s1"})[0].metadata == metadata


async def test_keywords_beat_metadata_one_value_or_one_per_text(store: AxonVectorStore) -> None:
    metadata = {"tags": ["m"], "importance": 0.8, "session_id": "m"}
    store.add_texts(
        ["1", "2"],
        [metadata, metadata],
        ids=["x", "y"],
        tags=[["a"], None],
        importance=0.9,
        session_id=["s", None],
        ttl=[60, None],
    )
    x, y = await store.memory.get_many(["x", "y"])
    assert x is not None
    assert y is not None
    assert (x.tags, x.importance, x.session_id, x.expires_at is None) == (["a"], 0.9, "s", False)
    assert (y.tags, y.importance, y.session_id, y.expires_at) == (["m"], 0.9, "m", None)


async def test_one_tag_list_serves_all_texts(store: AxonVectorStore) -> None:
    store.add_texts(["1", "2"], ids=["x", "y"], tags=["a", "b"])
    assert [entry and entry.tags for entry in await store.memory.get_many(["x", "y"])] == [["a", "b"]] * 2


@pytest.mark.parametrize(
    "metadata",
    [{"tags": "a"}, {"importance": 42}, {"importance": True}, {"session_id": 7}, {"tags": ["a", 1]}],
)
async def test_j5_misshapen_metadata_never_becomes_a_field(
    store: AxonVectorStore, metadata: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_warned", set())
    with pytest.warns(inputs.ReservedMetadataWarning, match=f"'metadata.{next(iter(metadata))}'"):
        store.add_texts(["1"], [metadata], ids=["x"])
    entry = await store.memory.get("x")
    assert entry is not None
    assert (entry.tags, entry.importance, entry.session_id) == ([], 0.5, None)
    key, value = next(iter(metadata.items()))
    assert store.similarity_search("1", filter={f"metadata.{key}": value})[0].metadata == metadata


def test_other_reserved_names_are_user_data_and_warn_once(
    store: AxonVectorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_warned", set())
    metadata = {"id": 7, "tier": "gold", "created_at": "yesterday"}
    with pytest.warns(inputs.ReservedMetadataWarning) as caught:
        store.add_texts(["1", "2"], [metadata, metadata])
    assert sorted(str(warning.message).split("'")[1] for warning in caught) == ["created_at", "id", "tier"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.add_texts(["3"], [metadata])
    assert len(store.similarity_search("1", filter={"metadata.id": 7, "metadata.tier": "gold"})) == 3


async def test_documents_without_importance_go_to_the_most_durable_tier(
    tiers: MemorySystem, embedding: PlaneEmbeddings
) -> None:
    store = AxonVectorStore(tiers, embedding)
    store.add_texts(
        ["1", "2", "3", "4"],
        [{}, {"importance": 0.1}, {}, {"importance": 0.1}],
        ids=["plain", "metadata", "keyword", "tier"],
        importance=[None, None, 0.5, None],
        tier=[None, None, None, "session"],
    )
    entries = await store.memory.get_many(["plain", "metadata", "keyword", "tier"])
    assert [entry and entry.tier for entry in entries] == [
        Tier.PERSISTENT,
        Tier.EPHEMERAL,
        Tier.SESSION,
        Tier.SESSION,
    ]


async def test_a_store_bound_to_tiers_writes_only_there(
    tiers: MemorySystem, embedding: PlaneEmbeddings
) -> None:
    store = AxonVectorStore(tiers, embedding, tier=["ephemeral", "session"])
    store.add_texts(["1", "2", "3"], ids=["a", "b", "c"], importance=[None, 0.1, 0.99])
    entries = await store.memory.get_many(["a", "b", "c"])
    assert [entry and entry.tier for entry in entries] == [Tier.SESSION, Tier.EPHEMERAL, Tier.SESSION]
    with pytest.raises(InvalidInputError, match="persistent"):
        store.add_texts(["4"], tier="persistent")


async def test_documents_with_ids_survive_maintenance(tmp_path: Any, embedding: PlaneEmbeddings) -> None:
    from axon.core.config import MemoryConfig
    from axon.core.policies import PersistentPolicy

    policy = PersistentPolicy(compaction_threshold=1, compaction_batch_size=2)
    async with MemorySystem(MemoryConfig(persistent=policy)) as memory:
        store = AxonVectorStore(memory, embedding)
        await store.aadd_texts([str(n) for n in range(6)], ids=[f"k{n}" for n in range(6)])
        await store.memory.maintain()
        assert len(await store.aget_by_ids([f"k{n}" for n in range(6)])) == 6


def test_batch_size_is_honoured(store: AxonVectorStore, embedding: PlaneEmbeddings) -> None:
    store.add_texts(texts_of(5), batch_size=2)
    assert [len(call) for call in embedding.calls if call != ["dimensions"]] == [2, 2, 1]


@pytest.mark.parametrize("keywords", [{"importanse": 1}, {"metadata": []}, {"namespace": "other"}])
async def test_l12_unknown_keywords_are_type_errors(store: AxonVectorStore, keywords: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(keywords))):
        store.add_texts(["1"], **keywords)
    with pytest.raises(TypeError, match=next(iter(keywords))):
        await store.aadd_documents([Document(page_content="1")], **keywords)


@pytest.mark.parametrize(
    "keywords", [{"importance": 1.5}, {"importance": "high"}, {"ttl": -1}, {"tier": "gold"}]
)
def test_values_out_of_range_are_typed_errors(store: AxonVectorStore, keywords: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        store.add_texts(["1"], **keywords)
    assert store.similarity_search_by_vector(at(1)) == []
