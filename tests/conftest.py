"""Hypothesis profiles, and a run that may not pass by leaving conformance tests out.

``AXON_HYPOTHESIS_PROFILE`` names the profile. ``AXON_REQUIRE_BACKENDS`` names the backends, by comma, whose
conformance tests must have run and passed, and asks for enough random filter cases on each of them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Generator

import pytest
from hypothesis import Phase, settings

MIN_FILTER_CASES = 5_000
"""On each required backend, so that no backend's many cases hide that another had none."""

# Where a change is accepted or refused, the same examples every time; new ones are found elsewhere.
settings.register_profile(
    "default",
    max_examples=100,
    deadline=None,
    print_blob=True,
    derandomize=bool(os.environ.get("CI")),
    database=None,
)
settings.register_profile("ci", settings.get_profile("default"), max_examples=300)
# Every example is many calls of a service far away.
settings.register_profile("live", settings.get_profile("default"), max_examples=5)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=5_000)
# For tests of the tests: whether something is found matters, not the smallest form of it.
settings.register_profile("find", settings.get_profile("default"), phases=[Phase.generate], database=None)
settings.load_profile(os.environ.get("AXON_HYPOTHESIS_PROFILE", "default"))

passed = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[passed] = Counter()


def in_conformance(node: pytest.Item | pytest.Collector) -> bool:
    return "conformance" in node.path.parts


def refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    report.outcome = "failed"
    report.longrepr = f"a conformance test may not be skipped; it was: {report.longrepr}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if in_conformance(item):
        if report.skipped and not hasattr(report, "wasxfail"):
            refuse_skip(report)
        backend = getattr(getattr(item, "cls", None), "backend", None)
        if report.when == "call" and report.passed and backend:
            item.config.stash[passed][backend] += 1
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.outcome == "skipped" and in_conformance(collector):
        refuse_skip(report)
    return report


def required_backends() -> list[str]:
    named = os.environ.get("AXON_REQUIRE_BACKENDS", "").split(",")
    return [name.strip() for name in named if name.strip()]


def filter_cases() -> Counter[str]:
    """Random filter cases compared so far, by backend; nothing is imported that the tests did not import."""
    module = sys.modules.get("axon.testing.adapter_filters")
    return Counter() if module is None else module.CHECKED


def missing(config: pytest.Config) -> list[str]:
    required = required_backends()
    found = [f"no conformance test of {name} passed" for name in required if not config.stash[passed][name]]
    cases = filter_cases()
    found += [
        f"{cases[name]} random filter cases were checked on {name}, {MIN_FILTER_CASES} are required"
        for name in required
        if cases[name] < MIN_FILTER_CASES
    ]
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    if missing(session.config) and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    ran = ", ".join(f"{name} {count}" for name, count in sorted(config.stash[passed].items()))
    if ran:
        terminalreporter.write_line(f"conformance tests passed: {ran}")
    cases = filter_cases()
    if cases:
        by_backend = ", ".join(f"{name} {count}" for name, count in sorted(cases.items()))
        terminalreporter.write_line(f"random filter cases checked: {by_backend}")
    if not config.option.collectonly:
        for line in missing(config):
            terminalreporter.write_line(f"REQUIRED: {line}", red=True)
