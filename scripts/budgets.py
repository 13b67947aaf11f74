"""Print the size and exception-handling figures of both packages; exit 1 when one is over its budget."""

from __future__ import annotations

import ast
import io
import math
import re
import statistics
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("core/axon", "axon_integrations")
# A generated table says so in its first lines and is nobody's reading matter.
GENERATED = "@generated"

FILE_MEDIAN, FILE_MAX, FUNCTION_P90 = 200, 600, 40
BROAD_EXCEPTS_PER_KLOC, TYPE_IGNORES_PER_KLOC = 0.5, 1.0

BROAD_NAMES = {"Exception", "BaseException"}
TYPE_IGNORE = re.compile(r"#\s*type:\s*ignore(\[[\w, -]+\])?")


@dataclass(frozen=True, slots=True)
class Source:
    """One parsed file: its path below the repository, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """Physical lines, blank ones and comments included."""
        return len(self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value beside its budget, with the places to look at when it is over."""

    name: str
    value: float
    budget: str
    ok: bool
    places: list[str]


def read_sources() -> list[Source]:
    """Parse every Python file of the packages that is not generated."""
    sources = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if not any(GENERATED in line for line in text.splitlines()[:5]):
                sources.append(Source(path.relative_to(ROOT), text, ast.parse(text, str(path))))
    return sources


def function_lengths(source: Source) -> Iterator[tuple[int, str]]:
    """Yield (lines from `def` to the last one, place) for each function, nested ones included."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            yield length, f"{source.path}:{node.lineno} {node.name}"


def broad_excepts(source: Source) -> Iterator[str]:
    """Yield the place of each handler that catches everything, spelled or bare."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(name is None or (isinstance(name, ast.Name) and name.id in BROAD_NAMES) for name in types):
                yield f"{source.path}:{node.lineno}"


def type_ignores(source: Source) -> Iterator[tuple[str, bool]]:
    """Yield (place, has a code) for each `type: ignore` comment; text in strings does not count."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT and (match := TYPE_IGNORE.search(token.string)):
            yield f"{source.path}:{token.start[0]}", match[1] is not None


def percentile(values: list[int], share: float) -> int:
    """Nearest-rank percentile: the smallest value that `share` of the values do not exceed."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def measure(sources: list[Source]) -> list[Figure]:
    """Compute every figure that has a budget."""
    files = sorted(((source.lines, str(source.path)) for source in sources), reverse=True)
    kloc = sum(lines for lines, _ in files) / 1000
    functions = sorted((pair for source in sources for pair in function_lengths(source)), reverse=True)
    excepts = [place for source in sources for place in broad_excepts(source)]
    ignores = [pair for source in sources for pair in type_ignores(source)]
    uncoded = [place for place, has_code in ignores if not has_code]

    median = statistics.median([lines for lines, _ in files])
    p90 = percentile([length for length, _ in functions] or [0], 0.9)
    except_rate, ignore_rate = len(excepts) / kloc, len(ignores) / kloc
    longest = [f"{path} ({lines})" for lines, path in files]
    return [
        Figure("file length, median", median, f"<= {FILE_MEDIAN}", median <= FILE_MEDIAN, longest[:10]),
        Figure(
            "file length, longest",
            files[0][0],
            f"<= {FILE_MAX}",
            files[0][0] <= FILE_MAX,
            [place for (lines, _), place in zip(files, longest, strict=True) if lines > FILE_MAX],
        ),
        Figure(
            "function length, p90",
            p90,
            f"<= {FUNCTION_P90}",
            p90 <= FUNCTION_P90,
            [f"{place} ({length})" for length, place in functions if length > FUNCTION_P90],
        ),
        Figure(
            "broad excepts per 1000 lines",
            except_rate,
            f"< {BROAD_EXCEPTS_PER_KLOC}",
            except_rate < BROAD_EXCEPTS_PER_KLOC,
            excepts,
        ),
        Figure(
            "type: ignore per 1000 lines",
            ignore_rate,
            f"<= {TYPE_IGNORES_PER_KLOC}",
            ignore_rate <= TYPE_IGNORES_PER_KLOC,
            [place for place, _ in ignores],
        ),
        Figure("type: ignore without a code", len(uncoded), "0", not uncoded, uncoded),
    ]


def main() -> int:
    sources = [source for source in read_sources() if source.lines]
    if not sources:
        print(f"no Python file below {' or '.join(PACKAGES)}", file=sys.stderr)
        return 2
    total = sum(source.lines for source in sources)
    print(f"budgets: {len(sources)} files, {total} lines")
    figures = measure(sources)
    for figure in figures:
        verdict = "" if figure.ok else " OVER"
        print(f"  {figure.name:<30}{figure.value:>8.4g}   budget {figure.budget:<8}{verdict}")
        if not figure.ok:
            print(*(f"      {place}" for place in figure.places), sep="\n")
    return 0 if all(figure.ok for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
