"""Filters: the compiled tree against the oracle, with no store between, and cases that are fixed by name."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters

from axon.core.errors import InvalidFilterError, UnsupportedFilterError
from axon.core.filter.ast import EVERYTHING
from axon.core.filter.evaluate import matches
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, Tier
from axon_integrations.llama_index import AxonVectorStore
from axon_integrations.llama_index.filters import compile_filters
from axon_integrations.llama_index.nodes import node_to_input
from tests.llama_index.filter_cases import random_filters, random_node
from tests.llama_index.helpers import filters, node, where
from tests.llama_index.oracle import Stored, passes

pytestmark = pytest.mark.filterwarnings("ignore::axon_integrations._shared.inputs.ReservedMetadataWarning")


def entry_and_stored(node: TextNode, tier: Tier = Tier.PERSISTENT) -> tuple[MemoryEntry, Stored]:
    item = node_to_input(node)
    entry = MemoryEntry(
        item.text,
        id=node.node_id,
        created_at=datetime(2024, 5, 1, tzinfo=UTC),
        importance=0.5 if item.importance is None else item.importance,
        tags=item.tags,
        metadata=item.metadata,
        session_id=item.session_id,
        tier=tier,
    )
    return entry, stored_form(node, entry)


def stored_form(node: TextNode, entry: MemoryEntry) -> Stored:
    fields = {
        "id": entry.id,
        "tags": entry.tags,
        "importance": entry.importance,
        "session_id": entry.session_id,
        "tier": str(entry.tier),
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
        "expires_at": entry.expires_at,
    }
    return Stored(node.metadata, node.ref_doc_id, fields)


@pytest.mark.parametrize("seed", range(8))
def test_r12_compiled_filters_equal_the_oracle(seed: int) -> None:
    rng = random.Random(seed)
    corpus = [entry_and_stored(random_node(rng, number), rng.choice(list(Tier))) for number in range(12)]
    verdicts = set()
    for _ in range(400):
        filters = random_filters(rng)
        node = compile_filters(filters)
        for entry, stored in corpus:
            expected = passes(filters, stored)
            verdicts.add(expected)
            assert matches(node, entry) is expected, (filters, stored)
    assert verdicts == {True, False}


@pytest.fixture
def filled(store: AxonVectorStore) -> AxonVectorStore:
    store.add(
        [
            node("a", [1, 0], n=1, f=1.5, s="alpha", day="2024-01-05", tags=["x", "y"], l=["p", "q"]),
            node("b", [1, 1], n=2.0, f=2.5, s="Beta", day="2024-02-01", tags=["y"], l=[]),
            node("c", [0, 1], n=3, f=2.0, s="", day="2024-03-09", l="pq"),
            node("d", [2, 1], flag=True, n=None, s=None, user={"name": "ann", "address": {"city": "Bonn"}}),
            node("e", [1, 2], n="3", s="gamma", **{"user.name": "literal", "user": {"name": "bob"}}),
        ]
    )
    return store


def found(store: AxonVectorStore, chosen: MetadataFilters) -> str:
    return "".join(sorted(each.node_id for each in store.get_nodes(filters=chosen)))


F = FilterOperator

FIXED: list[tuple[str, FilterOperator, Any, str]] = [
    # R15: NE and NIN match missing keys and nulls; empty lists; floats; strings by code point
    ("n", F.EQ, 2, "b"),
    ("n", F.NE, 2, "acde"),
    ("n", F.EQ, None, ""),
    ("n", F.NE, None, "abcde"),
    ("n", F.IN, [], ""),
    ("n", F.NIN, [], "abcde"),
    ("n", F.NIN, [1, 2], "cde"),
    ("f", F.NE, 2.5, "acde"),
    ("f", F.IN, [1.5, 2.0], "ac"),
    ("f", F.NIN, [1.5, 2.0], "bde"),
    ("day", F.GTE, "2024-02-01", "bc"),
    ("day", F.LT, "2024-02", "a"),
    ("n", F.GT, 1, "bc"),
    ("n", F.GT, "1", "e"),
    ("n", F.LTE, "2", ""),
    ("flag", F.EQ, 1, ""),
    ("flag", F.NE, 1, "abcde"),
    # lists and substrings
    ("l", F.EQ, ["p", "q"], "a"),
    ("l", F.EQ, ["q", "p"], ""),
    ("l", F.EQ, "p", ""),
    ("l", F.CONTAINS, "p", "ac"),
    ("l", F.CONTAINS, "pq", "c"),
    ("l", F.ANY, ["p", "z"], "ac"),
    ("l", F.ALL, ["p", "q"], "ac"),
    ("l", F.ALL, ["p", "z"], ""),
    ("l", F.ANY, [], ""),
    ("l", F.ALL, [], "abc"),
    ("s", F.ALL, [], "abce"),
    ("s", F.TEXT_MATCH, "lph", "a"),
    ("s", F.TEXT_MATCH, "beta", ""),
    ("s", F.TEXT_MATCH_INSENSITIVE, "bET", "b"),
    ("s", F.TEXT_MATCH, "", "abce"),
    ("n", F.TEXT_MATCH, "3", "e"),
    ("s", F.IS_EMPTY, None, "cd"),
    ("l", F.IS_EMPTY, None, "bde"),
    ("user", F.IS_EMPTY, None, "abc"),
    # R16: the reserved keys are plain keys
    ("tags", F.EQ, "y", "ab"),
    ("tags", F.NE, "y", "cde"),
    ("tags", F.EQ, ["y", "x"], "a"),
    ("tags", F.NE, ["y", "x"], "bcde"),
    ("tags", F.IN, ["x", "z"], "a"),
    ("tags", F.NIN, ["x", "z"], "bcde"),
    ("tags", F.IN, [], ""),
    ("tags", F.NIN, [], "abcde"),
    ("tags", F.CONTAINS, "x", "a"),
    ("tags", F.ANY, ["x", "y"], "ab"),
    ("tags", F.ALL, ["x", "y"], "a"),
    ("tags", F.ALL, [], ""),
    ("tags", F.EQ, None, ""),
    ("tags", F.NE, None, "abcde"),
    ("tags", F.IS_EMPTY, None, "cde"),
    ("metadata.tags", F.EQ, ["y"], "b"),
    ("metadata.tags", F.EQ, "y", ""),
    ("metadata.tags", F.CONTAINS, "y", "ab"),
    ("importance", F.GTE, 0.5, "abcde"),
    ("tier", F.EQ, "persistent", "abcde"),
    ("tier", F.NIN, ["persistent"], ""),
    ("session_id", F.IS_EMPTY, None, "abcde"),
    ("id", F.IN, ["a", "e", "z"], "ae"),
    ("id", F.GT, "c", "de"),
    ("created_at", F.GT, "2020-01-01", "abcde"),
    ("created_at", F.LT, 1_600_000_000, ""),
    ("expires_at", F.IS_EMPTY, None, "abcde"),
    ("expires_at", F.NE, "2020-01-01T00:00:00", "abcde"),
    # a literal key wins, else the path
    ("user.name", F.EQ, "ann", "d"),
    ("user.name", F.EQ, "literal", "e"),
    ("user.name", F.EQ, "bob", ""),
    ("user.name", F.NE, "ann", "abce"),
    ("user.address.city", F.TEXT_MATCH, "onn", "d"),
    ("user.address", F.IS_EMPTY, None, "abce"),
    ("metadata.user.name", F.IN, ["ann", "literal"], "de"),
    ("metadata.n", F.EQ, 1, "a"),
]


def test_r15_r16_fixed_cases(filled: AxonVectorStore) -> None:
    for key, operator, operand, expected in FIXED:
        assert found(filled, filters(where(key, operand, operator))) == expected, (key, operator, operand)


def test_r14_conditions_groups_and_empty_groups(filled: AxonVectorStore) -> None:
    a, b, c = where("id", "a"), where("id", "b"), where("n", 3)
    cases: list[tuple[MetadataFilters, str]] = [
        (filters(), "abcde"),
        (filters(condition="or"), "abcde"),
        (filters(condition="not"), "abcde"),
        (filters(a, b), ""),
        (filters(a, b, condition=None), ""),
        (filters(a, b, condition="or"), "ab"),
        (filters(a, b, condition="not"), "cde"),
        (filters(a, filters(), condition="or"), "a"),
        (filters(a, filters(filters(), condition="not"), condition="or"), "a"),
        (filters(filters(), filters(filters(condition="not"))), "abcde"),
        (filters(filters(), condition="not"), "abcde"),
        (filters(a, filters(), condition="not"), "bcde"),
        (filters(filters(a, b, condition="or"), filters(c, a, condition="or")), "a"),
        (filters(filters(a, b, condition="not"), filters(c, condition="not")), "de"),
        (filters(filters(filters(a, condition="not"), condition="not"), condition="not"), "bcde"),
    ]
    for chosen, expected in cases:
        assert found(filled, chosen) == expected, chosen


def test_r14_no_filters_is_everything() -> None:
    assert compile_filters(None) is EVERYTHING
    assert compile_filters(filters(filters(), condition="not")) is EVERYTHING


REFUSED: list[tuple[str, FilterOperator, Any, str]] = [
    ("n", F.GT, None, "'>' on 'n'"),
    ("n", F.LTE, None, "'<=' on 'n'"),
    ("n", F.IN, None, "'in' on 'n'"),
    ("n", F.NIN, None, "'nin' on 'n'"),
    ("n", F.CONTAINS, None, "'contains' on 'n'"),
    ("n", F.ANY, None, "'any' on 'n'"),
    ("n", F.TEXT_MATCH, None, "'text_match' on 'n'"),
    ("s", F.IN, "abc", "'in' on metadata.s needs a list"),
    ("s", F.NIN, "abc", "'nin' on metadata.s needs a list"),
    ("s", F.ANY, "abc", "'any' on metadata.s needs a list"),
    ("s", F.ALL, 5, "'all' on metadata.s needs a list"),
    ("tags", F.IN, "x", "'in' on tags needs a list"),
    ("s", F.TEXT_MATCH, 5, "'text_match' on metadata.s needs a string"),
    ("s", F.TEXT_MATCH_INSENSITIVE, ["a"], "'text_match_insensitive' on metadata.s needs a string"),
    ("l", F.GT, ["a"], "'>' on metadata.l cannot order by a list"),
    ("created_at", F.TEXT_MATCH, "2024", "'text_match' has no meaning on the time 'created_at'"),
    ("created_at", F.CONTAINS, "2024", "'contains' has no meaning on the time"),
    ("created_at", F.GT, "yesterday", "'yesterday' is not a time"),
    ("updated_at", F.EQ, ["2024-01-01"], "updated_at needs an ISO string"),
    ("n", F.EQ, float("nan"), "nan"),
]


@pytest.mark.parametrize(("key", "operator", "operand", "named"), REFUSED, ids=str)
def test_r13_what_makes_no_sense_is_refused_by_name(
    in_process: MemorySystem, key: str, operator: FilterOperator, operand: Any, named: str
) -> None:
    store = AxonVectorStore(in_process)
    chosen = filters(where(key, operand, operator))
    for call in (store.get_nodes, store.delete_nodes):
        with pytest.raises((InvalidFilterError, UnsupportedFilterError)) as caught:
            call(filters=chosen)
        assert named in str(caught.value)
        assert isinstance(caught.value, ValueError)


class FutureWord:
    """An operator or condition that a later LlamaIndex may bring."""

    value = "sounds_like"


def test_r13_an_operator_or_condition_of_a_later_core_is_refused_by_name() -> None:
    later = MetadataFilter.model_construct(key="n", value=1, operator=FutureWord())
    with pytest.raises(UnsupportedFilterError, match=r"'sounds_like' on 'n'"):
        compile_filters(MetadataFilters.model_construct(filters=[later], condition=None))
    with pytest.raises(UnsupportedFilterError, match="'sounds_like'"):
        compile_filters(MetadataFilters.model_construct(filters=[where("n", 1)], condition=FutureWord()))


def test_a_very_deep_filter_is_refused_before_the_recursion_limit() -> None:
    deep = filters(where("n", 1))
    for _ in range(200):
        deep = MetadataFilters.model_construct(filters=[deep], condition=None)
    with pytest.raises(InvalidFilterError, match="levels deep"):
        compile_filters(deep)
