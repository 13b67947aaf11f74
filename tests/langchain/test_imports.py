"""L38: importing is free, and what is missing is named."""

from __future__ import annotations

import subprocess
import sys

import pytest

import axon_integrations.langchain as face

HEAVY = (
    "langchain",
    "langchain_classic",
    "langgraph",
    "llama_index",
    "qdrant_client",
    "chromadb",
    "redis",
    "openai",
    "torch",
)


def run(code: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def loaded_by(statement: str) -> set[str]:
    return set(
        run(f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})").split()
    )


def test_l38_the_package_loads_no_framework() -> None:
    loaded = loaded_by("import axon_integrations.langchain")
    assert not loaded & {"langchain_core", *HEAVY}


def test_l38_the_vector_store_loads_no_vendor_and_no_agent() -> None:
    loaded = loaded_by(
        "from axon_integrations.langchain import AxonVectorStore, AxonRetriever, AxonTranslator"
    )
    assert "langchain_core" in loaded
    assert not loaded & set(HEAVY)


@pytest.mark.parametrize("name", face.__all__)
def test_l38_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(face, name) is not None
    assert name in dir(face)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="AxonVectorstore"):
        face.AxonVectorstore  # noqa: B018  # the access is the test


@pytest.mark.parametrize("name", face.__all__)
def test_l38_without_langchain_core_the_pip_command_is_named(name: str) -> None:
    code = f"""
import sys
sys.modules["langchain_core"] = None
import axon_integrations.langchain
from axon.core.errors import MissingDependencyError
try:
    from axon_integrations.langchain import {name}
except MissingDependencyError as error:
    print(isinstance(error, ImportError), error)
"""
    assert run(code).strip() == (
        "True langchain-core is not installed. Run: pip install 'axon-integrations[langchain]'"
    )


def test_what_else_is_missing_keeps_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_numpy(name: str) -> None:
        raise ModuleNotFoundError("No module named 'numpy'", name="numpy")

    monkeypatch.setattr(face, "import_module", without_numpy)
    with pytest.raises(ModuleNotFoundError, match="numpy"):
        face.AxonVectorStore  # noqa: B018  # the access is the test
