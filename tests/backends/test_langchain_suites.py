"""LangChain's own suites for vector stores and retrievers on every networked backend, with no test overridden.

The classes are those of the plain test run; here they find this folder's fixture ``memory``.
"""

from __future__ import annotations

import pytest

from tests.langchain.test_standard_suites import TestRetriever, TestVectorStore

# The suites' documents have a metadata key "id", about which the store rightly warns once.
pytestmark = pytest.mark.filterwarnings(
    "ignore:metadata key:axon_integrations._shared.inputs.ReservedMetadataWarning"
)

__all__ = ["TestRetriever", "TestVectorStore"]
