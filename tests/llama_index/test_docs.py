"""The guide and the example run as they are written."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest
from llama_index.core import StorageContext
from llama_index.core.memory import BaseMemory, BaseMemoryBlock
from llama_index.core.vector_stores import SimpleVectorStore

from axon import MemoryConfig, MemorySystem
from axon.core.portal import run_blocking
from axon_integrations.llama_index import AxonMemory, AxonMemoryBlock, AxonVectorStore
from tests.llama_index.helpers import ask, ids, node

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "llama-index.md"
EXAMPLE = ROOT / "examples" / "llama_index_quickstart.py"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_every_block_of_the_guide_runs() -> None:
    found = blocks()
    assert len(found) == GUIDE.read_text(encoding="utf-8").count("```python")
    namespace: dict[str, object] = {}
    for number, block in enumerate(found):
        exec(compile(block, f"{GUIDE.name}, block {number}", "exec"), namespace)


def test_the_replacements_of_the_guide_are_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = GUIDE.read_text(encoding="utf-8").split("## One line to change")[1].split("##")[0]
    written = re.findall(r"\| `(Axon.*\))` \|", table)
    assert len(written) == 5
    faces = {face.__name__: face for face in (AxonVectorStore, AxonMemory, AxonMemoryBlock)}
    names = {**faces, "MemorySystem": MemorySystem, "MemoryConfig": MemoryConfig}
    assert isinstance(eval(written[3], names), BaseMemory)
    assert isinstance(eval(written[4], names), BaseMemoryBlock)
    for expression in written[:3]:
        store = eval(expression, names)
        store.add([node("a", [1, 0])])
        assert ids(store.query(ask([1, 0]))) == ["a"]
        run_blocking(store.client.aclose())
    assert isinstance(StorageContext.from_defaults().vector_store, SimpleVectorStore)


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLE))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "deploy key" in "".join(lines)
    assert "Lunch" not in "".join(lines)
    code = [line for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(code) <= 30
