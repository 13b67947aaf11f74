"""The conformance suite of storage adapters: one class to inherit, one fixture to give."""

from __future__ import annotations

from axon.testing.adapter_concurrency import ConcurrencyTests
from axon.testing.adapter_crud import CrudTests, MismatchTests, OwnershipTests, TouchTests
from axon.testing.adapter_expiry import ExpiryTests
from axon.testing.adapter_filters import FixedFilterTests, RandomFilterTests
from axon.testing.adapter_isolation import IsolationTests, NamespaceTests, NameTests
from axon.testing.adapter_lifetime import LifetimeTests
from axon.testing.adapter_scan import ScanTests
from axon.testing.adapter_search import FilteredSearchTests, RequestTests, VectorSearchTests
from axon.testing.adapter_states import StateTests
from axon.testing.adapter_text import HybridSearchTests, TextSearchTests


class AdapterSuite(
    CrudTests,
    MismatchTests,
    OwnershipTests,
    TouchTests,
    VectorSearchTests,
    RequestTests,
    FilteredSearchTests,
    TextSearchTests,
    HybridSearchTests,
    FixedFilterTests,
    RandomFilterTests,
    IsolationTests,
    NameTests,
    NamespaceTests,
    ScanTests,
    ExpiryTests,
    LifetimeTests,
    ConcurrencyTests,
    StateTests,
):
    """Every promise of ``StorageAdapter``, as tests.

    A subclass states ``backend`` and gives the fixture ``make_adapter``; it may not replace a test, only declare
    ``deviations``. Where the backend expires entries by its own clock, it overrides ``elapse`` and ``clock``.
    """
