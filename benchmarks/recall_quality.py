"""Turn recall on conversations: ``python -m benchmarks.recall_quality DATA.json``.

The file is a list of conversations in LoCoMo's form (Maharana et al., "Evaluating Very Long-Term Conversational
Memory of LLM Agents", ACL 2024). Each conversation is a namespace, each turn an entry "Speaker: text"; each question
is asked as it stands, and counts the share of its evidence turns among the first k results. Questions whose evidence
does not resolve are left out and counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from axon import MemorySystem
from axon.core.policies import RecallMode
from benchmarks.plan import one_tier
from benchmarks.report import print_table

_MODES: tuple[RecallMode, ...] = ("hybrid", "text", "vector")
_SESSION = re.compile(r"session_(\d+)")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the ids of the turns that hold the answer."""

    words: str
    evidence: frozenset[str]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation, ready to be stored.

    Attributes
    ----------
    turns : as ``bulk_store`` takes them, by the ids that evidence names.
    unresolved : questions left out, because their evidence names no turn.
    """

    name: str
    turns: list[dict[str, Any]]
    questions: list[Question]
    unresolved: int


def read(path: Path) -> list[Conversation]:
    """Read all conversations of a file.

    Raises
    ------
    OSError, ValueError, KeyError
        If the file is absent, no JSON, or of another form.
    """
    return [_conversation(source) for source in json.loads(path.read_text(encoding="utf-8"))]


def _conversation(source: dict[str, Any]) -> Conversation:
    turns = list(_turns(source["conversation"]))
    known = {turn["id"] for turn in turns}
    asked = [Question(each["question"], frozenset(each.get("evidence") or ())) for each in source["qa"]]
    questions = [each for each in asked if each.evidence and each.evidence <= known]
    return Conversation(source["sample_id"], turns, questions, len(asked) - len(questions))


def _turns(conversation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    numbers = sorted(int(found[1]) for key in conversation if (found := _SESSION.fullmatch(key)))
    for number in numbers:
        date = conversation.get(f"session_{number}_date_time", "")
        for turn in conversation[f"session_{number}"]:
            yield {
                "id": turn["dia_id"],
                "text": f"{turn['speaker']}: {turn['text']}",
                "session_id": f"session_{number}",
                "metadata": {"session": number, "date": date, "speaker": turn["speaker"]},
            }


async def turn_recall(
    memory: MemorySystem, questions: list[Question], mode: RecallMode, k: int
) -> list[float]:
    """Give each question's share of evidence among the first ``k`` results, in [0, 1]."""
    shares = []
    for question in questions:
        found = {result.entry.id for result in await memory.recall(question.words, k=k, mode=mode)}
        shares.append(len(question.evidence & found) / len(question.evidence))
    return shares


async def measure(conversations: list[Conversation], k: int) -> dict[RecallMode, dict[str, list[float]]]:
    """Store all conversations, each in a namespace, and ask all questions in every mode."""
    found: dict[RecallMode, dict[str, list[float]]] = {mode: {} for mode in _MODES}
    async with one_tier() as memory:
        for conversation in conversations:
            scope = memory.scope(conversation.name)
            await scope.bulk_store(conversation.turns)
            for mode in _MODES:
                found[mode][conversation.name] = await turn_recall(scope, conversation.questions, mode, k)
    return found


def main(arguments: list[str] | None = None) -> int:
    """Measure a file and print the table, in percent."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recall_quality", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA.json", help="conversations in LoCoMo's form")
    parser.add_argument("--k", type=int, default=10, help="results looked at, default 10")
    options = parser.parse_args(arguments)
    conversations = read(options.data)
    found = asyncio.run(measure(conversations, options.k))
    asked = sum(len(each.questions) for each in conversations)
    left_out = sum(each.unresolved for each in conversations)
    print(
        f"turn recall@{options.k} in %, {asked} questions, {left_out} left out (evidence does not resolve)\n"
    )
    head = ("mode", "all", *(each.name for each in conversations))
    print_table(
        head,
        [
            (mode, _percent([share for shares in by_name.values() for share in shares]),
             *(_percent(shares) for shares in by_name.values()))
            for mode, by_name in found.items()
        ],
    )  # fmt: skip
    return 0


def _percent(shares: list[float]) -> str:
    return f"{100 * fmean(shares):.1f}" if shares else "-"


if __name__ == "__main__":
    raise SystemExit(main())
