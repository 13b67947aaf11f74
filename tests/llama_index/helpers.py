"""Nodes with hand-made vectors, and embedding models that need no download."""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
from llama_index.core.vector_stores.types import (
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryResult,
)

WORD_DIMS = 64


def node(
    id_: str, vector: list[float], text: str | None = None, doc: str | None = None, **metadata: Any
) -> TextNode:
    made = TextNode(id_=id_, text=text or f"text of {id_}", embedding=vector, metadata=metadata)
    if doc is not None:
        made.relationships[NodeRelationship.SOURCE] = RelatedNodeInfo(node_id=doc)
    return made


def where(key: str, value: Any, operator: FilterOperator | str = FilterOperator.EQ) -> MetadataFilter:
    return MetadataFilter(key=key, value=value, operator=FilterOperator(operator))


def filters(*children: Any, condition: FilterCondition | str | None = FilterCondition.AND) -> MetadataFilters:
    return MetadataFilters(
        filters=list(children), condition=None if condition is None else FilterCondition(condition)
    )


def ask(vector: list[float] | None = None, k: int = 10, **fields: Any) -> VectorStoreQuery:
    return VectorStoreQuery(query_embedding=vector, similarity_top_k=k, **fields)


def ids(result: VectorStoreQueryResult) -> list[str]:
    """The ids of a result whose three lists fit each other."""
    assert result.nodes is not None and result.similarities is not None and result.ids is not None
    assert [each.node_id for each in result.nodes] == result.ids
    assert len(result.similarities) == len(result.ids)
    assert all(isinstance(each, float) for each in result.similarities)
    return result.ids


class WordEmbedding(BaseEmbedding):
    """Counts of hashed words: equal texts are equal, texts with common words are near. Blocking form only."""

    _calls: list[int] = PrivateAttr(default_factory=list)

    @property
    def calls(self) -> list[int]:
        """How many texts each call brought."""
        return self._calls

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * WORD_DIMS
        for word in re.findall(r"\w+", text.lower()):
            vector[zlib.crc32(word.encode()) % WORD_DIMS] += 1.0
        # A little of everything, so that no vector is zero.
        return [each + 0.01 for each in vector]

    def _get_query_embedding(self, query: str) -> list[float]:
        self._calls.append(1)
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        self._calls.append(1)
        return self._vector(text)

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        self._calls.append(len(texts))
        return [self._vector(text) for text in texts]


class BlockingEmbedding(WordEmbedding):
    """Takes 200 ms of the thread that calls it."""

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        time.sleep(0.2)  # the slow backend itself, not a wait for something
        return super()._get_text_embeddings(texts)


class AsyncEmbedding(WordEmbedding):
    """Has an asynchronous batch form of its own, and notes the loop it ran on."""

    _loops: list[asyncio.AbstractEventLoop] = PrivateAttr(default_factory=list)

    @property
    def loops(self) -> list[asyncio.AbstractEventLoop]:
        return self._loops

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        self._loops.append(asyncio.get_running_loop())
        return self._get_text_embeddings(texts)
