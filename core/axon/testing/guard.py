"""A suite whose tests cannot be replaced: a subclass that overrides one does not even load.

A deviation is stated, not coded: ``deviations`` maps the name of a test to a strict expected failure with a
reason, and the test itself still runs. It fails the day the deviation is gone.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import ClassVar

import pytest

_KIT = "axon.testing."


class GuardedSuite:
    """Base of the suites of this kit.

    Attributes
    ----------
    deviations : for a test of the suite, ``pytest.mark.xfail(strict=True, reason=..., raises=...)``.
    """

    deviations: ClassVar[Mapping[str, pytest.MarkDecorator]] = {}

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if not cls.__module__.startswith(_KIT):
            faults = overridden(cls) + loose_deviations(cls)
            if faults:
                raise TypeError(f"{cls.__name__} may not change its suite: {'; '.join(faults)}")

    @pytest.fixture(autouse=True)
    def _expect_deviation(self, request: pytest.FixtureRequest) -> None:
        mark = self.deviations.get(request.function.__name__)
        if mark is not None:
            request.applymarker(mark)

    def test_the_suite_is_unchanged(self) -> None:
        """Nothing replaced, removed or skipped a test after the class was made either."""
        assert overridden(type(self)) + loose_deviations(type(self)) + skipped(type(self)) == []


def suite_of(cls: type) -> type:
    """Return the nearest class of the kit that ``cls`` inherits from."""
    return next(base for base in cls.__mro__ if base.__module__.startswith(_KIT))


def suite_tests(suite: type) -> list[str]:
    """List the names of the tests of a suite."""
    return [name for name in dir(suite) if name.startswith("test_")]


def overridden(cls: type) -> list[str]:
    """Name the tests of the suite that ``cls`` resolves to something else."""
    suite = suite_of(cls)
    return [
        f"{name} is overridden"
        for name in suite_tests(suite)
        if inspect.getattr_static(cls, name, None) is not inspect.getattr_static(suite, name)
    ]


def loose_deviations(cls: type[GuardedSuite]) -> list[str]:
    """Name the deviations that are no strict expected failure, or belong to no test of the suite."""
    known = set(suite_tests(suite_of(cls)))
    faults = [f"deviation {name} names no test" for name in cls.deviations if name not in known]
    for name, mark in cls.deviations.items():
        stated = mark.kwargs
        strict = mark.name == "xfail" and stated.get("strict") is True and stated.get("run", True) is True
        if not strict or not stated.get("reason") or not stated.get("raises") or mark.args:
            faults.append(
                f"deviation {name} must be xfail(strict=True, reason=..., raises=...) without a condition"
            )
    return faults


def skipped(cls: type) -> list[str]:
    """Name the marks on ``cls`` itself that would keep tests from running."""
    marks = getattr(cls, "pytestmark", [])
    return [f"the class is marked {mark.name}" for mark in marks if mark.name in ("skip", "skipif", "xfail")]
