"""Importing is free, and what is missing is named: L38."""

from __future__ import annotations

import pytest

import axon_integrations.langgraph as face
from tests.langchain.test_imports import HEAVY, loaded_by, run


def test_l38_the_package_loads_no_framework() -> None:
    assert not loaded_by("import axon_integrations.langgraph") & {"langchain_core", *HEAVY}


def test_l38_the_store_loads_no_more_than_its_base_class() -> None:
    needed = loaded_by("import langgraph.store.base\nfrom axon import MemorySystem")
    loaded = loaded_by("from axon_integrations.langgraph import AxonStore")
    assert not loaded & (set(HEAVY) - {"langgraph"})
    assert loaded - needed <= {"axon_integrations", "sqlite3", "_sqlite3"}


def test_l38_the_graph_is_not_loaded() -> None:
    code = "from axon_integrations.langgraph import AxonStore; import sys; print(*sys.modules)"
    modules = run(code).split()
    assert "langgraph.store.base" in modules
    assert not [name for name in modules if name.startswith(("langgraph.graph", "langgraph.pregel"))]


@pytest.mark.parametrize(
    "missing", ["langgraph", "langgraph.store", "langgraph.store.base", "langchain_core"]
)
def test_l38_without_the_checkpoint_package_the_pip_command_is_named(missing: str) -> None:
    code = f"""
import sys
sys.modules["{missing}"] = None
import axon_integrations.langgraph
from axon.core.errors import MissingDependencyError
try:
    from axon_integrations.langgraph import AxonStore
except MissingDependencyError as error:
    print(isinstance(error, ImportError), error)
"""
    assert run(code).strip() == (
        "True langgraph-checkpoint is not installed. Run: pip install 'axon-integrations[langgraph]'"
    )


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert face.__all__ == ["AxonStore"]
    assert "AxonStore" in dir(face)
    with pytest.raises(AttributeError, match="AxonStorage"):
        face.AxonStorage  # noqa: B018  # the access is the test


def test_what_else_is_missing_keeps_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_numpy(name: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr(face, "import_module", without_numpy)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        face.AxonStore  # noqa: B018  # the access is the test
