"""Reading and deleting by id and by filter: R2 to R4, R8 to R11."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from axon.core.errors import InvalidInputError
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.helpers import ask, filters, ids, node, where

ODD_IDS = [
    "abc",
    str(uuid.UUID(int=7)),
    "a/b",
    "a:b*?[x]",
    "Ünïcode 🦊 \u200d",
    " ",
    "None",
    "x" * 500,
    "a'b\"c\n",
]


def held(store: AxonVectorStore) -> list[str]:
    return sorted(each.node_id for each in store.get_nodes())


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add(
        [node(id_, [1, index], n=index, doc="D" if index < 2 else None) for index, id_ in enumerate("abcde")]
    )
    return store


async def test_r2_ids_come_back_unchanged_and_in_order(store: AxonVectorStore) -> None:
    nodes = [node(id_, [1, index]) for index, id_ in enumerate(ODD_IDS)]
    assert await store.async_add(nodes) == ODD_IDS
    assert store.add(nodes[::-1]) == ODD_IDS[::-1]
    assert [each.node_id for each in await store.aget_nodes(ODD_IDS)] == ODD_IDS
    assert sorted(ids(await store.aquery(ask([1, 0], k=20)))) == sorted(ODD_IDS)
    await store.adelete_nodes(ODD_IDS[1:])
    assert held(store) == ODD_IDS[:1]


def test_r2_importance_spreads_nodes_over_tiers_and_order_stays(store: AxonVectorStore) -> None:
    nodes = [
        node(f"n{at}", [1, at], **({} if at % 4 == 3 else {"importance": (at % 4) / 3})) for at in range(12)
    ]
    assert store.add(nodes) == [each.node_id for each in nodes]
    assert [each.node_id for each in store.get_nodes([f"n{at}" for at in range(12)])] == [
        f"n{at}" for at in range(12)
    ]
    tiers = {at: run_blocking(store.client.get(f"n{at}")).tier for at in (0, 1, 3)}
    assert tiers[3] == store.client.tiers[-1]
    assert tiers[0] == store.client.tiers[0]


def test_r3_an_id_added_again_replaces_text_metadata_and_vector(store: AxonVectorStore) -> None:
    store.add([node("x", [1, 0], "about cats", version=1, old=True, tags=["old"], importance=0.1)])
    store.add([node("x", [0, 1], "about dogs", version=2, tags=["new"])])
    (found,) = store.get_nodes()
    assert (found.get_content(), found.metadata) == ("about dogs", {"version": 2, "tags": ["new"]})
    assert store.query(ask([0, 1])).similarities == pytest.approx([1.0])
    assert ids(store.query(ask([1, 0], filters=filters(where("tags", "old"))))) == []
    assert ids(store.query(ask([1, 0], filters=filters(where("old", None, "is_empty"))))) == ["x"]


def test_r3_of_equal_ids_in_one_call_the_last_wins(store: AxonVectorStore) -> None:
    assert store.add([node("x", [1, 0], "first"), node("y", [1, 1]), node("x", [0, 1], "last")]) == [
        "x",
        "y",
        "x",
    ]
    assert [each.get_content() for each in store.get_nodes(["x"])] == ["last"]
    assert held(store) == ["x", "y"]


async def test_r4_delete_takes_the_nodes_of_a_document_and_the_document_itself(
    store: AxonVectorStore,
) -> None:
    nodes = [
        node("chunk 1", [1, 0], doc="x"),
        node("chunk 2", [1, 1], doc="x"),
        node("x", [0, 1]),
        node("y", [0, 1], doc="z"),
        node("z", [1, 2], doc="other"),
    ]
    store.add(nodes)
    store.delete("x")
    assert held(store) == ["y", "z"]
    await store.adelete("z")
    assert held(store) == ["z"], "a node with a document of its own is not the document z"
    await store.adelete("nobody")
    assert held(store) == ["z"]


def test_r4_delete_sees_the_document_not_the_users_key(store: AxonVectorStore) -> None:
    store.add([node("a", [1, 0], doc="real", ref_doc_id="claimed"), node("b", [0, 1], ref_doc_id="claimed")])
    store.delete("claimed")
    assert held(store) == ["a", "b"]
    store.delete("real")
    assert held(store) == ["b"]


def test_r8_empty_id_lists_mean_none(filled: AxonVectorStore) -> None:
    assert filled.get_nodes([]) == []
    assert filled.get_nodes([], filters(where("n", 1))) == []
    filled.delete_nodes([])
    filled.delete_nodes([], filters(where("n", 1)))
    assert held(filled) == list("abcde")


@pytest.mark.parametrize("empty", [None, filters(), filters(filters(), filters(filters(), condition="not"))])
async def test_r8_deleting_without_ids_and_conditions_is_refused(filled: AxonVectorStore, empty: Any) -> None:
    with pytest.raises(InvalidInputError, match="clear"):
        filled.delete_nodes(filters=empty)
    with pytest.raises(InvalidInputError, match="clear"):
        await filled.adelete_nodes(filters=empty)
    with pytest.raises(InvalidInputError, match="clear"):
        filled.delete_nodes(tier="persistent")
    assert held(filled) == list("abcde")
    await filled.adelete_nodes(["a"], empty)
    assert held(filled) == list("bcde")


async def test_r9_ids_and_filters_intersect(filled: AxonVectorStore) -> None:
    either = filters(where("n", 3), where("n", 4), condition="or")
    assert [each.node_id for each in filled.get_nodes(["a", "e"], either)] == ["e"]
    assert [each.node_id for each in await filled.aget_nodes(["a", "e"], either)] == ["e"]
    filled.delete_nodes(["a", "e"], either)
    assert held(filled) == list("abcd")
    await filled.adelete_nodes(["a", "d"], either)
    assert held(filled) == list("abc")


async def test_r10_get_nodes_by_ids_filters_both_and_neither(filled: AxonVectorStore) -> None:
    assert [each.node_id for each in filled.get_nodes(["d", "nobody", "a", "d"])] == ["d", "a"]
    above = filters(where("n", 2, ">"))
    assert sorted(each.node_id for each in await filled.aget_nodes(filters=above)) == ["d", "e"]
    assert [each.node_id for each in await filled.aget_nodes(["e", "a"], above)] == ["e"]
    assert sorted(each.node_id for each in await filled.aget_nodes()) == list("abcde")
    assert sorted(each.node_id for each in await filled.aget_nodes(None, filters())) == list("abcde")


def test_r10_r22_there_is_no_hidden_cap(store: AxonVectorStore) -> None:
    count = 10_050
    added = store.add([node(f"n{at:05}", [1.0, at / count], n=at) for at in range(count)])
    assert len(added) == count
    assert len(store.get_nodes()) == count
    assert len(store.get_nodes(added)) == count
    assert len(store.get_nodes(filters=filters(where("n", 20, ">=")))) == count - 20
    assert len(ids(store.query(ask([1.0, 0.0], k=count)))) == count
    store.delete_nodes(filters=filters(where("n", 3, ">=")))
    assert held(store) == ["n00000", "n00001", "n00002"]


async def test_r11_an_empty_store_answers_and_clears(store: AxonVectorStore) -> None:
    for _ in range(2):
        assert ids(store.query(ask([1, 0]))) == []
        assert ids(await store.aquery(ask([1, 0], filters=filters(where("n", 1))))) == []
        assert store.get_nodes() == []
        assert store.get_nodes(["a"]) == []
        store.delete_nodes(filters=filters(where("n", 1)))
        store.delete_nodes(["a"])
        store.delete("a")
        store.clear()
        await store.aclear()
        store.add([node("a", [1, 0], n=1), node("b", [0, 1], n=2)])
        store.delete_nodes(filters=filters(where("n", 1)))
        assert held(store) == ["b"]
        store.clear()


def test_r11_clear_frees_the_namespace_for_another_dimension(store: AxonVectorStore) -> None:
    store.add([node("a", [1, 0])])
    store.clear()
    store.add([node("a", [1, 0, 0])])
    assert ids(store.query(ask([1, 0, 0]))) == ["a"]


def test_clear_stays_in_its_tier_and_namespace(store: AxonVectorStore) -> None:
    memory = store.client
    store.add([node("a", [1, 0], importance=0.0), node("b", [0, 1])])
    AxonVectorStore(memory, namespace="other").add([node("c", [1, 0])])
    AxonVectorStore(memory, namespace="other").clear()
    assert held(store) == ["a", "b"]
    AxonVectorStore(memory, tier=memory.tiers[-1]).clear()
    assert held(store) == (["a"] if len(memory.tiers) > 1 else [])
