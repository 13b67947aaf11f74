"""What the documentation shows runs as it stands."""

from __future__ import annotations

import asyncio
import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import axon_integrations.langchain.retriever
import axon_integrations.langchain.vector_store

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_blocks_of_the_page_run_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "langchain.md").read_text(encoding="utf-8"))
    assert len(blocks) >= 8
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/langchain.md", "exec"), names)
    asyncio.run(names["memory"].aclose())
    assert "delete_all=True" in capsys.readouterr().out


def test_the_quickstart_runs_offline_without_a_key(tmp_path: Path) -> None:
    script = ROOT / "examples" / "langchain_quickstart.py"
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "The deploy key is rotated every month." in run.stdout
    assert "Lunch" not in run.stdout
    assert not list(tmp_path.iterdir())
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 30


@pytest.mark.parametrize(
    "module", [axon_integrations.langchain.vector_store, axon_integrations.langchain.retriever]
)
def test_examples_in_docstrings_run(module: Any) -> None:
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0
