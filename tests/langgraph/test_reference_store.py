"""The suite can fail: LangGraph's own in-memory store does, exactly where it is known to.

Every deviation is a strict expected failure, so a test that let one of these defects through would fail here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import pytest
from langgraph.store.memory import InMemoryStore

from axon.testing import LangGraphStoreSuite, StoreFactory


def fails(reason: str, raises: Any, tests: Iterable[str]) -> dict[str, pytest.MarkDecorator]:
    return {test: pytest.mark.xfail(strict=True, reason=reason, raises=raises) for test in tests}


DEFECTS = {
    **fails("two items of equal text in one batch (#8822)", ValueError, ["test_equal_texts_in_one_batch"]),
    **fails("a put resets created_at", AssertionError, ["test_created_at_stays_and_updated_at_moves"]),
    **fails("index=False keeps the old vector", AssertionError, ["test_index_false_takes_the_vector_away"]),
    **fails("an order on a missing key", TypeError, ["test_a_missing_key_has_no_order"]),
    **fails("a get makes a namespace", AssertionError, ["test_a_get_leaves_no_trace"]),
    **fails("pages repeat unranked items", AssertionError, ["test_pages_with_unranked_items_end"]),
    **fails("no lifetimes", NotImplementedError, ["test_an_item_ends"]),
    **fails("values are handed out by reference", AssertionError, ["test_what_is_handed_out_is_a_copy"]),
    **fails("a list as namespace never matches", TypeError, ["test_a_list_of_labels_is_a_namespace"]),
}
"""The nine defects, by the test of the suite that shows each."""

OF_THE_SAME_KIND = {
    **fails("two equal texts in one item", ValueError, ["test_equal_texts_in_one_item"]),
    **fails("a put keeps old vectors", AssertionError, ["test_fewer_texts_leave_no_vector_behind"]),
    **fails("an order between types", TypeError, ["test_order_between_types_is_false"]),
    **fails("a deletion leaves its namespace", AssertionError, ["test_a_namespace_ends_with_its_last_item"]),
    **fails("values are taken by reference", AssertionError, ["test_what_is_handed_in_is_copied"]),
    **fails(
        "no lifetimes",
        (AssertionError, NotImplementedError, AttributeError),
        [
            "test_a_fraction_of_a_minute",
            "test_the_default_of_the_store",
            "test_a_put_overrides_the_default",
            "test_a_get_renews",
            "test_a_search_renews_what_it_returns",
            "test_reads_that_do_not_renew",
            "test_a_read_does_not_bring_back_what_has_ended",
            "test_the_end_comes_before_limit_and_offset",
            "test_a_sweep_leaves_the_living_alone",
            "test_lifetimes_of_embedded_items",
        ],
    ),
}
OTHER_CHOICES = {
    **fails("listed in order of insertion", AssertionError, ["test_the_latest_write_comes_first"]),
    **fails("True equals 1", AssertionError, ["test_true_is_not_one"]),
    **fails(
        "batches check no namespace",
        (pytest.fail.Exception, AssertionError),
        [
            "test_a_batch_does_not_write_a_bad_namespace_either",
            "test_a_batch_does_not_read_bad_labels",
            "test_a_bad_call_does_not_fail_its_neighbours",
        ],
    ),
    **fails(
        "filters as the contract has them, no more",
        (AssertionError, ValueError),
        [
            "test_in_and_nin",
            "test_and_or_not",
            "test_contains",
            "test_a_dotted_key_is_a_path",
            "test_a_literal_dotted_key_wins",
            "test_paths_in_or_and_not",
        ],
    ),
}


class TestInMemoryStore(LangGraphStoreSuite):
    lifetime = 0.0005
    deviations: ClassVar = {**DEFECTS, **OF_THE_SAME_KIND, **OTHER_CHOICES}

    @pytest.fixture
    def make_store(self) -> StoreFactory:
        return lambda index=None, ttl=None: InMemoryStore(index=index)


def test_there_are_nine_defects() -> None:
    assert len(DEFECTS) == 9
