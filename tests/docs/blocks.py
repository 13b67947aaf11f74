"""Code blocks of Markdown pages, found and run."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

_HEADING = re.compile(r"#{1,6}\s+(.*)")
_FENCE = re.compile(r"```(\w*)\s*$")
_OPT_OUT = re.compile(r"<!--\s*not run:(.*)-->")


class Block(NamedTuple):
    """One fenced block.

    Attributes
    ----------
    page : the file.
    heading : the heading it stands under.
    line : of its first line of code, from 1.
    language : what the fence says; empty if nothing.
    code : without the fences.
    opt_out : the reason of a ``<!-- not run: reason -->`` above it, or None.
    """

    page: Path
    heading: str
    line: int
    language: str
    code: str
    opt_out: str | None

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.line} {self.heading}"


def find_blocks(page: Path) -> list[Block]:
    """Find all fenced blocks of a page, in order."""
    blocks: list[Block] = []
    heading, language, start, opt_out = "", "", 0, None
    code: list[str] | None = None
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if code is not None:
            if fence and not fence[1]:
                blocks.append(Block(page, heading, start, language, "\n".join(code) + "\n", opt_out))
                code, opt_out = None, None
            else:
                code.append(line)
        elif fence:
            code, language, start = [], fence[1], number + 1
        elif found := _HEADING.match(line):
            heading = found[1]
        elif found := _OPT_OUT.match(line):
            opt_out = found[1].strip()
    assert code is None, f"{page} ends inside a block"
    return blocks


async def run(code: str, name: str, namespace: dict[str, Any]) -> None:
    """Execute code that may use ``await`` outside of functions, as a notebook does."""
    compiled = compile(code, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    answer = eval(compiled, namespace)
    if inspect.iscoroutine(answer):
        await answer
