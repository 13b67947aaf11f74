"""The conformance kit: what every adapter, embedder and LangGraph store has to pass, as classes to inherit.

Needs pytest, pytest-asyncio (in auto mode) and Hypothesis; nothing else in Axon imports this package. Names load
when first used.

Examples
--------
A backend's whole conformance test::

    class TestMyAdapter(AdapterSuite):
        backend = "mine"

        @pytest.fixture
        def make_adapter(self, tmp_path, clock):
            return lambda: MyAdapter(MyOptions(path=str(tmp_path / "mine.db")), clock=clock)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from axon.testing.adapter_base import AdapterFactory
    from axon.testing.adapter_suite import AdapterSuite
    from axon.testing.embedder_suite import EmbedderSuite
    from axon.testing.faults import Fault, FaultPlan, FaultyAdapter, InjectedFault
    from axon.testing.guard import GuardedSuite
    from axon.testing.langgraph_base import StoreFactory
    from axon.testing.langgraph_store_suite import LangGraphStoreSuite
    from axon.testing.oracle import Oracle

__all__ = [
    "AdapterFactory",
    "AdapterSuite",
    "EmbedderSuite",
    "Fault",
    "FaultPlan",
    "FaultyAdapter",
    "GuardedSuite",
    "InjectedFault",
    "LangGraphStoreSuite",
    "Oracle",
    "StoreFactory",
]

_HOMES = {
    "AdapterFactory": "adapter_base",
    "AdapterSuite": "adapter_suite",
    "EmbedderSuite": "embedder_suite",
    "Fault": "faults",
    "FaultPlan": "faults",
    "FaultyAdapter": "faults",
    "GuardedSuite": "guard",
    "InjectedFault": "faults",
    "LangGraphStoreSuite": "langgraph_store_suite",
    "Oracle": "oracle",
    "StoreFactory": "langgraph_base",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
