"""Opening and closing many times leaks no descriptor, no thread and no memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.backends import open_close
from tests.backends.catalogue import Backend

MOST_DESCRIPTORS = 5
MOST_BYTES = 5_000_000
ONE_HEAP = {"MALLOC_ARENA_MAX": "1", "MALLOC_TRIM_THRESHOLD_": "100000"}
"""By itself glibc gives threads heaps of their own, whose gaps come and go by more than a leak would."""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process holds")
def test_two_hundred_cycles_leak_nothing(backend: Backend, tmp_path: Path) -> None:
    with backend.place(tmp_path) as options:
        command = [sys.executable, open_close.__file__, backend.adapter_type, json.dumps(options)]
        environment = {**os.environ, **ONE_HEAP}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=False, env=environment
        )
    assert done.returncode == 0, done.stderr
    grown = json.loads(done.stdout)
    assert grown["cycles"] == open_close.CYCLES
    assert grown["descriptors"] <= MOST_DESCRIPTORS
    assert grown["threads"] <= 0
    assert grown["bytes"] < MOST_BYTES
