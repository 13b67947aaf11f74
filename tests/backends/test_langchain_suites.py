"""LangChain's own suites on every networked backend with no test overridden, and what keeps things by key there.

The tests are those of the plain test run; here they find this folder's fixture ``memory``.
"""

from __future__ import annotations

import pytest

from tests.langchain.test_byte_store import (
    test_any_key_and_any_bytes,
    test_keys_by_prefix_take_no_pattern,
)
from tests.langchain.test_chat_history import (
    test_l26_a_message_with_an_id_is_kept_once,
    test_l26_every_kind_of_message_comes_back_equal,
    test_l26_order_is_kept_under_concurrent_adds,
    test_l26_sessions_and_namespaces_are_apart,
)
from tests.langchain.test_indexing import (
    test_l21_each_clean_up_counts_right,
    test_l22_records_behave_as_langchains_own,
)
from tests.langchain.test_standard_suites import (
    TestByteStore,
    TestByteStoreAsync,
    TestDocumentIndex,
    TestDocumentIndexAsync,
    TestRetriever,
    TestVectorStore,
)

# The suites' documents have a metadata key "id", about which the store rightly warns once.
pytestmark = pytest.mark.filterwarnings(
    "ignore:metadata key:axon_integrations._shared.inputs.ReservedMetadataWarning"
)

__all__ = [
    "TestByteStore",
    "TestByteStoreAsync",
    "TestDocumentIndex",
    "TestDocumentIndexAsync",
    "TestRetriever",
    "TestVectorStore",
    "test_any_key_and_any_bytes",
    "test_keys_by_prefix_take_no_pattern",
    "test_l21_each_clean_up_counts_right",
    "test_l22_records_behave_as_langchains_own",
    "test_l26_a_message_with_an_id_is_kept_once",
    "test_l26_every_kind_of_message_comes_back_equal",
    "test_l26_order_is_kept_under_concurrent_adds",
    "test_l26_sessions_and_namespaces_are_apart",
]
