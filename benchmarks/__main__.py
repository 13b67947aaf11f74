"""The command line: ``python -m benchmarks [--quick] [--only NAME] [--json FILE]``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from benchmarks.catalogue import BENCHMARKS
from benchmarks.plan import Plan
from benchmarks.report import Report

_DEFAULT = Path("build/benchmarks.json")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks, print the table, write the JSON; 0 whether or not targets are met."""
    options = _parser().parse_args(arguments)
    plan = Plan.quick() if options.quick else Plan()
    report = Report()
    for name in options.only or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            report.rows += asyncio.run(BENCHMARKS[name](plan))
        except ModuleNotFoundError as error:
            report.left_out[name] = f"{error.name} is not installed"
    report.print()
    report.write(options.json, quick=options.quick, rounds=plan.rounds)
    print(f"\nratios of medians of {plan.rounds} interleaved rounds; JSON in {options.json}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that everything runs, no more"
    )
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=list(BENCHMARKS), help="may be repeated"
    )
    parser.add_argument("--json", type=Path, default=_DEFAULT, metavar="FILE", help=f"default: {_DEFAULT}")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
