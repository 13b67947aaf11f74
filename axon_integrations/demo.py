"""The demo's questions through the retrievers of LangChain and LlamaIndex.

The ``axon`` command, which lies below this package, loads it by name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from axon.cli.agreement import Face
from axon.cli.questions import Question
from axon.core.memory_system import MemorySystem


class LangChainFace:
    """LangChain's retriever; the filter is the dict form."""

    name = "LangChain"

    async def ask(self, memory: MemorySystem, question: Question, k: int) -> list[str]:
        """Return the ids found, best first.

        Raises
        ------
        MissingDependencyError
            If ``langchain-core`` is not installed.
        """
        from axon_integrations.langchain import AxonVectorStore

        retriever = AxonVectorStore(memory).as_retriever(
            search_kwargs={"k": k, "filter": question.filter_dict}
        )
        return [str(document.id) for document in await retriever.ainvoke(question.text)]

    def written(self, question: Question) -> str:
        """Return the call as a user of LangChain writes it."""
        return f'store.as_retriever(search_kwargs={{"filter": {json.dumps(question.filter_dict)}}})'


class LlamaIndexFace:
    """LlamaIndex's retriever; the filter is ``MetadataFilters``."""

    name = "LlamaIndex"

    async def ask(self, memory: MemorySystem, question: Question, k: int) -> list[str]:
        """Return the ids found, best first.

        Raises
        ------
        MissingDependencyError
            If ``llama-index-core`` is not installed.
        """
        from axon_integrations.llama_index import AxonEmbedding, AxonVectorStore

        store, model = AxonVectorStore(memory), AxonEmbedding(memory.embedder)
        from llama_index.core import VectorStoreIndex
        from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters

        index = VectorStoreIndex.from_vector_store(store, embed_model=model)
        conditions = [
            MetadataFilter(key=key, operator=FilterOperator(operator), value=value)
            for key, operator, value in _conditions(question)
        ]
        retriever = index.as_retriever(similarity_top_k=k, filters=MetadataFilters(filters=[*conditions]))
        return [found.node.node_id for found in await retriever.aretrieve(question.text)]

    def written(self, question: Question) -> str:
        """Return the call as a user of LlamaIndex writes it."""
        conditions = ", ".join(
            f"{key} {operator} {json.dumps(value)}" for key, operator, value in _conditions(question)
        )
        return f"index.as_retriever(filters=MetadataFilters([{conditions}]))"


def _conditions(question: Question) -> list[tuple[str, str, list[str] | float]]:
    conditions: list[tuple[str, str, list[str] | float]] = []
    if question.tags:
        conditions.append(("tags", "all", list(question.tags)))
    if question.min_importance:
        conditions.append(("importance", ">=", question.min_importance))
    return conditions


FACES: Sequence[Face] = (LangChainFace(), LlamaIndexFace())
