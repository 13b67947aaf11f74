"""The benchmarks run and report; what they measure is not looked at, since timings belong in no test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.catalogue import BENCHMARKS, NETWORK

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run in a process of its own: importing ``benchmarks`` there sets the number of BLAS threads."""
    path = os.pathsep.join([str(ROOT), *sys.path])
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=120
    )


def named(benchmarks: Iterable[str]) -> list[str]:
    """Options that run these benchmarks only."""
    return [part for name in benchmarks for part in ("--only", name)]


def report_of(done: subprocess.CompletedProcess[str], file: Path) -> dict[str, Any]:
    """Read what a run wrote that left nothing out."""
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert report["left_out"] == {}
    return report


def test_a_quick_run_fills_every_row_and_writes_json(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "result.json"
    # Whether the servers are installed or not: their rows have a test of their own.
    local = [name for name in BENCHMARKS if name not in NETWORK]
    done = run("benchmarks", "--quick", *named(local), "--json", str(file))
    report = report_of(done, file)
    assert report["quick"] is True
    assert len(report["rows"]) >= len(local)
    for row in report["rows"]:
        assert row["operation"] in done.stdout
        assert row["beside"] > 0
        assert row["met"] is (None if row["target"] is None else row["met"])
        if row["target"] is not None:
            sign, value = row["target"].removesuffix("x").split()
            assert row["met"] is (
                row["ratio"] <= float(value) if sign == "<=" else row["ratio"] >= float(value)
            )
            inverse = row["beside"] / row["ours"]
            assert row["ratio"] == pytest.approx(inverse if sign == ">=" else 1 / inverse)


def test_one_benchmark_by_name(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    assert run("benchmarks", "--quick", "--only", "bulk", "--json", str(file)).returncode == 0
    assert [row["operation"] for row in json.loads(file.read_text(encoding="utf-8"))["rows"]] == [
        "bulk_store"
    ]


def test_an_unknown_name_is_refused() -> None:
    done = run("benchmarks", "--only", "nothing")
    assert done.returncode == 2
    assert "nothing" in done.stderr


def test_recall_quality_without_its_data_is_an_error(tmp_path: Path) -> None:
    done = run("benchmarks.recall_quality", str(tmp_path / "absent.json"))
    assert done.returncode != 0
    assert "absent.json" in done.stderr


def test_recall_quality_counts_the_evidence_found(tmp_path: Path) -> None:
    turns = [
        {"speaker": "Ann", "dia_id": f"D1:{n}", "text": f"I like {word}."}
        for n, word in enumerate(["chess", "violins", "mushrooms", "lighthouses"] * 5, 1)
    ]
    conversation = {
        "session_1": turns,
        "session_1_date_time": "1 May",
        "speaker_a": "Ann",
        "speaker_b": "Bob",
    }
    questions = [
        {"question": "Who likes violins?", "evidence": ["D1:2", "D1:6"], "category": 4},
        {"question": "Not in the conversation", "evidence": ["D9:1"], "category": 4},
    ]
    file = tmp_path / "talk.json"
    file.write_text(json.dumps([{"sample_id": "talk", "conversation": conversation, "qa": questions}]))
    done = run("benchmarks.recall_quality", str(file))
    assert done.returncode == 0, done.stderr
    assert "1 questions" in done.stdout
    text = next(line for line in done.stdout.splitlines() if line.startswith("text"))
    assert text.split()[1] == "100.0"
