"""Documents in a LlamaIndex index, kept in Axon's tiers: no server, no key, no download."""

from llama_index.core import Document, StorageContext, VectorStoreIndex
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters

from axon import MemoryConfig, MemorySystem
from axon.embedders.hashing import HashingEmbedder
from axon_integrations.llama_index import AxonEmbedding, AxonVectorStore, from_llama_index

embed_model = AxonEmbedding(HashingEmbedder())  # or any other LlamaIndex embedding model
# MemoryConfig.local("memory.db") keeps everything in one file instead.
memory = MemorySystem(MemoryConfig.in_memory(), embedder=from_llama_index(embed_model))
store = AxonVectorStore(memory)

documents = [
    Document(text="The deploy key is rotated every month.", metadata={"tags": ["ops"], "importance": 0.9}),
    Document(
        text="Lunch today is at noon in the blue room.", metadata={"tags": ["office"], "importance": 0.1}
    ),
    Document(text="The release branch is cut on Fridays.", metadata={"tags": ["ops", "release"]}),
]
context = StorageContext.from_defaults(vector_store=store)
index = VectorStoreIndex.from_documents(documents, storage_context=context, embed_model=embed_model)

ops = MetadataFilters(filters=[MetadataFilter(key="tags", operator=FilterOperator.CONTAINS, value="ops")])
for found in index.as_retriever(similarity_top_k=2, filters=ops).retrieve(
    "What about the deploy key and the release branch?"
):
    print(f"{found.score:.2f}  {found.text}")
