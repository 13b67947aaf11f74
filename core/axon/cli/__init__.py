"""The ``axon`` command.

Importing this module needs neither ``rich`` nor any framework; each is looked for when a command wants it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from math import nan
from pathlib import Path

from axon.cli.openai_mode import CHAT_MODEL, KEY
from axon.cli.version import version_text
from axon.core.errors import AxonError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    argv : arguments without the program's name; None takes those of the process.

    Returns
    -------
    The exit status: 0 if all went well, 1 after an error, 130 after Ctrl-C; argparse itself exits with 2.
    """
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help()
        return 0
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # The texts shown may hold characters that the terminal's encoding lacks.
            stream.reconfigure(errors="replace")
    from axon.cli.demo import DemoOptions, run_demo

    try:
        return run_demo(DemoOptions.read(options))
    except AxonError as error:
        print(f"axon {options.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="axon", description="A tiered memory for LLM applications.")
    parser.add_argument("--version", action="version", version=version_text())
    commands = parser.add_subparsers(dest="command", title="commands", metavar="COMMAND")
    summary = "remember and recall real text through three tiers, LangChain and LlamaIndex"
    _add_demo(commands.add_parser("demo", help=summary, description=summary.capitalize() + "."))
    return parser


def _add_demo(demo: argparse.ArgumentParser) -> None:
    source = demo.add_argument_group("what to remember")
    source.add_argument(
        "--input",
        type=Path,
        metavar="DIR",
        help="your own .md, .rst and .txt files (default: Python's reference)",
    )
    source.add_argument("--limit", type=_positive, metavar="N", help="at most N topics or files")
    question = demo.add_argument_group("what to ask")
    question.add_argument(
        "--ask", action="append", default=[], metavar="TEXT", help="a question; may be repeated"
    )
    question.add_argument(
        "--tag", action="append", default=[], help="answers to --ask carry this tag; may be repeated"
    )
    question.add_argument(
        "--min-importance", type=_share, default=0.0, metavar="X", help="the same for importance"
    )
    question.add_argument("-k", type=_positive, default=3, help="answers per question (default: %(default)s)")
    place = demo.add_argument_group("where to keep it")
    where = place.add_mutually_exclusive_group()
    where.add_argument(
        "--path", type=Path, metavar="FILE", help="the database file (default: a temporary one)"
    )
    where.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="a configuration in TOML or JSON, such as one with Redis, Qdrant or Chroma tiers; the demo keeps to a "
        "namespace of its own there and clears it",
    )
    place.add_argument(
        "--keep", action="store_true", help="do not remove the temporary file, or clear the namespace"
    )
    model = demo.add_argument_group("models")
    model.add_argument(
        "--local", action="store_true", help=f"use no model of OpenAI even though {KEY} is set"
    )
    model.add_argument(
        "--chat-model", default=CHAT_MODEL, metavar="NAME", help="words the answers (default: %(default)s)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number >= 1")
    return int(text)


def _share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a number in [0, 1]")
    return number
