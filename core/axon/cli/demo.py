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
from uuid import uuid4

from axon.cli.agreement import AxonFace, Face, compare, framework_faces
from axon.cli.corpus import Corpus, folder_corpus, reference_corpus
from axon.cli.openai_mode import KEY, answer, has_key
from axon.cli.passages import Rank
from axon.cli.places import Place, durable_tiers
from axon.cli.questions import Question, choose_questions
from axon.cli.reopen import Reopened, Task, recall_in_new_process
from axon.cli.version import version_text
from axon.core.errors import AxonError, MissingDependencyError
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
    config: Path | None = None
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
    with _place(options, screen) as place:
        agree, task, before = asyncio.run(_first_process(screen, options, place, corpus, questions))
        same = _second_process(screen, task, before)
    return 0 if agree and same else 1


def _screen() -> Screen:
    try:
        from axon.cli.tables import Screen
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise MissingDependencyError("rich", "cli") from error
    return Screen()


@contextmanager
def _place(options: DemoOptions, screen: Screen) -> Iterator[Place]:
    if options.config is not None:
        yield from _on_servers(options.config, options, screen)
    elif options.path is not None:
        yield Place(str(options.path), openai=options.openai)
        screen.say(f"\nThe memory stays in {options.path}.")
    elif options.keep:
        path = Path(tempfile.mkdtemp(prefix="axon-demo-")) / "memory.db"
        yield Place(str(path), openai=options.openai)
        screen.say(f"\nThe memory stays in {path}.")
    else:
        with tempfile.TemporaryDirectory(prefix="axon-demo-") as folder:
            yield Place(str(Path(folder) / "memory.db"), openai=options.openai)


def _on_servers(config: Path, options: DemoOptions, screen: Screen) -> Iterator[Place]:
    namespace = f"axon-demo-{uuid4().hex[:8]}"
    place = Place(str(config), configured=True, namespace=namespace, openai=options.openai)
    try:
        yield place
    finally:
        if options.keep:
            screen.say(f"\nThe memory stays in the namespace {namespace}.")
        else:
            try:
                asyncio.run(place.clear())
            except AxonError as error:  # said, and no more, lest it hide why the demo failed
                screen.say(f"\nThe namespace {namespace} could not be cleared: {error}", "yellow")


async def _first_process(
    screen: Screen, options: DemoOptions, place: Place, corpus: Corpus, questions: Sequence[Question]
) -> tuple[bool, Task, list[list[RecallResult]]]:
    async with place.memory() as memory:
        await _remember(screen, memory, corpus)
        await _recall(screen, options, memory, questions)
        agree = await _compare(screen, memory, questions, options.k)
        task = Task(place, questions, await durable_tiers(memory), options.k)
        return agree, task, await task.recall(memory) if task.tiers else []


async def _remember(screen: Screen, memory: MemorySystem, corpus: Corpus) -> None:
    screen.section("1  Remember")
    screen.say(f"{corpus.documents} documents of {corpus.title}, cut into {len(corpus.items)} passages")
    screen.say(_about_embedder(memory.embedder.spec), "dim")
    stats = await memory.stats()
    kept = (f"{tier} in {each.adapter_type} ({each.backend})" for tier, each in stats.tiers.items())
    screen.say(f"kept {', '.join(kept)}", "dim")
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


def _second_process(screen: Screen, task: Task, before: list[list[RecallResult]]) -> bool:
    screen.section("4  Close, and reopen in a new process")
    if not task.tiers:
        screen.say("no tier outlives its process, so there is nothing to reopen")
        return True
    after: Reopened = recall_in_new_process(task)
    entries = ", ".join(f"{tier} {count}" for tier, count in after.entries.items())
    screen.say(f"process {after.pid} opened the memory and found: {entries}")
    screen.say(f"both processes ask what outlives them: {', '.join(task.tiers)}")
    screen.reopened(before, after, task.questions)
    return all(Reopened.matches(mine, theirs) for mine, theirs in zip(before, after.answers, strict=True))
