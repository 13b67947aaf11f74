"""The second process of the demo: opens the place that the first one closed, and recalls.

Run as ``python -m axon.cli.reopen``; the place and the questions come in on standard input and the answers go out on
standard output, both as JSON.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from axon.cli.places import Place
from axon.cli.questions import Question
from axon.core.errors import AxonError
from axon.core.memory_system import MemorySystem
from axon.core.models import RecallResult, Tier

_TIME_LIMIT = 120.0
_SAME_SCORE = 1e-6


class Task(msgspec.Struct, frozen=True):
    """What the second process is to do: open ``place`` and ask ``tiers`` for the best ``k`` answers."""

    place: Place
    questions: Sequence[Question]
    tiers: Sequence[Tier]
    k: int

    async def recall(self, memory: MemorySystem) -> list[list[RecallResult]]:
        """Answer the questions."""
        return [
            await memory.recall(question.text, k=self.k, filter=question.filter, tier=self.tiers)
            for question in self.questions
        ]


class Reopened(msgspec.Struct, frozen=True):
    """What the second process found.

    Attributes
    ----------
    pid : its number.
    entries : per tier.
    answers : per question, the ids found and their scores, best first.
    """

    pid: int
    entries: dict[str, int]
    answers: list[list[tuple[str, float]]]

    @staticmethod
    def matches(before: Sequence[RecallResult], after: Sequence[tuple[str, float]]) -> bool:
        """Tell whether both processes found the same entries in the same order with the same scores."""
        return [result.entry.id for result in before] == [id for id, _ in after] and all(
            abs(result.score - score) < _SAME_SCORE for result, (_, score) in zip(before, after, strict=True)
        )


def recall_in_new_process(task: Task) -> Reopened:
    """Let a fresh interpreter open the place and answer the questions.

    Raises
    ------
    AxonError
        If it failed; the message is its own.
    """
    # The child must import this very axon, and not a folder of that name in the current directory.
    root = str(Path(__file__).parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    run = subprocess.run(
        [sys.executable, "-P", "-m", __name__],
        input=msgspec.json.encode(task),
        capture_output=True,
        env=environment,
        timeout=_TIME_LIMIT,
        check=False,
    )
    if run.returncode != 0:
        raise AxonError(f"the second process failed: {run.stderr.decode(errors='replace').strip()}")
    return msgspec.json.decode(run.stdout, type=Reopened)


async def _answer(task: Task) -> Reopened:
    async with task.place.memory() as memory:
        entries = {str(tier): await memory.count(tier=tier) for tier in memory.tiers}
        answers = await task.recall(memory)
    found = [[(result.entry.id, result.score) for result in results] for results in answers]
    return Reopened(os.getpid(), entries, found)


def main() -> None:
    """Answer the questions of the first process."""
    try:
        reopened = asyncio.run(_answer(msgspec.json.decode(sys.stdin.buffer.read(), type=Task)))
    except AxonError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    print(msgspec.json.encode(reopened).decode())


if __name__ == "__main__":
    main()
