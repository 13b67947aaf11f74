"""LlamaIndex's vector store, chat store and agent memory on every networked backend.

The tests are those of the plain test run; here they find this folder's fixture ``memory``.
"""

from __future__ import annotations

import pytest

from axon.core.memory_system import MemorySystem
from axon_integrations.llama_index import AxonChatStore, AxonVectorStore
from tests.llama_index.conftest import offline_settings
from tests.llama_index.test_agent_memory import (
    test_r28_messages_put_at_the_same_time_are_kept_once_and_remembered_once,
    test_r33_sessions_and_users_see_nothing_of_each_other,
    test_r35_set_replaces_and_reset_clears_this_session_only,
)
from tests.llama_index.test_chat_store import (
    test_conversations_and_namespaces_share_nothing,
    test_deleting_and_replacing,
    test_messages_come_back_equal_in_order_and_as_copies,
    test_status_limit_and_offset,
    test_twenty_additions_at_once_lose_and_repeat_nothing,
)
from tests.llama_index.test_get_and_delete import (
    test_r2_ids_come_back_unchanged_and_in_order,
    test_r3_an_id_added_again_replaces_text_metadata_and_vector,
    test_r4_delete_takes_the_nodes_of_a_document_and_the_document_itself,
    test_r11_an_empty_store_answers_and_clears,
)
from tests.llama_index.test_index import index, test_r24_insert_delete_update_refresh
from tests.llama_index.test_memory_block import (
    test_r27_messages_go_in_and_recall_comes_out_by_session,
    test_r28_delivered_twenty_times_is_remembered_once_per_session,
)
from tests.llama_index.test_query import (
    filled,
    test_r7_similarity_is_the_cosine_descending_and_equal_across_tiers,
    test_r9_node_ids_doc_ids_and_filters_intersect,
)

pytestmark = pytest.mark.filterwarnings("ignore::axon_integrations._shared.inputs.ReservedMetadataWarning")


@pytest.fixture
def store(request: pytest.FixtureRequest, memory: MemorySystem) -> AxonVectorStore | AxonChatStore:
    """The store that the test's own module is about."""
    module = request.function.__module__
    return AxonChatStore(memory) if module.endswith("test_chat_store") else AxonVectorStore(memory)


__all__ = [
    "filled",
    "index",
    "offline_settings",
    "test_conversations_and_namespaces_share_nothing",
    "test_deleting_and_replacing",
    "test_messages_come_back_equal_in_order_and_as_copies",
    "test_r2_ids_come_back_unchanged_and_in_order",
    "test_r3_an_id_added_again_replaces_text_metadata_and_vector",
    "test_r4_delete_takes_the_nodes_of_a_document_and_the_document_itself",
    "test_r7_similarity_is_the_cosine_descending_and_equal_across_tiers",
    "test_r9_node_ids_doc_ids_and_filters_intersect",
    "test_r11_an_empty_store_answers_and_clears",
    "test_r24_insert_delete_update_refresh",
    "test_r27_messages_go_in_and_recall_comes_out_by_session",
    "test_r28_delivered_twenty_times_is_remembered_once_per_session",
    "test_r28_messages_put_at_the_same_time_are_kept_once_and_remembered_once",
    "test_r33_sessions_and_users_see_nothing_of_each_other",
    "test_r35_set_replaces_and_reset_clears_this_session_only",
    "test_status_limit_and_offset",
    "test_twenty_additions_at_once_lose_and_repeat_nothing",
]
