"""The table of operators in the guide: Axon's column is asked anew, and is what the oracle says."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.llama_index.oracle import Stored, passes

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


@pytest.fixture(scope="module")
def table() -> Any:
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = spec_from_file_location("operator_table", SCRIPTS / "operator_table.py")
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


def test_every_cell_is_what_the_oracle_says_and_none_is_an_exception(table: Any) -> None:
    store = table.filled()
    stored = {name: Stored(fields, None) for name, fields in table.NODES.items()}
    for case in table.CASES:
        for chosen in case.filters:
            wanted = "".join(name for name, form in stored.items() if passes(chosen, form))
            wanted = {"": "none", "".join(stored): "all"}.get(wanted, wanted)
            assert table.found(store, chosen) == wanted, case.label


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPTS / "operator_table.py", "--check"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
