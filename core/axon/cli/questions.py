"""What the demo asks, and how one filter is written for Axon, LangChain and LlamaIndex."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from axon.cli.corpus import Corpus, headings
from axon.core.filter import Filter


class Question(NamedTuple):
    """A question with the conditions on its answers.

    Attributes
    ----------
    text : in words.
    tags : an answer has all of them; empty for no condition.
    min_importance : in [0, 1]; 0 for no condition.
    """

    text: str
    tags: tuple[str, ...] = ()
    min_importance: float = 0.0

    @property
    def filter(self) -> Filter:
        """The conditions as Axon users write them."""
        return Filter(tags=list(self.tags) or None, min_importance=self.min_importance or None)

    @property
    def filter_dict(self) -> dict[str, Any]:
        """The same in the dict form, which LangChain passes on."""
        conditions: dict[str, Any] = {"tags": list(self.tags)} if self.tags else {}
        if self.min_importance:
            conditions["importance"] = {"$gte": self.min_importance}
        return conditions

    @property
    def conditions(self) -> str:
        """The same for people."""
        parts = [f"tags {', '.join(self.tags)}"] if self.tags else []
        if self.min_importance:
            parts.append(f"importance >= {self.min_importance:g}")
        return " and ".join(parts) or "no filter"


REFERENCE_QUESTIONS = (
    Question("Is the finally clause executed after a return?", ("statement",), 0.7),
    Question("When is an object destroyed, and is __del__ always called?", ("data-model",)),
    Question("How do I set a breakpoint with a condition?", ("tool",), 0.5),
    Question("Are assert statements executed when optimization is requested?"),
)


def choose_questions(
    corpus: Corpus, asked: Sequence[str], tags: Sequence[str], min_importance: float, own_files: bool
) -> list[Question]:
    """Take the user's questions, else headings of their files, else those about the language reference."""
    if asked:
        return [Question(text, tuple(tags), min_importance) for text in asked]
    if own_files:
        return [Question(heading, (kind,), 0.3) for heading, kind in headings(corpus, 3)]
    known = {tag for item in corpus.items for tag in item.tags}
    return [question for question in REFERENCE_QUESTIONS if known.issuperset(question.tags)]
