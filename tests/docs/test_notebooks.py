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
# Where there is a key, the real model answers too.
MODELS = ["stand-in", *(["real"] if "OPENAI_API_KEY" in os.environ and find_spec("langchain_openai") else [])]


def test_there_are_notebooks() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["agent_memory", "rag_over_a_folder"]


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
