"""What all parts of the adapter suite share: the fixtures, and how time passes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import ClassVar, TypeAlias

import pytest
from hypothesis import HealthCheck, settings

from axon.core.clock import ManualClock
from axon.core.ports import StorageAdapter
from axon.testing.entries import START_US
from axon.testing.guard import GuardedSuite

AdapterFactory: TypeAlias = Callable[[], StorageAdapter]
"""Makes an adapter, not yet opened; a durable one sees the data of those made before it in the same test."""

NS = "tests"
"""The namespace of tests that need only one."""


def property_settings(share: float = 1.0) -> settings:
    """Make the settings of a property test.

    Parameters
    ----------
    share : of the examples of the current Hypothesis profile, > 0; for tests whose examples are dear.
    """
    return settings(
        max_examples=max(1, round(settings().max_examples * share)),
        deadline=None,
        # Examples share one adapter under namespaces of their own, and several subclasses share one test.
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.differing_executors,
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
        ],
    )


class AdapterTests(GuardedSuite):
    """Base of all parts of the suite.

    Attributes
    ----------
    backend : name of the backend in reports.
    """

    backend: ClassVar[str]

    _namespaces = 0

    @pytest.fixture
    def clock(self) -> ManualClock:
        """Make the clock that the adapter under test is given."""
        return ManualClock(START_US)

    @pytest.fixture
    def make_adapter(self) -> AdapterFactory:
        """Make adapters on data of this test's own; the one thing that a subclass has to give."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture make_adapter")

    @pytest.fixture
    async def adapter(self, make_adapter: AdapterFactory) -> AsyncIterator[StorageAdapter]:
        """Open the adapter under test."""
        adapter = make_adapter()
        await adapter.open()
        yield adapter
        await adapter.aclose()

    async def elapse(self, clock: ManualClock, seconds: float) -> None:
        """Let time pass; a backend that expires entries by its own clock overrides this and really waits."""
        clock.advance(seconds)

    def fresh_namespace(self) -> str:
        """Name a namespace that no other example of this test uses."""
        AdapterTests._namespaces += 1
        return f"example {AdapterTests._namespaces}"
