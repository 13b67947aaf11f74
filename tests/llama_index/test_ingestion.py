"""The ingestion pipeline on our store: R4, R5."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core import Document
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore

from axon_integrations.llama_index import AxonVectorStore
from tests.llama_index.helpers import WordEmbedding

V1 = {"one": "the first text", "two": "the second text", "gone": "will vanish"}
V2 = {"one": "the first text", "two": "the second text, changed", "new": "a third text"}
AFTER = {
    DocstoreStrategy.UPSERTS: {**V1, **V2},
    # Only whole new texts are added here; what changed or vanished stays.
    DocstoreStrategy.DUPLICATES_ONLY: None,
    DocstoreStrategy.UPSERTS_AND_DELETE: V2,
}


def documents(texts: dict[str, str]) -> list[Document]:
    return [Document(id_=id_, text=text, metadata={"name": id_}) for id_, text in texts.items()]


def pipeline(store: AxonVectorStore, strategy: DocstoreStrategy, *, split: bool) -> IngestionPipeline:
    transformations: list[Any] = [SentenceSplitter(chunk_size=64, chunk_overlap=0)] if split else []
    return IngestionPipeline(
        transformations=[*transformations, WordEmbedding()],
        vector_store=store,
        docstore=SimpleDocumentStore(),
        docstore_strategy=strategy,
    )


async def run(made: IngestionPipeline, texts: dict[str, str], *, use_async: bool) -> None:
    if use_async:
        await made.arun(documents=documents(texts))
    else:
        made.run(documents=documents(texts))


@pytest.mark.parametrize("use_async", [False, True])
async def test_r4_a_pipeline_without_a_splitter_leaves_only_the_new_version(
    store: AxonVectorStore, use_async: bool
) -> None:
    made = pipeline(store, DocstoreStrategy.UPSERTS, split=False)
    await run(made, {"d": "version one"}, use_async=use_async)
    await run(made, {"d": "version two"}, use_async=use_async)
    assert [(each.node_id, each.get_content()) for each in store.get_nodes()] == [("d", "version two")]


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("strategy", list(DocstoreStrategy))
async def test_r5_run_and_arun_give_identical_stores(
    store: AxonVectorStore, strategy: DocstoreStrategy, split: bool
) -> None:
    stores = {
        use_async: AxonVectorStore(store.client, namespace=f"async {use_async}")
        for use_async in (False, True)
    }
    contents = {}
    for use_async, each in stores.items():
        made = pipeline(each, strategy, split=split)
        await run(made, V1, use_async=use_async)
        await run(made, V2, use_async=use_async)
        contents[use_async] = sorted(
            (found.metadata["name"], found.get_content()) for found in each.get_nodes()
        )
    assert contents[False] == contents[True]
    expected = AFTER[strategy]
    if expected is not None:
        assert contents[False] == sorted(expected.items())
    elif split:
        assert contents[False] == sorted([*V1.items(), ("two", V2["two"]), ("new", V2["new"])])
    else:
        assert contents[False] == sorted({**V1, **V2}.items())
