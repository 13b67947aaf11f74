"""Every test that the checklist of the documentation names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "explanation" / "langchain-checklist.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE)
# About the store of LangGraph, or said below the table to be missing.
ELSEWHERE = {27, 28, 29, 30, 40}


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED)))
def test_a_named_test_is_there(path: str, name: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    defined = rf"^(async )?(def|class) {name}\b"
    imported = rf"^    {name},$"
    assert re.search(f"{defined}|{imported}", source, re.MULTILINE)


def test_every_number_has_a_row() -> None:
    rows = {int(number) for number in re.findall(r"^\| L(\d+) \|.*::", PAGE, re.MULTILINE)}
    assert rows == set(range(1, 41)) - ELSEWHERE
