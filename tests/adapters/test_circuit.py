"""A circuit that opens after repeated failure, and closes by itself."""

from __future__ import annotations

import pytest

from axon.adapters._shared.circuit import Circuit
from axon.core.errors import AdapterUnavailable


def test_the_circuit_opens_after_failures_and_closes_by_itself() -> None:
    now = [0.0]
    circuit = Circuit(failures=2, pause=1.0, longest=3.0, clock=lambda: now[0])
    circuit.failed("refused")
    circuit.check()
    for pause in (1.0, 2.0, 3.0, 3.0):
        circuit.failed("refused")
        with pytest.raises(AdapterUnavailable, match="refused"):
            circuit.check()
        now[0] += pause
        assert not circuit.is_open
        circuit.check()
    circuit.succeeded()
    circuit.failed("again")
    circuit.check()
