"""How the demo looks. The only module of the command that knows ``rich``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from axon.cli.agreement import Comparison
from axon.cli.passages import Rank
from axon.cli.questions import Question
from axon.cli.reopen import Reopened
from axon.cli.snippets import common_words, snippet, spans
from axon.core.models import RecallResult, Tier

_TIER_STYLES = {Tier.EPHEMERAL: "yellow", Tier.SESSION: "cyan", Tier.PERSISTENT: "green"}
_SIGNALS = {"text_score": "BM25", "similarity": "cosine"}
_SNIPPET = 150
"""Characters shown of a passage."""


class Screen:
    """Where the demo writes.

    Parameters
    ----------
    console : None writes to standard output, as wide as the terminal is.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)

    def section(self, title: str) -> None:
        """Begin a step of the demo."""
        self.console.print()
        self.console.rule(Text(title, style="bold"), align="left", style="dim")

    def say(self, text: str, style: str = "") -> None:
        """Write a sentence; nothing in it is markup."""
        self.console.print(Text(text, style=style))

    def routing(self, counts: Mapping[Rank, Mapping[Tier, int]]) -> None:
        """Show for each rule how many passages are in which tier."""
        table = _table(wide=False)
        table.add_column("what a passage does")
        table.add_column("importance", justify="right")
        table.add_column("tier")
        table.add_column("passages", justify="right")
        for rank, by_tier in counts.items():
            for tier, count in by_tier.items():
                if count:
                    table.add_row(rank.rule, f"{rank.importance:.1f}", _tier(tier), str(count))
        self.console.print(table)

    def calls(self, calls: Iterable[tuple[str, str]]) -> None:
        """Show how the users of each face write one call."""
        table = Table.grid(padding=(0, 2))
        for name, call in calls:
            table.add_row(Text(name, style="dim"), Text(call, style="cyan"))
        self.console.print(table)

    def answers(self, question: Question, results: Sequence[RecallResult]) -> None:
        """Show what a recall found, and why."""
        self.console.print(
            Text.assemble("\n", (question.text, "bold"), (f"   [{question.conditions}]", "dim"))
        )
        if not results:
            self.say("   nothing matches", "dim")
            return
        table = _table()
        table.add_column("score", justify="right")
        table.add_column("tier")
        table.add_column("text", ratio=4)
        table.add_column("why", ratio=3)
        for result in results:
            table.add_row(
                f"{result.score:.2f}", _tier(result.tier), _excerpt(question, result), _why(question, result)
            )
        self.console.print(table)

    def agreement(self, comparisons: Sequence[Comparison]) -> None:
        """Show what each face found, side by side."""
        if not comparisons:
            return
        table = _table()
        table.add_column("question", ratio=5)
        for name in comparisons[0].found:
            table.add_column(name, ratio=4, overflow="fold")
        table.add_column("agree")
        for comparison in comparisons:
            columns = (Text("\n".join(ids) or "-", style="cyan") for ids in comparison.found.values())
            table.add_row(Text(comparison.question.text), *columns, _verdict(comparison.agree))
        self.console.print(table)

    def reopened(
        self, before: Sequence[Sequence[RecallResult]], after: Reopened, questions: Sequence[Question]
    ) -> None:
        """Show what the second process recalled, beside what this one had."""
        table = _table()
        table.add_column("question", ratio=3)
        table.add_column("this process", ratio=2, overflow="fold")
        table.add_column(f"process {after.pid}", ratio=2, overflow="fold")
        table.add_column("same")
        for question, mine, theirs in zip(questions, before, after.answers, strict=True):
            left = [(result.entry.id, result.score) for result in mine]
            table.add_row(
                Text(question.text), _scored(left), _scored(theirs), _verdict(after.matches(mine, theirs))
            )
        self.console.print(table)


def _table(*, wide: bool = True) -> Table:
    return Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim", expand=wide)


def _tier(tier: Tier) -> Text:
    return Text(str(tier), style=_TIER_STYLES[tier])


def _verdict(same: bool) -> Text:
    return Text("yes", style="green") if same else Text("NO", style="bold red")


def _scored(found: Sequence[tuple[str, float]]) -> Text:
    return Text("\n".join(f"{score:.2f} {id}" for id, score in found) or "-", style="cyan")


def _excerpt(question: Question, result: RecallResult) -> Text:
    heading, _, body = result.text.partition("\n\n")
    excerpt = Text(snippet(question.text, body, _SNIPPET))
    for start, end in spans(question.text, excerpt.plain):
        excerpt.stylize("bold", start, end)
    return Text.assemble((heading, "cyan"), "\n", excerpt)


def _why(question: Question, result: RecallResult) -> Text:
    shared = common_words(question.text, result.text)
    lines = [f"words: {', '.join(shared)}" if shared else "no word in common"]
    numbers = [
        f"{label} {result.signals[name]:.2f}" for name, label in _SIGNALS.items() if name in result.signals
    ]
    lines.append(", ".join(numbers))
    lines.append(f"importance {result.entry.importance:.1f}; {', '.join(result.entry.tags[:3])}")
    return Text("\n".join(lines), style="dim")
