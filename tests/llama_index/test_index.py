"""A VectorStoreIndex on our store, end to end: R24."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.indices.vector_store import VectorIndexAutoRetriever
from llama_index.core.llms import MockLLM
from llama_index.core.memory import VectorMemory
from llama_index.core.schema import ImageNode, IndexNode, TextNode
from llama_index.core.vector_stores.types import MetadataInfo, VectorStoreQueryMode

from axon_integrations.llama_index import AXON_METADATA_INFO, AxonVectorStore, axon_vector_store_info
from tests.llama_index.helpers import WordEmbedding, filters, where

DOCUMENTS = [
    Document(id_="cats", text="cats purr and sleep all day", metadata={"topic": "pets", "year": 2021}),
    Document(id_="dogs", text="dogs bark at the mail carrier", metadata={"topic": "pets", "year": 2023}),
    Document(id_="stars", text="stars shine in the night sky", metadata={"topic": "space", "year": 2023}),
]


@pytest.fixture
def index(store: AxonVectorStore) -> VectorStoreIndex:
    return VectorStoreIndex.from_documents(
        DOCUMENTS,
        storage_context=StorageContext.from_defaults(vector_store=store),
        embed_model=WordEmbedding(),
    )


def documents_of(found: Any) -> list[str]:
    return [each.node.ref_doc_id for each in found]


def held(store: AxonVectorStore) -> list[str]:
    return sorted(str(each.ref_doc_id) for each in store.get_nodes())


async def test_r24_retrieve_by_meaning_and_filter(index: VectorStoreIndex, store: AxonVectorStore) -> None:
    assert documents_of(index.as_retriever(similarity_top_k=1).retrieve("do cats purr")) == ["cats"]
    fresh = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
    retriever = fresh.as_retriever(
        similarity_top_k=3, filters=filters(where("topic", "pets"), where("year", 2022, ">"))
    )
    assert documents_of(retriever.retrieve("do cats purr")) == ["dogs"]
    assert documents_of(await retriever.aretrieve("do cats purr")) == ["dogs"]
    found = await fresh.as_retriever(similarity_top_k=3).aretrieve("night sky")
    assert documents_of(found)[0] == "stars"
    assert all(isinstance(each.score, float) for each in found)


async def test_r24_the_modes_of_a_retriever(index: VectorStoreIndex) -> None:
    for mode in ("default", "mmr", "hybrid", "sparse", "text_search"):
        retriever = index.as_retriever(vector_store_query_mode=VectorStoreQueryMode(mode), similarity_top_k=2)
        assert documents_of(retriever.retrieve("mail carrier"))[0] == "dogs", mode
        assert documents_of(await retriever.aretrieve("mail carrier"))[0] == "dogs", mode
    with pytest.raises(ValueError, match="svm"):
        index.as_retriever(vector_store_query_mode=VectorStoreQueryMode.SVM).retrieve("mail")


def test_r24_keywords_and_doc_ids_of_a_retriever(index: VectorStoreIndex) -> None:
    def top(**keywords: Any) -> list[str]:
        return sorted(documents_of(index.as_retriever(similarity_top_k=5, **keywords).retrieve("dogs")))

    assert top(doc_ids=["cats", "stars"]) == ["cats", "stars"]
    assert top(doc_ids=[]) == []
    assert top(vector_store_kwargs={"filter": {"year": {"$lt": 2022}}}) == ["cats"]
    assert top(vector_store_kwargs={"namespace": "empty"}) == []
    assert top(vector_store_kwargs={"min_importance": 0.9}) == []


async def test_r24_insert_delete_update_refresh(index: VectorStoreIndex, store: AxonVectorStore) -> None:
    index.insert(Document(id_="moon", text="the moon is full"))
    await index.ainsert(Document(id_="sun", text="the sun is hot"))
    assert held(store) == ["cats", "dogs", "moon", "stars", "sun"]
    index.delete_ref_doc("moon")
    await index.adelete_ref_doc("sun")
    assert held(store) == ["cats", "dogs", "stars"]
    index.update_ref_doc(Document(id_="cats", text="cats hiss at cucumbers"))
    assert documents_of(index.as_retriever(similarity_top_k=1).retrieve("cucumbers")) == ["cats"]
    assert held(store) == ["cats", "dogs", "stars"]
    changed = Document(id_="dogs", text="dogs dig holes")
    assert index.refresh_ref_docs([DOCUMENTS[2], changed]) == [False, True]
    assert held(store) == ["cats", "dogs", "stars"]
    assert documents_of(index.as_retriever(similarity_top_k=1).retrieve("dig holes")) == ["dogs"]


def test_r24_inserted_nodes_take_the_keywords_of_add(index: VectorStoreIndex, store: AxonVectorStore) -> None:
    index.insert_nodes([TextNode(id_="brief", text="for now")], ttl=3600, tier=store.client.tiers[0])
    (found,) = store.get_nodes(filters=filters(where("expires_at", "2020-01-01", ">")))
    assert found.node_id == "brief"
    index.delete_nodes(["brief"])
    assert "brief" not in [each.node_id for each in store.get_nodes()]


def test_r24_a_query_engine_answers(index: VectorStoreIndex) -> None:
    answer = index.as_query_engine(llm=MockLLM(), similarity_top_k=1).query("do cats purr")
    assert "cats purr" in str(answer)
    assert documents_of(answer.source_nodes) == ["cats"]


async def test_r24_async_building_gives_the_same_store(store: AxonVectorStore) -> None:
    index = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
    await index.ainsert_nodes([TextNode(id_=f"n{at}", text=f"number {at}") for at in range(5)])
    assert sorted(each.node_id for each in store.get_nodes()) == [f"n{at}" for at in range(5)]


class ScriptedLLM(MockLLM):
    """Answers every prompt with the same text, and keeps the prompts."""

    _answer: str = PrivateAttr()
    _prompts: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, answer: str) -> None:
        super().__init__()
        self._answer = answer

    @property
    def prompts(self) -> list[str]:
        return self._prompts

    def predict(self, prompt: Any, **arguments: Any) -> str:
        self._prompts.append(prompt.format(**arguments))
        return self._answer

    async def apredict(self, prompt: Any, **arguments: Any) -> str:
        return self.predict(prompt, **arguments)


async def auto_retrieve(store: AxonVectorStore, chosen: list[dict[str, Any]], **keywords: Any) -> list[str]:
    llm = ScriptedLLM(f"```json\n{json.dumps({'query': 'anything', 'filters': chosen, 'top_k': 5})}\n```")
    retriever = VectorIndexAutoRetriever(
        VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding()),
        vector_store_info=axon_vector_store_info(
            "notes", [MetadataInfo(name="topic", type="str", description="subject")]
        ),
        llm=llm,
        similarity_top_k=5,
        **keywords,
    )
    blocking = sorted(each.node_id for each in retriever.retrieve("what?"))
    assert blocking == sorted(each.node_id for each in await retriever.aretrieve("what?"))
    assert all('"name": "importance"' in prompt and '"name": "topic"' in prompt for prompt in llm.prompts)
    return blocking


async def test_r24_an_auto_retriever_reaches_tags_importance_and_user_keys(store: AxonVectorStore) -> None:
    index = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
    index.insert_nodes(
        [
            TextNode(
                id_="a", text="one", metadata={"tags": ["work", "plan"], "importance": 0.9, "topic": "x"}
            ),
            TextNode(id_="b", text="two", metadata={"tags": ["work"], "importance": 0.2, "topic": "y"}),
            TextNode(id_="c", text="three", metadata={"topic": "x"}),
        ]
    )
    cases: list[tuple[list[dict[str, Any]], list[str]]] = [
        ([], ["a", "b", "c"]),
        ([{"key": "tags", "value": "work", "operator": "=="}], ["a", "b"]),
        ([{"key": "tags", "value": ["plan", "none"], "operator": "in"}], ["a"]),
        ([{"key": "tags", "value": ["plan", "work"], "operator": "all"}], ["a"]),
        ([{"key": "importance", "value": 0.5, "operator": ">="}], ["a", "c"]),
        ([{"key": "topic", "value": "x"}, {"key": "importance", "value": 0.5, "operator": ">"}], ["a"]),
        ([{"key": "created_at", "value": "2020-01-01", "operator": "<"}], []),
        (
            [{"key": "tier", "value": "persistent", "operator": "!="}],
            [] if len(store.client.tiers) == 1 else ["b"],
        ),
    ]
    for chosen, expected in cases:
        assert await auto_retrieve(store, chosen) == expected, chosen
    extra = filters(where("topic", "y"))
    assert await auto_retrieve(store, [{"key": "tags", "value": "work"}], extra_filters=extra) == ["b"]


async def test_r24_a_choice_that_makes_no_sense_is_an_error_that_names_it(store: AxonVectorStore) -> None:
    with pytest.raises(ValueError, match=r"'in' on tags"):
        await auto_retrieve(store, [{"key": "tags", "value": "work", "operator": "in"}])
    with pytest.raises(ValueError, match=r"'text_match'.*created_at"):
        await auto_retrieve(store, [{"key": "created_at", "value": "2024", "operator": "text_match"}])


def test_the_ready_made_store_info() -> None:
    assert {each.name for each in AXON_METADATA_INFO} == {
        "tags", "importance", "tier", "session_id", "created_at", "updated_at", "expires_at", "id",
    }  # fmt: skip
    own = MetadataInfo(name="tags", type="list[str]", description="colours")
    info = axon_vector_store_info("notes", [own])
    assert info.content_info == "notes"
    assert [each for each in info.metadata_info if each.name == "tags"] == [own]


def test_the_index_node_note(store: AxonVectorStore) -> None:
    """An index sends the ids of index and image nodes it has seen; a fresh one sends none. See the docs."""
    index = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
    index.insert_nodes(
        [
            TextNode(id_="text", text="plain words"),
            IndexNode(id_="pointer", text="words that point", index_id="elsewhere"),
            ImageNode(id_="picture", text="words of a picture", image_url="https://example.org/p.png"),
        ]
    )
    fresh = VectorStoreIndex.from_vector_store(store, embed_model=WordEmbedding())
    found = fresh.as_retriever(similarity_top_k=5).retrieve("words")
    assert {each.node_id: type(each.node) for each in found} == {
        "text": TextNode,
        "pointer": IndexNode,
        "picture": ImageNode,
    }


def test_a_vector_memory_recalls_from_it(store: AxonVectorStore) -> None:
    from llama_index.core.base.llms.types import ChatMessage

    memory = VectorMemory.from_defaults(
        vector_store=store, embed_model=WordEmbedding(), retriever_kwargs={"similarity_top_k": 1}
    )
    memory.put(ChatMessage(role="user", content="my cat is called Minka"))
    memory.put(ChatMessage(role="user", content="I work at the harbour"))
    assert [each.content for each in memory.get("what is the cat called")] == ["my cat is called Minka"]
