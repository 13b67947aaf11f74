"""Questions about documents in LlamaIndex: ingested once, updated in place, filtered by tag and importance.

Runs without a key on a stand-in that repeats its prompt; with OPENAI_API_KEY set and llama-index-llms-openai installed,
on a real model.
"""

import os

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters

from axon import MemoryConfig, MemorySystem
from axon.embedders.hashing import HashingEmbedder
from axon_integrations.llama_index import AxonEmbedding, AxonVectorStore, from_llama_index

if os.environ.get("OPENAI_API_KEY"):
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4.1-mini")
else:
    model = MockLLM()

embed_model = AxonEmbedding(HashingEmbedder())  # or any other LlamaIndex embedding model
memory = MemorySystem(MemoryConfig.in_memory(), embedder=from_llama_index(embed_model))
store = AxonVectorStore(memory)
pipeline = IngestionPipeline(
    transformations=[SentenceSplitter(chunk_size=256, chunk_overlap=0), embed_model],
    vector_store=store,
    docstore=SimpleDocumentStore(),
    docstore_strategy=DocstoreStrategy.UPSERTS,
)


def note(name: str, text: str, tag: str, importance: float) -> Document:
    return Document(doc_id=name, text=text, metadata={"tags": [tag], "importance": importance})


pipeline.run(
    documents=[
        note("keys", "The deploy key is rotated every month.", "ops", 0.9),
        note("coffee", "The coffee key hangs by the door.", "office", 0.2),
        note("backups", "Backups run at two in the night.", "ops", 0.8),
    ]
)
written = pipeline.run(documents=[note("keys", "The deploy key is rotated every week.", "ops", 0.9)])
print(f"{len(written)} of 3 documents had changed; {len(store.get_nodes())} nodes are kept.")

important = MetadataFilters(
    filters=[
        MetadataFilter(key="tags", value="ops"),
        MetadataFilter(key="importance", operator=FilterOperator.GTE, value=0.5),
    ]
)
index = VectorStoreIndex.from_vector_store(store, embed_model=embed_model)
engine = index.as_query_engine(llm=model, filters=important, similarity_top_k=1)
answer = engine.query("How often is the deploy key rotated?")
print(answer)
for source in answer.source_nodes:
    print(f"{source.score:.2f}  {source.text}")
