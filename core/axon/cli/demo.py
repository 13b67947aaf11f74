"""``axon demo``: real text, remembered in three tiers and recalled through every face."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from axon.cli.agreement import AxonFace, Face, compare, framework_faces
from axon.cli.corpus import Corpus, folder_corpus, reference_corpus
from axon.cli.openai_mode import KEY, answer, choose_embedder, has_key
from axon.cli.passages import Rank
from axon.cli.questions import Question, choose_questions
from axon.cli.reopen import Reopened, recall_durable, recall_in_new_process
from axon.cli.version import version_text
from axon.core.config import MemoryConfig
from axon.core.errors import MissingDependencyError
from axon.core.memory_system import MemorySystem
from axon.core.models import RecallResult
from axon.core.ports import EmbedderSpec

if TYPE_CHECKING:
    from axon.cli.tables import Screen

# Small enough for the progress bar to move.
_BATCH = 100


class DemoOptions(NamedTuple):
    """What the demo is asked to do; the fields are the command's options."""

    input: Path | None = None
    limit: int | None = None
    ask: Sequence[str] = ()
    tag: Sequence[str] = ()
    min_importance: float = 0.0
    k: int = 3
    path: Path | None = None
    keep: bool = False
    openai: bool = False
    chat_model: str = ""

    @classmethod
    def read(cls, given: argparse.Namespace) -> Self:
        """Take the options from the parser, and the key of OpenAI from the environment."""
        fields = {name: value for name, value in vars(given).items() if name in cls._fields}
        return cls(**fields, openai=has_key() and not given.local)


def run_demo(options: DemoOptions) -> int:
    """Run the whole demo.

    Returns
    -------
    0 if every face and both processes agreed, else 1.

    Raises
    ------
    AxonError
        For input that cannot be used, and for whatever the memory raises.
    """
    corpus = folder_corpus(options.input, options.limit) if options.input else reference_corpus(options.limit)
    questions = choose_questions(
        corpus, options.ask, options.tag, options.min_importance, own_files=options.input is not None
    )
    screen = _screen()
    screen.say(version_text(), "dim")
    with _database(options, screen) as path:
        same_faces, before = asyncio.run(_first_process(screen, options, path, corpus, questions))
        same_answers = _second_process(screen, options, path, before, questions)
    return 0 if same_faces and same_answers else 1


def _screen() -> Screen:
    try:
        from axon.cli.tables import Screen
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise MissingDependencyError("rich", "cli") from error
    return Screen()


@contextmanager
def _database(options: DemoOptions, screen: Screen) -> Iterator[Path]:
    if options.path is not None:
        yield options.path
        screen.say(f"\nThe memory stays in {options.path}.")
    elif options.keep:
        path = Path(tempfile.mkdtemp(prefix="axon-demo-")) / "memory.db"
        yield path
        screen.say(f"\nThe memory stays in {path}.")
    else:
        with tempfile.TemporaryDirectory(prefix="axon-demo-") as folder:
            yield Path(folder) / "memory.db"


async def _first_process(
    screen: Screen, options: DemoOptions, path: Path, corpus: Corpus, questions: Sequence[Question]
) -> tuple[bool, list[list[RecallResult]]]:
    async with MemorySystem(MemoryConfig.local(path), embedder=choose_embedder(options.openai)) as memory:
        await _remember(screen, memory, corpus)
        await _recall(screen, options, memory, questions)
        agree = await _compare(screen, memory, questions, options.k)
        return agree, [await recall_durable(memory, question, options.k) for question in questions]


async def _remember(screen: Screen, memory: MemorySystem, corpus: Corpus) -> None:
    screen.section("1  Remember")
    screen.say(f"{corpus.documents} documents of {corpus.title}, cut into {len(corpus.items)} passages")
    screen.say(_about_embedder(memory.embedder.spec), "dim")
    started = time.perf_counter()
    await memory.bulk_store(corpus.items, batch_size=_BATCH, progress=True)
    screen.say(f"stored in {time.perf_counter() - started:.1f} s; importance chose the tier:")
    counts = {
        rank: {
            tier: await memory.count(filter={"rule": rank.name.lower()}, tier=tier) for tier in memory.tiers
        }
        for rank in Rank
    }
    screen.routing(counts)


def _about_embedder(spec: EmbedderSpec) -> str:
    if spec.provider == "axon":
        return f"embedded by the built-in hashing model, which knows spelling only; set {KEY} for meaning"
    return f"embedded by {spec.provider}/{spec.model}"


async def _recall(
    screen: Screen, options: DemoOptions, memory: MemorySystem, questions: Sequence[Question]
) -> None:
    screen.section("2  Recall")
    screen.say("by words and by vector together, only among what the filter lets through")
    for question in questions:
        results = await memory.recall(question.text, k=options.k, filter=question.filter, explain=True)
        screen.answers(question, results)
        if options.openai and results:
            screen.say(
                f"{options.chat_model}: {await answer(question.text, results, options.chat_model)}", "green"
            )


async def _compare(screen: Screen, memory: MemorySystem, questions: Sequence[Question], k: int) -> bool:
    screen.section("3  The same through LangChain and LlamaIndex")
    screen.say("their retrievers search by vector, so recall does too; one filter, written three ways:")
    faces: list[Face] = [AxonFace()]
    for face in framework_faces():
        try:
            await face.ask(memory, questions[0], 1)
        except MissingDependencyError as error:
            screen.say(f"{face.name} is left out: {error}", "yellow")
        else:
            faces.append(face)
    screen.calls((face.name, face.written(questions[0])) for face in faces)
    comparisons = await compare(memory, questions, faces, k)
    screen.agreement(comparisons)
    agree = all(comparison.agree for comparison in comparisons)
    verdict = "all agree" if agree else "THEY DISAGREE"
    screen.say(f"{' = '.join(face.name for face in faces)}: {verdict}", "green" if agree else "bold red")
    return agree


def _second_process(
    screen: Screen,
    options: DemoOptions,
    path: Path,
    before: list[list[RecallResult]],
    questions: Sequence[Question],
) -> bool:
    screen.section("4  Close, and reopen in a new process")
    after: Reopened = recall_in_new_process(path, questions, options.k, openai=options.openai)
    entries = ", ".join(f"{tier} {count}" for tier, count in after.entries.items())
    screen.say(f"process {after.pid} opened the file and found: {entries}")
    screen.say("ephemeral memories end with their process, so both processes ask the durable tiers:")
    screen.reopened(before, after, questions)
    return all(Reopened.matches(mine, theirs) for mine, theirs in zip(before, after.answers, strict=True))
