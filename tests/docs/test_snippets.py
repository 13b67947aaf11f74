"""Every Python block of the pages and every example script runs.

The blocks of a page share their names, as a reader reads them; those of the README each stand alone. A block
of language ``text`` right below is what it prints. ``<!-- not run: reason -->`` above a block opts out.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from axon.core import adapter_options, registry
from tests.docs.blocks import Block, find_blocks, run

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


def sessions() -> list[list[tuple[Block, str | None]]]:
    """Pair each Python block with the output stated for it, in groups that share their names."""
    groups: list[list[tuple[Block, str | None]]] = []
    for page in PAGES:
        blocks = find_blocks(page)
        pairs = [
            (block, following.code if following is not None and following.language == "text" else None)
            for block, following in zip_longest(blocks, blocks[1:])
            if block.language == "python" and block.opt_out is None
        ]
        groups += [[pair] for pair in pairs] if page == README else [pairs] if pairs else []
    return groups


@pytest.fixture(autouse=True)
def process_as_before() -> Iterator[None]:
    """Undo what a page may do to the whole process: make an adapter known, set up logging."""
    logger = logging.getLogger("axon")
    tables: tuple[dict[str, Any], ...] = (registry._ADAPTERS, adapter_options.OPTIONS)
    kept = [dict(table) for table in tables]
    handlers, level = list(logger.handlers), logger.level
    yield
    for table, before in zip(tables, kept, strict=True):
        table.clear()
        table.update(before)
    logger.handlers[:] = handlers
    logger.setLevel(level)


def name_of(session: list[tuple[Block, str | None]]) -> str:
    block = session[0][0]
    return f"{block.page.relative_to(ROOT)}:{block.line}"


@pytest.mark.parametrize("session", sessions(), ids=name_of)
def test_blocks_run_and_print_what_the_page_says(
    session: list[tuple[Block, str | None]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    names: dict[str, Any] = {"__name__": "snippet"}
    with asyncio.Runner() as runner:
        for block, stated in session:
            coroutine = run(block.code, block.name, names)
            if "await " in block.code or "async " in block.code:
                runner.run(coroutine)
            else:
                run_outside_of_a_loop(coroutine)
            printed = capsys.readouterr().out
            if stated is not None:
                assert printed == stated, block.name


def run_outside_of_a_loop(coroutine: Any) -> None:
    """Finish a coroutine that awaits nothing; its blocking calls see no running loop, as in a script."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


def test_the_readme_has_its_two_examples() -> None:
    blocks = [block.code for block in find_blocks(README) if block.language == "python"]
    for face in ("axon_integrations.langchain", "axon_integrations.llama_index"):
        (code,) = (code for code in blocks if face in code)
        assert len(code.splitlines()) <= 22


def test_an_opt_out_states_its_reason() -> None:
    opted_out = [block for page in PAGES for block in find_blocks(page) if block.opt_out is not None]
    assert [block.name for block in opted_out if len(str(block.opt_out)) < 10] == []


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_examples_run_offline_and_leave_nothing_behind(script: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    done = subprocess.run(
        # LlamaIndex has its agents looked through by inspect, at which pydantic deprecates what it comes across.
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning:inspect", str(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert list(tmp_path.iterdir()) == []


def test_internal_links_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []
