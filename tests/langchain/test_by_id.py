"""Reading by id and deleting: L9, L10."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from axon.core.errors import InvalidInputError
from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add_texts(
        ["1", "2", "3", "4"],
        [{"n": n, "even": n % 2 == 0} for n in (1, 2, 3, 4)],
        ids=["a", "b", "c", "d"],
        tags=[["x"], ["x", "y"], [], ["y"]],
    )
    return store


def ids_in(store: AxonVectorStore) -> list[str | None]:
    return [document.id for document in store.get_by_ids(["a", "b", "c", "d"])]


def test_l10_input_order_and_missing_ones_skipped(filled: AxonVectorStore) -> None:
    found = filled.get_by_ids(["d", "nowhere", "a", "", "c"])
    assert [(document.id, document.page_content) for document in found] == [
        ("d", "4"),
        ("a", "1"),
        ("c", "3"),
    ]
    assert filled.get_by_ids([]) == []


def test_l10_one_batched_call_per_tier(
    tiers: MemorySystem, embedding: PlaneEmbeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from axon.core.tier import TierStore

    store = AxonVectorStore(tiers, embedding)
    store.add_texts(["1", "2", "3"], ids=["a", "b", "c"], tier=["ephemeral", "session", "persistent"])
    calls: list[str] = []
    original = TierStore.get_many

    async def counted(self: TierStore, namespace: str, ids: Sequence[str]) -> Any:
        calls.append(self.name)
        return await original(self, namespace, ids)

    monkeypatch.setattr(TierStore, "get_many", counted)
    assert [document.id for document in store.get_by_ids(["c", "a", "b", "nowhere"])] == ["c", "a", "b"]
    assert sorted(calls) == ["ephemeral", "persistent", "session"]


async def test_l9_deleting_what_is_not_there_is_no_error(filled: AxonVectorStore) -> None:
    assert filled.delete(["nowhere", "a"]) is True
    assert await filled.adelete(["nowhere", ""]) is True
    assert filled.delete([]) is True
    assert ids_in(filled) == ["b", "c", "d"]


async def test_l9_delete_without_arguments_refuses(filled: AxonVectorStore) -> None:
    for keywords in (
        {},
        {"ids": None},
        {"filter": None},
        {"filter": {}},
        {"filter": Filter()},
        {"delete_all": False},
    ):
        with pytest.raises(ValueError, match="delete_all=True"):
            filled.delete(**keywords)
        with pytest.raises(ValueError, match="delete_all=True"):
            await filled.adelete(**keywords)
    assert ids_in(filled) == ["a", "b", "c", "d"]


def test_l9_delete_all(filled: AxonVectorStore) -> None:
    with pytest.raises(InvalidInputError, match="stands alone"):
        filled.delete(["a"], delete_all=True)
    assert filled.delete(delete_all=True) is True
    assert ids_in(filled) == []


@pytest.mark.parametrize(
    "filter_",
    [
        {"even": True},
        Filter(metadata={"even": True}),
        lambda document: document.metadata["even"],
        {"n": {"$in": [2, 4]}},
    ],
)
def test_l9_delete_by_filter(filled: AxonVectorStore, filter_: Any) -> None:
    assert filled.delete(filter=filter_) is True
    assert ids_in(filled) == ["a", "c"]


@pytest.mark.parametrize(
    "filter_", [{"$or": [{"even": True}, {"n": 1}]}, lambda document: document.metadata["n"] != 3]
)
def test_c8_ids_and_filter_intersect(filled: AxonVectorStore, filter_: Any) -> None:
    filled.delete(["a", "c"], filter=filter_)
    assert ids_in(filled) == ["b", "c", "d"]
    filled.delete(["b"], filter={})
    assert ids_in(filled) == ["c", "d"]
    filled.delete([], filter=filter_)
    assert ids_in(filled) == ["c", "d"]


def test_one_string_is_not_a_list_of_ids(filled: AxonVectorStore) -> None:
    with pytest.raises(InvalidInputError, match="list of strings"):
        filled.delete("ab")
    with pytest.raises(InvalidInputError, match="list of strings"):
        filled.get_by_ids("ab")
    assert ids_in(filled) == ["a", "b", "c", "d"]


def test_l12_unknown_keywords_are_type_errors(filled: AxonVectorStore) -> None:
    with pytest.raises(TypeError, match="'where'"):
        filled.delete(where={"n": 1})


def test_a_store_bound_to_a_tier_reads_and_deletes_only_there(
    tiers: MemorySystem, embedding: PlaneEmbeddings
) -> None:
    everything = AxonVectorStore(tiers, embedding)
    everything.add_texts(["1", "2"], ids=["a", "b"], tier=["session", "persistent"])
    session = AxonVectorStore(tiers, embedding, tier="session")
    assert ids_in(session) == ["a"]
    assert [document.id for document in session.similarity_search("1", k=9)] == ["a"]
    assert session.similarity_search("1", tier="persistent") == []
    session.delete(["b"])
    session.delete(filter={"tier": "persistent"})
    session.delete(filter=lambda document: document.id == "b")
    assert ids_in(everything) == ["a", "b"]
    session.delete(delete_all=True)
    assert ids_in(everything) == ["b"]
