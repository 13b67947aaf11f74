"""Checklists of the documentation: tables that name a test for each promise."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


class Checklist:
    """One page, read.

    Parameters
    ----------
    name : of the page below ``docs/explanation``.
    letter : before the numbers of its rows.
    """

    def __init__(self, name: str, letter: str) -> None:
        page = (ROOT / "docs" / "explanation" / name).read_text(encoding="utf-8")
        self.named = sorted(set(NAMED.findall(page)))
        self.rows = [int(number) for number in re.findall(rf"^\| {letter}(\d+) \|.*::", page, re.MULTILINE)]


def is_there(path: str, name: str) -> bool:
    """Tell whether a file defines or imports a test of that name."""
    source = (ROOT / path).read_text(encoding="utf-8")
    defined = rf"^(async )?(def|class) {name}\b"
    imported = rf"^    {name},$|^from .* import .*\b{name}\b"
    return re.search(f"{defined}|{imported}", source, re.MULTILINE) is not None
