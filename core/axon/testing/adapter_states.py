"""The state machine as a test of the suite."""

# ruff: noqa: D102 - the name of a test says what it proves
from __future__ import annotations

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from axon.core.clock import ManualClock
from axon.testing.adapter_base import AdapterFactory, AdapterTests, property_settings
from axon.testing.stateful import AdapterMachine


class StateTests(AdapterTests):
    """Random sequences of operations, on several event loops in turn."""

    def test_any_sequence_of_operations_matches_the_model(
        self, make_adapter: AdapterFactory, clock: ManualClock
    ) -> None:
        prefix = self.fresh_namespace

        class Machine(AdapterMachine):
            def __init__(self) -> None:
                super().__init__(make_adapter, clock, prefix())

        run_state_machine_as_test(Machine, settings=settings(property_settings(0.5), stateful_step_count=25))
