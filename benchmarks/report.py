"""Rows of the result, as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import operator
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class Target:
    """What a ratio has to reach.

    Attributes
    ----------
    sign : ``<=`` compares ours / beside, ``>=`` compares beside / ours, which is how many times faster ours is.
    value : > 0.
    """

    sign: Literal["<=", ">="]
    value: float

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}x"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison.

    Attributes
    ----------
    operation : what was measured.
    ours : seconds per operation, or bytes, by ``unit``.
    beside_name, beside : what was measured in the same rounds, in the same unit.
    target : None for a row that only informs.
    unit : ``s`` or ``B``.
    note : anything a reader must know.
    """

    operation: str
    ours: float
    beside_name: str
    beside: float
    target: Target | None = None
    unit: Literal["s", "B"] = "s"
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours over the other, or the other over ours where the target is about being faster."""
        faster = self.target is not None and self.target.sign == ">="
        return self.beside / self.ours if faster else self.ours / self.beside

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        return {"<=": operator.le, ">=": operator.ge}[self.target.sign](self.ratio, self.target.value)


@dataclass(slots=True)
class Report:
    """All rows of a run, and the names of the benchmarks that could not run, with the reason."""

    rows: list[Row] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def as_json(self, *, quick: bool, rounds: int) -> dict[str, object]:
        """Give the whole report as JSON values."""
        return {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "cpus": os.cpu_count(),
            "quick": quick,
            "rounds": rounds,
            "rows": [
                asdict(row) | {"target": None if row.target is None else str(row.target)}
                | {"ratio": row.ratio, "met": row.met}
                for row in self.rows
            ],
            "left_out": self.left_out,
        }  # fmt: skip

    def write(self, path: Path, *, quick: bool, rounds: int) -> None:
        """Write the report as JSON, making the folder."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(self.as_json(quick=quick, rounds=rounds), indent=2) + "\n", encoding="utf-8"
        )

    def print(self) -> None:
        """Print the table to stdout."""
        print_table(
            ("operation", "ours", "beside it", "", "ratio", "target", "met"),
            [
                (row.operation, amount(row.ours, row.unit), row.beside_name, amount(row.beside, row.unit),
                 f"{row.ratio:.2f}", str(row.target or "-"), _MET[row.met], row.note)
                for row in self.rows
            ],
        )  # fmt: skip
        for name, reason in self.left_out.items():
            print(f"{name}: left out, {reason}")


_MET = {True: "yes", False: "NO", None: "-"}


def amount(value: float, unit: str) -> str:
    """Format seconds or bytes in the unit that fits."""
    if unit == "B":
        return f"{value:,.0f} B"
    for scale, name in ((1.0, "s"), (1e-3, "ms")):
        if value >= scale:
            return f"{value / scale:.2f} {name}"
    return f"{value * 1e6:.2f} us"


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns as wide as their content; cells beyond the head are notes and go on the row's end."""
    widths = [
        max(len(cell) for cell in column)
        for column in zip(head, *(row[: len(head)] for row in rows), strict=True)
    ]
    for row in (head, ["-" * width for width in widths], *rows):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, *row[len(head) :]]).rstrip())
    sys.stdout.flush()
