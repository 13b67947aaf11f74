"""Namespaces and keys as ids and filters: none looks like another, none reaches into another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from axon.core.clock import EPOCH
from axon.core.filter.evaluate import matches
from axon.core.models import MemoryEntry
from axon_integrations.langgraph.items import (
    NAMESPACE,
    PLAIN,
    hidden_metadata,
    item_id,
    namespace_of,
    part_ids,
    place_of,
    value_metadata,
    value_of,
    within,
)

LABELS = st.one_of(
    st.sampled_from(["a", "b", "ab", '"', '","', "\\", '\\",\\"', "[", "]", ",", "1", "é", "\n", "*"]),
    st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=".\0"), min_size=1, max_size=5),
)
NAMESPACES = st.lists(LABELS, min_size=1, max_size=4).map(tuple)
KEYS = st.one_of(LABELS, st.text(st.characters(blacklist_categories=["Cs"]), max_size=5))


@given(NAMESPACES, KEYS, NAMESPACES, KEYS)
def test_equal_ids_mean_equal_places(
    place: tuple[str, ...], key: str, other: tuple[str, ...], other_key: str
) -> None:
    assert (item_id(place, key) == item_id(other, other_key)) == ((place, key) == (other, other_key))
    assert place_of(item_id(place, key)) == (place, key)
    assert item_id(place, key) not in part_ids(other, other_key, 1, 4)
    assert {place_of(part) for part in part_ids(place, key, 1, 4)} == {(place, key)}


@given(NAMESPACES)
def test_an_entry_states_its_namespace(place: tuple[str, ...]) -> None:
    hidden = hidden_metadata(place, kind=PLAIN, ttl=None, write=None, parts=0)
    assert namespace_of(hidden[NAMESPACE.name]) == place


@given(NAMESPACES, NAMESPACES)
def test_a_prefix_lets_through_what_begins_with_it(place: tuple[str, ...], prefix: tuple[str, ...]) -> None:
    entry = MemoryEntry(
        "text", id=item_id(place, "k"), created_at=EPOCH,
        metadata=hidden_metadata(place, kind=PLAIN, ttl=None, write=None, parts=0),
    )  # fmt: skip
    assert matches(within(prefix), entry) == (place[: len(prefix)] == prefix)
    assert matches(within(()), entry)


@given(
    st.dictionaries(st.one_of(st.text("_axon.langrphkeyid", max_size=30), KEYS), st.integers(), max_size=4)
)
def test_a_value_may_use_our_own_names(value: dict[str, int]) -> None:
    hidden = hidden_metadata(("a",), kind=PLAIN, ttl=1.0, write="w", parts=2)
    stored = value_metadata(value)
    assert not stored.keys() & hidden.keys()
    entry = MemoryEntry("text", id="x", created_at=EPOCH, metadata={**stored, **hidden})
    assert value_of(entry.record) == value
