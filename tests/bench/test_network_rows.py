"""The rows of the network backends run on real servers and give right answers; nothing is asserted of their timings."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.catalogue import NETWORK
from tests.bench.test_bench_runs import named, report_of, run


@pytest.mark.parametrize("backend", ["redis", "chroma", "qdrant"])
def test_every_row_of_a_backend_is_filled(backend: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    wanted = sorted(name for name in NETWORK if name.startswith(backend))
    report = report_of(run("benchmarks", "--quick", *named(wanted), "--json", str(file)), file)
    assert len(report["rows"]) >= len(wanted) >= 3
    assert all(row["ours"] > 0 < row["beside"] for row in report["rows"])
