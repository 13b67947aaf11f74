"""Guards for the layout.

An editable install puts the repository root on ``sys.path``; these keep that harmless.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import axon

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (ROOT / "core" / "axon", ROOT / "axon_integrations")


def project() -> dict[str, object]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        table: dict[str, object] = tomllib.load(file)["project"]
    return table


def test_core_is_only_a_source_root() -> None:
    assert not (ROOT / "core" / "__init__.py").exists()


@pytest.mark.parametrize("directory", ["tests", "docs", "examples"])
def test_no_package_outside_the_two_we_ship(directory: str) -> None:
    assert [str(path) for path in (ROOT / directory).rglob("__init__.py")] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_package_is_typed(package: Path) -> None:
    assert (package / "py.typed").is_file()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_every_directory_with_code_is_a_package(package: Path) -> None:
    directories = {path.parent for path in package.rglob("*.py")}
    assert directories
    missing = [str(directory) for directory in directories if not (directory / "__init__.py").is_file()]
    assert missing == [], "import-linter and mypy do not look into a directory without __init__.py"


def test_axon_is_imported_from_this_checkout_under_one_name() -> None:
    code = (
        "import sys, axon; axon.MemorySystem; "
        "print(axon.__file__, *(m for m in sys.modules if m.split('.')[0] == 'core'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == [str(PACKAGES[0] / "__init__.py")]


def test_axon_lists_what_it_imports_on_use() -> None:
    names = set(axon.__all__)
    assert names <= set(dir(axon))
    assert all(getattr(axon, name) is not None for name in names)
    assert names == {name for name in axon.__all__ if name in vars(axon)}, "looked up once, then kept"
    with pytest.raises(AttributeError, match="no attribute 'Memory'"):
        axon.Memory  # type: ignore[attr-defined]  # noqa: B018


def test_the_extra_all_names_every_other_extra() -> None:
    extras = project()["optional-dependencies"]
    assert isinstance(extras, dict)
    named: set[str] = set()
    for requirement in extras["all"]:
        inside = requirement.removeprefix(f"{project()['name']}[").removesuffix("]")
        named |= set(inside.split(","))
    assert named == set(extras) - {"all"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_library_code_never_runs_a_loop_of_its_own(package: Path) -> None:
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in package.rglob("*.py")
        # The command owns its process; everything else is called from somebody's.
        if "cli" not in path.relative_to(package).parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "asyncio.run"
    ]
    assert calls == []
