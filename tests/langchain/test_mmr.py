"""L13: maximal marginal relevance is LangChain's formula over the same candidates."""

from __future__ import annotations

import random

import numpy as np
import pytest
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from axon.core.errors import InvalidInputError
from axon_integrations.langchain import AxonVectorStore
from tests.langchain.planes import at

QUERY = 5


async def expected(
    store: AxonVectorStore, angles: list[int], k: int, fetch_k: int, lambda_mult: float
) -> list[str]:
    """What LangChain's function chooses among the stored vectors of those ``angles``."""
    nearest = sorted((abs(angle - QUERY), str(angle)) for angle in angles)[:fetch_k]
    ids = [text for _, text in nearest]
    entries = await store.memory.get_many(ids)
    vectors = [
        entry.embedding.tolist() for entry in entries if entry is not None and entry.embedding is not None
    ]
    query = np.array(at(QUERY), np.float32)
    return [ids[place] for place in maximal_marginal_relevance(query, vectors, lambda_mult, k)]


def add(store: AxonVectorStore, angles: list[int]) -> None:
    texts = [str(angle) for angle in angles]
    store.add_texts(texts, [{"odd": angle % 2} for angle in angles], ids=texts)


@pytest.mark.parametrize("lambda_mult", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize(("k", "fetch_k"), [(4, 20), (3, 5), (10, 4), (1, 1), (50, 50)])
async def test_l13_equals_langchains_own(
    store: AxonVectorStore, lambda_mult: float, k: int, fetch_k: int
) -> None:
    angles = random.Random(k).sample(range(6, 170), 30)
    add(store, angles)
    wanted = await expected(store, angles, k, fetch_k, lambda_mult)
    numbers = {"k": k, "fetch_k": fetch_k, "lambda_mult": lambda_mult}
    text, vector = str(QUERY), at(QUERY)
    for found in (
        store.max_marginal_relevance_search(text, **numbers),
        store.max_marginal_relevance_search_by_vector(vector, **numbers),
        await store.amax_marginal_relevance_search(text, **numbers),
        await store.amax_marginal_relevance_search_by_vector(vector, **numbers),
    ):
        assert [document.page_content for document in found] == wanted


async def test_l13_defaults_are_langchains(store: AxonVectorStore) -> None:
    angles = list(range(6, 66, 2))
    add(store, angles)
    found = [document.page_content for document in store.max_marginal_relevance_search(str(QUERY))]
    assert found == await expected(store, angles, 4, 20, 0.5)


async def test_l13_honours_the_filter(store: AxonVectorStore) -> None:
    angles = list(range(6, 46))
    add(store, angles)
    odd = [angle for angle in angles if angle % 2]
    for filter_ in ({"odd": 1}, lambda document: document.metadata["odd"] == 1):
        found = store.max_marginal_relevance_search(str(QUERY), k=5, fetch_k=8, filter=filter_)
        assert [document.page_content for document in found] == await expected(store, odd, 5, 8, 0.5)


@pytest.mark.parametrize("lambda_mult", [-0.1, 1.1, float("nan")])
def test_l13_lambda_out_of_range_is_a_typed_error(store: AxonVectorStore, lambda_mult: float) -> None:
    with pytest.raises(InvalidInputError, match="lambda_mult"):
        store.max_marginal_relevance_search("0", lambda_mult=lambda_mult)
