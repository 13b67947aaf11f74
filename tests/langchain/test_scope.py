"""L15: nothing a caller or a model passes reaches beyond what a store is bound to."""

from __future__ import annotations

from typing import Any

import pytest

from axon.core.errors import ConfigError, EmbeddingMismatchError, InvalidInputError
from axon.core.filter import Filter
from axon.core.memory_system import MemorySystem
from axon_integrations.langchain import AxonRetriever, AxonVectorStore
from tests.langchain.planes import PlaneEmbeddings

HOSTILE_FILTERS: list[Any] = [
    {},
    {"namespace": "theirs"},
    {"$or": [{"owner": "theirs"}, {"owner": "ours"}]},
    {"$not": {"owner": "ours"}},
    {"owner": {"$in": ["theirs", "ours"]}},
    {"id": "secret"},
    Filter(),
    ~Filter(metadata={"owner": "ours"}),
    lambda document: True,
]


@pytest.fixture
def two(memory: MemorySystem, embedding: PlaneEmbeddings) -> tuple[AxonVectorStore, AxonVectorStore]:
    """Two tenants of one memory; the namespaces would match each other if anything read them as patterns."""
    ours = AxonVectorStore(memory, embedding, namespace="tenant_*")
    theirs = AxonVectorStore(memory, embedding, namespace="tenant_a")
    ours.add_texts(["1", "2"], [{"owner": "ours"}] * 2, ids=["mine", "shared id"])
    theirs.add_texts(["1", "2"], [{"owner": "theirs"}] * 2, ids=["secret", "shared id"])
    return ours, theirs


def owners(documents: Any) -> set[str]:
    return {document.metadata["owner"] for document in documents}


@pytest.mark.parametrize("filter_", HOSTILE_FILTERS)
async def test_l15_no_filter_widens_a_search(
    two: tuple[AxonVectorStore, AxonVectorStore], filter_: Any
) -> None:
    ours, _ = two
    found = [
        *ours.similarity_search("1", k=9, filter=filter_),
        *ours.max_marginal_relevance_search("1", k=9, filter=filter_),
        *ours.as_retriever(search_kwargs={"filter": {"owner": "ours"}}).invoke("1", filter=filter_),
        *await AxonRetriever(memory=ours.memory).ainvoke("1", filter=filter_),
    ]
    assert owners(found) <= {"ours"}


@pytest.mark.parametrize("filter_", HOSTILE_FILTERS[1:6] + HOSTILE_FILTERS[7:])
def test_l15_no_filter_deletes_beyond(two: tuple[AxonVectorStore, AxonVectorStore], filter_: Any) -> None:
    ours, theirs = two
    ours.delete(filter=filter_)
    assert len(theirs.get_by_ids(["secret", "shared id"])) == 2


def test_l15_ids_do_not_cross(two: tuple[AxonVectorStore, AxonVectorStore]) -> None:
    ours, theirs = two
    assert [document.id for document in ours.get_by_ids(["secret", "mine", "shared id"])] == [
        "mine",
        "shared id",
    ]
    assert owners(ours.get_by_ids(["shared id"])) == {"ours"}
    ours.delete(["secret", "shared id"])
    assert len(theirs.get_by_ids(["secret", "shared id"])) == 2
    ours.delete(delete_all=True)
    assert len(theirs.similarity_search("1", k=9)) == 2


def test_l15_what_self_query_does_with_search_kwargs_cannot_widen(
    two: tuple[AxonVectorStore, AxonVectorStore],
) -> None:
    """SelfQueryRetriever puts the model's filter in place of the one the programmer configured."""
    ours, _ = two
    configured = {"filter": {"owner": "ours"}, "k": 9}
    from_the_model = {"filter": {"owner": {"$ne": "ours"}}}
    assert ours.search("1", "similarity", **{**configured, **from_the_model}) == []


@pytest.mark.parametrize("namespace", ["", 7])
def test_an_empty_namespace_is_an_error(memory: MemorySystem, namespace: Any) -> None:
    with pytest.raises(InvalidInputError, match="namespace"):
        AxonVectorStore(memory, namespace=namespace)


def test_the_memorys_own_namespace_is_the_default(memory: MemorySystem, embedding: PlaneEmbeddings) -> None:
    tenant = memory.scope("tenant")
    AxonVectorStore(tenant, embedding).add_texts(["1"])
    assert len(AxonVectorStore(memory, embedding, namespace="tenant").similarity_search("1")) == 1
    assert AxonVectorStore(memory, embedding).similarity_search("1") == []


def test_another_embedding_is_refused(memory: MemorySystem, embedding: PlaneEmbeddings) -> None:
    class Other(PlaneEmbeddings):
        model = "another"

    AxonVectorStore(memory, embedding).add_texts(["1"])
    with pytest.raises(EmbeddingMismatchError, match="another"):
        AxonVectorStore(memory, Other()).add_texts(["2"])
    with pytest.raises(EmbeddingMismatchError, match="another"):
        AxonVectorStore(memory, Other()).similarity_search("1")
    AxonVectorStore(memory, Other(), namespace="apart").add_texts(["2"])


def test_without_an_embedding_the_memorys_own_is_used(memory: MemorySystem) -> None:
    store = AxonVectorStore(memory)
    store.add_texts(["the fox is red", "tea is green"])
    assert store.similarity_search("which fox?", k=1)[0].page_content == "the fox is red"
    assert store.embeddings.embed_query("fox") == pytest.approx(store.embeddings.embed_documents(["fox"])[0])


def test_arguments_of_the_wrong_kind(memory: MemorySystem, embedding: PlaneEmbeddings) -> None:
    with pytest.raises(ConfigError, match="MemorySystem"):
        AxonVectorStore(embedding)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Embeddings"):
        AxonVectorStore(memory, "text-embedding-3-small")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="gold"):
        AxonVectorStore(memory, embedding, tier="gold")
