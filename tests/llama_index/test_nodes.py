"""R6: a node comes back as it went in, and the user's metadata is the user's."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageNode,
    IndexNode,
    MediaResource,
    Node,
    NodeRelationship,
    RelatedNodeInfo,
    TextNode,
)

from axon.core.errors import InvalidInputError
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonVectorStore
from axon_integrations.llama_index.nodes import HIDDEN_PREFIX
from tests.llama_index.helpers import ask, filters, ids, node, where

VECTOR = [0.6, 0.8]
METADATA: dict[str, Any] = {
    "doc_id": "mine",
    "document_id": "mine too",
    "ref_doc_id": "also mine",
    "nested": {"list": [1, 2.5, None, True, {"deep": []}], "empty": {}},
    "list": ["a", "b"],
    "none": None,
    "bool": True,
    "int": 1,
    "float": 1.0,
    "": "empty key",
    "a.b": "dotted",
    "ключ": "значение",
}
RELATIONSHIPS: dict[NodeRelationship, Any] = {
    NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc", metadata={"title": "T"}, hash="h"),
    NodeRelationship.PREVIOUS: RelatedNodeInfo(node_id="before"),
    NodeRelationship.NEXT: RelatedNodeInfo(node_id="after", metadata={"x": [1, {"y": None}]}),
    NodeRelationship.CHILD: [RelatedNodeInfo(node_id="c1"), RelatedNodeInfo(node_id="c2")],
}
SHARED: dict[str, Any] = {
    "metadata": METADATA,
    "relationships": RELATIONSHIPS,
    "excluded_embed_metadata_keys": ["int"],
    "excluded_llm_metadata_keys": ["float", "list"],
    "metadata_template": "<{key}={value}>",
    "metadata_separator": " | ",
    "text_template": "{metadata_str} :: {content}",
    "embedding": VECTOR,
}
NODES: list[BaseNode] = [
    TextNode(id_="text", text="  some text\n", start_char_idx=3, end_char_idx=9, mimetype="text/x", **SHARED),
    IndexNode(
        id_="index", text="points", index_id="other", obj=TextNode(id_="inner", text="inside"), **SHARED
    ),
    IndexNode(id_="bare index", text="points", index_id="other", **SHARED),
    ImageNode(id_="image", text="a cat", image="aGk=", image_path="/x/cat.png", **SHARED),
    ImageNode(id_="mute image", text="", image_url="https://example.org/cat.png", **SHARED),
    TextNode(id_="blank", text=" \n", embedding=VECTOR),
    TextNode(id_="plain", text="plain", embedding=VECTOR),
    Node(
        id_="media",
        text_resource=MediaResource(text="seen and heard", mimetype="text/plain"),
        image_resource=MediaResource(data=b"\x89PNG", mimetype="image/png"),
        audio_resource=MediaResource(url="https://example.org/a.mp3"),
        **SHARED,
    ),
    Node(id_="silent media", image_resource=MediaResource(data=b"\x00"), embedding=VECTOR),
]


@pytest.mark.parametrize("given", NODES, ids=lambda each: each.node_id)
def test_r6_a_node_comes_back_as_it_went_in(store: AxonVectorStore, given: BaseNode) -> None:
    before = given.model_copy(deep=True)
    expected = given.model_copy(deep=True, update={"embedding": None})
    assert store.add([given]) == [given.node_id]
    assert given == before

    (found,) = store.get_nodes([given.node_id])
    assert type(found) is type(given)
    assert found == expected
    assert found.hash == given.hash
    assert found.ref_doc_id == given.ref_doc_id
    assert found.get_content() == given.get_content()
    result = store.query(ask(VECTOR))
    assert result.nodes == [expected]


@pytest.mark.parametrize("position", range(len(NODES)), ids=lambda at: NODES[at].node_id)
def test_r6_bool_and_number_types_survive(store: AxonVectorStore, position: int) -> None:
    given = NODES[position]
    store.add([given])
    (found,) = store.get_nodes([given.node_id])
    assert repr(found.metadata) == repr(given.metadata)


def test_r6_a_document_comes_back_as_a_text_node(store: AxonVectorStore) -> None:
    document = Document(id_="d", text="whole", metadata=METADATA, excluded_llm_metadata_keys=["int"])
    document.embedding = VECTOR
    store.add([document])
    (found,) = store.get_nodes()
    assert type(found) is TextNode
    assert (found.node_id, found.get_content(), found.metadata) == ("d", "whole", METADATA)
    assert found.excluded_llm_metadata_keys == ["int"]


def test_r6_a_document_with_media_keeps_it(store: AxonVectorStore) -> None:
    document = Document(id_="d", text="caption", image_resource=MediaResource(data=b"\x89PNG"))
    document.embedding = VECTOR
    store.add([document])
    (found,) = store.get_nodes()
    assert isinstance(found, Node)
    assert found.get_content() == "caption"
    assert found.image_resource == document.image_resource
    assert found.hash == document.hash


def test_r6_a_subclass_comes_back_as_its_base(store: AxonVectorStore) -> None:
    class Chapter(TextNode):
        """A user's own node."""

    store.add([Chapter(id_="c", text="one", metadata={"n": 1}, embedding=VECTOR)])
    (found,) = store.get_nodes()
    assert (type(found), found.get_content(), found.metadata) == (TextNode, "one", {"n": 1})


