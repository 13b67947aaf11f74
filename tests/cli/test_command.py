"""The ``axon`` command itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import axon
from axon.cli import main

BLOCK_RICH = """
import sys
sys.modules["rich"] = None
from axon.cli import main
"""


def test_version_tells_which_axon_was_imported(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    printed = capsys.readouterr().out
    assert axon.__version__ in printed
    assert str(Path(axon.__file__).parent) in printed


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


def without_rich(arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"{BLOCK_RICH}sys.exit(main({arguments}))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_the_command_starts_without_rich() -> None:
    assert without_rich("['--version']").returncode == 0
    run = without_rich("['demo', '--limit', '1']")
    assert run.returncode == 1
    assert "pip install 'axon-integrations[cli]'" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_missing_framework_is_named_and_left_out() -> None:
    code = "import sys\nsys.modules['llama_index'] = None\nfrom axon.cli import main\n"
    run = subprocess.run(
        [sys.executable, "-c", f"{code}sys.exit(main(['demo', '--limit', '1', '--local']))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    flat = " ".join(run.stdout.split())
    assert "LlamaIndex is left out" in flat
    assert "pip install 'axon-integrations[llama-index]'" in flat
    assert "recall = LangChain: all agree" in flat
