"""The suite notices what it is there for: every broken adapter fails the test named for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conformance.broken_adapters import FAULTS, Compiled
from tests.conformance.reference_adapter import ReferenceAdapter

ROOT = Path(__file__).resolve().parents[2]
FILE = "tests/conformance/broken_adapters.py"

RIGHT: list[tuple[type[ReferenceAdapter], str]] = [
    (Compiled, "test_random_filters_agree_with_the_evaluator"),
    (Compiled, "test_many_more_random_filters_agree_with_the_evaluator"),
    (Compiled, "test_every_fixed_case_on_metadata"),
    (Compiled, "test_one_rare_match_is_found"),
    (Compiled, "test_tags"),
]
"""An adapter with residuals but without a mistake, and tests that its broken children fail."""

Outcomes = dict[tuple[str, str], list[str]]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Run every named test of every broken adapter in one process of its own."""
    report = tmp_path_factory.mktemp("report") / "report.xml"
    cases = [f"{FILE}::Test{adapter.__name__}::{test}" for adapter, test in (*FAULTS, *RIGHT)]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "AXON"))}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *cases],
        cwd=ROOT, env={**inherited, "AXON_HYPOTHESIS_PROFILE": "find"}, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout[-4000:] + run.stderr[-1000:]
    found: Outcomes = defaultdict(list)
    for case in ElementTree.parse(report).iter("testcase"):
        adapter = case.attrib["classname"].rpartition(".Test")[2]
        test = case.attrib["name"].partition("[")[0]
        found[adapter, test].append(case[0].tag if len(case) else "passed")
    return found


@pytest.mark.parametrize(("adapter", "test"), FAULTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_is_noticed(outcomes: Outcomes, adapter: type, test: str) -> None:
    found = outcomes[adapter.__name__, test]
    assert "failure" in found, f"{test} let {adapter.__name__} through: {found}"
    assert "error" not in found, f"{test} did not get to run against {adapter.__name__}"


@pytest.mark.parametrize(("adapter", "test"), RIGHT, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_right_is_let_through(outcomes: Outcomes, adapter: type, test: str) -> None:
    assert set(outcomes[adapter.__name__, test]) == {"passed"}
