"""R38: what is loaded when, and what happens without llama-index-core. Each in a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest

OTHERS = (
    "langchain", "langchain_core", "langgraph", "redis", "qdrant_client", "chromadb", "pinecone", "openai",
    "sentence_transformers", "torch",
)  # fmt: skip


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_r38_importing_the_package_loads_no_framework_and_no_vendor() -> None:
    code = "import sys, axon_integrations.llama_index as face; dir(face); print(sorted(sys.modules))"
    loaded = run(code)
    for name in ("llama_index", "llama_index.core", *OTHERS):
        assert f"'{name}'" not in loaded


def test_r38_using_the_store_loads_llama_index_core_only() -> None:
    code = """
import sys
import axon_integrations.llama_index as face
for name in face.__all__:
    getattr(face, name)
print(sorted(sys.modules))
"""
    loaded = run(code)
    assert "'llama_index.core'" in loaded
    for name in OTHERS:
        assert f"'{name}'" not in loaded


@pytest.mark.parametrize(
    "name", ["AxonVectorStore", "AxonEmbedding", "from_llama_index", "axon_vector_store_info"]
)
def test_r38_without_llama_index_the_error_is_the_pip_command(name: str) -> None:
    code = f"""
import sys
sys.modules["llama_index"] = None
import axon_integrations.llama_index
try:
    axon_integrations.llama_index.{name}
except ImportError as error:
    print(type(error).__name__, error)
"""
    told = run(code)
    assert told.startswith("MissingDependencyError")
    assert "pip install 'axon-integrations[llama-index]'" in told


def test_r38_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    import axon_integrations.llama_index as face

    with pytest.raises(AttributeError, match="NoSuchThing"):
        _ = face.NoSuchThing
    assert sorted(face.__all__) == dir(face)
