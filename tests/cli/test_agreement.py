"""A difference between faces, or between processes, is seen and told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from axon.cli import main
from axon.cli.agreement import AxonFace, Comparison
from axon.cli.questions import Question
from axon.cli.reopen import Reopened
from axon.core.memory_system import MemorySystem
from axon.core.models import MemoryEntry, RecallResult, Tier

QUESTION = Question("why?", ("a", "b"), 0.5)


class ReversedFace(AxonFace):
    name = "Reversed"

    async def ask(self, memory: MemorySystem, question: Question, k: int) -> list[str]:
        return (await super().ask(memory, question, k))[::-1]


@pytest.mark.parametrize(
    ("found", "agree"),
    [
        ([["1", "2"], ["1", "2"], ["1", "2"]], True),
        ([["1", "2"]], True),
        ([["1", "2"], ["1", "2"], ["2", "1"]], False),
        ([["1", "2"], ["1"]], False),
    ],
)
def test_faces_agree_on_ids_and_order(found: list[list[str]], agree: bool) -> None:
    assert Comparison(QUESTION, {str(place): ids for place, ids in enumerate(found)}).agree is agree


@pytest.mark.parametrize(
    ("after", "same"),
    [
        ([("x", 0.9), ("y", 0.5)], True),
        ([("y", 0.9), ("x", 0.5)], False),
        ([("x", 0.9), ("y", 0.4)], False),
        ([("x", 0.9)], False),
    ],
)
def test_processes_agree_on_ids_order_and_scores(after: list[tuple[str, float]], same: bool) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    before = [
        RecallResult(MemoryEntry(id, id=id, created_at=start), score, None, Tier.SESSION)
        for id, score in (("x", 0.9), ("y", 0.5))
    ]
    assert Reopened.matches(before, after) is same


def test_the_filter_of_a_question_is_one_in_both_spellings() -> None:
    assert QUESTION.filter.from_dict(QUESTION.filter_dict) == QUESTION.filter
    assert Question("why?").filter_dict == {}
    assert QUESTION.conditions == "tags a, b and importance >= 0.5"


def test_a_face_that_disagrees_fails_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.md").write_text("# One\n\nfirst\n\n# Two\n\nsecond\n", encoding="utf-8")
    monkeypatch.setattr("axon_integrations.demo.FACES", (ReversedFace(),))
    assert main(["demo", "--local", "--input", str(tmp_path), "--ask", "one or two?"]) == 1
    assert "recall = Reversed: THEY DISAGREE" in capsys.readouterr().out
