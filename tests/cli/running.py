"""Running ``axon demo`` as a user does: a process of its own, its output read as text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def demo(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    return subprocess.run(
        [sys.executable, "-m", "axon.cli", "demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**inherited, "COLUMNS": "140", "PYTHONIOENCODING": "utf-8", **environment},
        timeout=120,
        check=False,
    )


def write_notes(folder: Path) -> Path:
    """Write a few files for the demo to remember."""
    (folder / "deep").mkdir(parents=True)
    (folder / "deploy.md").write_text(
        "# Deploying\n\nDeploys are frozen from 20 December to 2 January.\n\n"
        "Note: hotfixes need two reviewers, one of whom was on call during the last incident.\n\n"
        "## Rollback\n\nRun the rollback job; it takes four minutes.\n",
        encoding="utf-8",
    )
    (folder / "deep" / "keys.rst").write_text(
        "Keys\n====\n\nThe deploy key is rotated monthly.\n", encoding="utf-8"
    )
    (folder / "plain.txt").write_text("The lighthouse keeper drinks tea.\n", encoding="utf-8")
    (folder / "picture.png").write_bytes(b"\x89PNG\xff")
    return folder


def section(output: str, number: int) -> str:
    """Cut one numbered step out of the output."""
    begin = re.search(rf"^{number}  ", output, re.MULTILINE)
    assert begin is not None, output
    end = re.search(rf"^{number + 1}  ", output, re.MULTILINE)
    return output[begin.start() : end.start() if end else None]
