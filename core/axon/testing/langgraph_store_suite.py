"""The conformance suite of LangGraph stores: one class to inherit, one fixture to give.

Needs ``langgraph-checkpoint`` beside what the rest of the kit needs. It tests the contract of ``BaseStore`` for any
store, not only Axon's; where a store deviates, the subclass says so in ``deviations``.
"""

from __future__ import annotations

from axon.testing.langgraph_batches import BatchTests, ConcurrencyTests
from axon.testing.langgraph_items import ItemTests
from axon.testing.langgraph_lifetimes import LifetimeTests
from axon.testing.langgraph_namespaces import ListingTests, PlaceTests
from axon.testing.langgraph_searches import FilterTests, PageTests, SupersetTests
from axon.testing.langgraph_vectors import FieldTests, TailTests, VectorTests


class LangGraphStoreSuite(
    BatchTests,
    ConcurrencyTests,
    ItemTests,
    ListingTests,
    PlaceTests,
    PageTests,
    FilterTests,
    SupersetTests,
    VectorTests,
    TailTests,
    FieldTests,
    LifetimeTests,
):
    """What a LangGraph store promises, as tests.

    A subclass gives the fixture ``make_store``, a function that makes an empty store from the keywords ``index``
    and ``ttl``. It may not replace a test, only declare ``deviations``. Where a clock can be set, it overrides
    ``elapse``; a store whose clock runs by itself may set ``lifetime`` as long as its machine is slow.
    """
