"""The notebooks run from top to bottom, as their readers run them; asserts in them say what must come out."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
_CLIENTS = ("langchain_openai", "llama_index.llms.openai")


def _client_is_there(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


# Where there is a key, the real model answers too.
_REAL = ["real"] if "OPENAI_API_KEY" in os.environ and all(map(_client_is_there, _CLIENTS)) else []
MODELS = ["stand-in", *_REAL]


def test_there_are_notebooks() -> None:
    named = ["agent_memory", "llama_index_agent_memory", "llama_index_ingestion", "rag_over_a_folder"]
    assert [path.stem for path in NOTEBOOKS] == named


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run_and_leave_nothing_behind(
    path: Path, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    work, runtime = tmp_path / "work", tmp_path / "runtime"
    work.mkdir()
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("NOTES_FOLDER", raising=False)
    if model == "stand-in":
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(work)}})
    client.execute()
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_output(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []
