"""A conformance run cannot pass by leaving something out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from axon.core.ports import EmbeddingKind
from axon.embedders.hashing import HashingEmbedder
from axon.testing import AdapterSuite, EmbedderSuite
from axon.testing.guard import suite_tests

CONFTEST = Path(__file__).parent.parent / "conftest.py"
XFAIL = pytest.mark.xfail(strict=True, reason="shows the mechanism", raises=AssertionError)


class Stretched(HashingEmbedder):
    """Claims vectors of length 1 and gives longer ones."""

    async def embed_array(
        self, texts: Iterable[str], *, kind: EmbeddingKind = "document"
    ) -> NDArray[np.float32]:
        return 2 * await super().embed_array(texts, kind=kind)


class TestDeviatingEmbedder(EmbedderSuite):
    """A declared deviation still runs its test, and only that one is excused."""

    backend = "deviating"
    deviations = {"test_vectors_are_as_long_as_the_spec_says": XFAIL}  # noqa: RUF012 - read by the suite only

    @pytest.fixture
    def embedder(self) -> Stretched:
        return Stretched()


def test_replacing_a_test_is_refused() -> None:
    with pytest.raises(TypeError, match="test_touches_add_up is overridden"):
        type("Cheat", (AdapterSuite,), {"test_touches_add_up": lambda self: None})


def test_removing_a_test_is_refused() -> None:
    with pytest.raises(TypeError, match="test_touches_add_up is overridden"):
        type("Cheat", (AdapterSuite,), {"test_touches_add_up": None})


def test_hiding_a_test_behind_a_mixin_is_refused() -> None:
    mixin = type("Mixin", (), {"test_touches_add_up": lambda self: None})
    with pytest.raises(TypeError, match="test_touches_add_up is overridden"):
        type("Cheat", (mixin, AdapterSuite), {})


@pytest.mark.parametrize(
    "mark",
    [
        pytest.mark.xfail(reason="lenient", raises=AssertionError),
        pytest.mark.xfail(strict=True, raises=AssertionError),
        pytest.mark.xfail(strict=True, reason="any error will do"),
        pytest.mark.xfail(strict=True, reason="never runs", raises=AssertionError, run=False),
        pytest.mark.xfail("True", strict=True, reason="on a condition", raises=AssertionError),
        pytest.mark.skip(reason="no"),
    ],
    ids=lambda mark: f"{mark.name} {sorted(mark.kwargs)}",
)
def test_a_loose_deviation_is_refused(mark: pytest.MarkDecorator) -> None:
    with pytest.raises(TypeError, match="must be xfail"):
        type("Cheat", (AdapterSuite,), {"deviations": {"test_touches_add_up": mark}})


def test_a_deviation_of_no_test_is_refused() -> None:
    with pytest.raises(TypeError, match="names no test"):
        type("Cheat", (AdapterSuite,), {"deviations": {"test_touches_ad_up": XFAIL}})


@pytest.mark.parametrize("change", ["replace", "skip"])
def test_a_change_after_the_class_was_made_is_found(change: str) -> None:
    cheat = type("Cheat", (AdapterSuite,), {"backend": "cheat"})
    if change == "replace":
        cheat.test_touches_add_up = lambda self: None  # type: ignore[attr-defined]  # what the guard is there for
    else:
        cheat = pytest.mark.skip(reason="no")(cheat)
    with pytest.raises(AssertionError):
        cheat().test_the_suite_is_unchanged()


def test_the_suite_is_large_enough_to_mean_something() -> None:
    assert len(suite_tests(AdapterSuite)) >= 100


def run_pytest(folder: Path, module: str, **environment: str) -> subprocess.CompletedProcess[str]:
    (folder / "conformance").mkdir()
    (folder / "conformance" / "test_it.py").write_text(module, encoding="utf-8")
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "AXON"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "conformance"],
        cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_an_honest_run_passes(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, "class TestIt:\n    backend = 'mine'\n    def test_it(self): pass\n")
    assert run.returncode == 0, run.stdout
    assert "conformance tests passed: mine 1" in run.stdout


@pytest.mark.parametrize(
    "module",
    [
        "import pytest\ndef test_ok(): pass\ndef test_it(): pytest.skip('no server')\n",
        "import pytest\ndef test_ok(): pass\n@pytest.mark.skip(reason='no server')\ndef test_it(): pass\n",
        "import pytest\npytest.skip('no server', allow_module_level=True)\n",
    ],
    ids=["in a test", "by a mark", "a whole module"],
)
def test_a_skipped_conformance_test_fails_the_run(tmp_path: Path, module: str) -> None:
    run = run_pytest(tmp_path, module)
    assert run.returncode not in (0, 5)
    assert "may not be skipped" in run.stdout


def test_a_required_backend_that_did_not_run_fails_the_run(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, "def test_it(): pass\n", AXON_REQUIRE_BACKENDS="memory, absent")
    assert run.returncode == 1
    assert "no conformance test of absent passed" in run.stdout
    assert "0 random filter cases were checked on memory" in run.stdout