def test_r6_the_users_own_doc_id_keys_win(store: AxonVectorStore) -> None:
    store.add(
        [
            node("own", [1, 0], doc="D", doc_id="mine", document_id="mine", ref_doc_id="mine"),
            node("theirs", [0, 1], doc="D"),
            node("null", [1, 1], doc="D", doc_id=None, document_id=None, ref_doc_id=None),
        ]
    )
    for key in ("doc_id", "document_id", "ref_doc_id"):
        assert ids(store.query(ask([1, 0], filters=filters(where(key, "mine"))))) == ["own"]
        assert ids(store.query(ask([1, 0], filters=filters(where(key, "D"))))) == ["theirs"]
        assert ids(store.query(ask([1, 0], filters=filters(where(f"metadata.{key}", "D"))))) == []


def test_r6_what_was_stored_past_llama_index_is_a_text_node(store: AxonVectorStore) -> None:
    stored = run_blocking(store.client.store("said in passing", tags=["chat"], metadata={"by": "ann"}))
    (found,) = store.get_nodes(filters=filters(where("tags", "chat")))
    assert type(found) is TextNode
    assert (found.node_id, found.get_content(), found.metadata) == (stored, "said in passing", {"by": "ann"})


def test_r6_an_update_of_the_text_shows_in_the_node(store: AxonVectorStore) -> None:
    store.add([node("a", [1, 0]), NODES[7].model_copy(update={"embedding": [0, 1]})])
    memory = store.client
    for id_ in ("a", "media"):
        run_blocking(memory.update(id_, metadata=run_blocking(memory.get(id_)).metadata))
        run_blocking(memory.update(id_, importance=0.9))
    assert {each.node_id: each.get_content() for each in store.get_nodes()} == {
        "a": "text of a",
        "media": "seen and heard",
    }


def test_nodes_handed_out_share_nothing(store: AxonVectorStore) -> None:
    given = node("a", [1, 0], deep={"list": [1]})
    store.add([given])
    given.metadata["deep"]["list"].append(2)
    (first,) = store.get_nodes()
    first.metadata["deep"]["list"].append(3)
    (second,) = store.get_nodes()
    assert second.metadata == {"deep": {"list": [1]}}


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({HIDDEN_PREFIX + "node": "x"}, HIDDEN_PREFIX),
        ({"when": object()}, "when"),
        ({"bad": float("nan")}, "bad"),
    ],
)
def test_metadata_that_cannot_be_kept_is_refused(
    store: AxonVectorStore, metadata: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidInputError, match=named) as caught:
        store.add([node("good", [1, 0]), node("bad", [0, 1], **metadata)])
    assert (caught.value.index, caught.value.stored) == (1, 0)
    assert store.get_nodes() == []


def test_a_node_that_points_to_what_cannot_be_written_is_refused(store: AxonVectorStore) -> None:
    pointing = IndexNode(id_="i", text="points", index_id="x", obj=object(), embedding=VECTOR)
    with pytest.raises(InvalidInputError, match="node 'i' cannot be stored"):
        store.add([pointing])
    lone = TextNode(id_="t", text="x", embedding=VECTOR, metadata_template="\ud800")
    with pytest.raises(InvalidInputError, match="node 't' cannot be stored"):
        store.add([lone])


def test_metadata_that_holds_itself_is_refused(store: AxonVectorStore) -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    with pytest.raises(InvalidInputError, match="contains itself"):
        store.add([node("a", [1, 0], **loop)])
