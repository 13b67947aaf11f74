"""The count of bytes per entry runs, and its figures are of the size that they must have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import DIMS

ROOT = Path(__file__).resolve().parents[2]


def test_bytes_per_entry_are_counted() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.capacity", "2000", "sqlite", "redis", "chroma-folder"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    counted = {each["backend"]: each for each in map(json.loads, run.stdout.splitlines())}
    vector = 4 * DIMS
    assert vector < counted["sqlite"]["disk"] < 3 * vector
    # What a server keeps for itself differs by version, and shows at so few entries.
    assert vector < counted["redis"]["server_used"] < 5 * vector
    assert vector < counted["chroma-folder"]["disk"] < 10 * vector
    assert all(each["client_with_words"] >= 0 for each in counted.values())
