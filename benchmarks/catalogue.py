"""The benchmarks by name, in the order of the table."""

from __future__ import annotations

from benchmarks import (
    durable,
    langchain_face,
    llama_index_face,
    network_chroma,
    network_qdrant,
    network_redis,
    peers,
    process,
    recalls,
    stores,
    texts,
    writes,
)
from benchmarks.plan import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    "store": writes.store_one_by_one,
    "gather": writes.store_gathered,
    "bulk": writes.bulk_store,
    "get": writes.get_and_delete,
    "recall-1k": recalls.recall_small,
    "recall-10k": recalls.recall_medium,
    "recall-100k": recalls.recall_large,
    "filter-10k": recalls.recall_filtered_medium,
    "filter-100k": recalls.recall_filtered_large,
    "gathered-recalls": recalls.recall_gathered,
    "hybrid": texts.hybrid,
    "text-index": texts.text_index,
    "langchain": peers.langchain,
    "llama-index": peers.llama_index,
    "langgraph": stores.langgraph,
    "langchain-search": langchain_face.search,
    "langchain-stall": langchain_face.stall,
    "langchain-import": langchain_face.import_time,
    "llama-index-query": llama_index_face.query,
    "sqlite-store": durable.store,
    "sqlite-bulk": durable.bulk,
    "sqlite-recall": durable.recall,
    "sqlite-reopen": durable.reopen,
    "redis-gathered": network_redis.gathered,
    "redis-bulk": network_redis.bulk,
    "redis-recall": network_redis.recall,
    "redis-search": network_redis.recall_by_module,
    "chroma-bulk": network_chroma.bulk,
    "chroma-server-bulk": network_chroma.bulk_on_server,
    "chroma-gathered": network_chroma.gathered,
    "chroma-reading": network_chroma.reading,
    "chroma-peer": network_chroma.peer,
    "qdrant-local": network_qdrant.local,
    "qdrant-edge": network_qdrant.edge,
    "qdrant-rest": network_qdrant.rest,
    "qdrant-grpc": network_qdrant.grpc,
    "sync": process.sync_face,
    "loop-stall": process.loop_stall,
    "import": process.import_time,
    "memory": process.memory_per_entry,
}

NETWORK = frozenset(name for name in BENCHMARKS if name.startswith(("redis-", "chroma-", "qdrant-")))
"""Those that need servers and clients of other backends."""
