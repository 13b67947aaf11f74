"""Use an installed wheel from outside the repository: what a user's first minute would show.

Run by ``make wheel-smoke`` with an isolated Python, in an environment that holds the wheel and its hard
dependencies.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import sys
import tempfile
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.resources import files
from pathlib import Path
from types import ModuleType

DISTRIBUTION = "axon-integrations"
OPTIONAL = {
    "chromadb",
    "langchain",
    "langchain_classic",
    "langchain_core",
    "langgraph",
    "llama_index",
    "openai",
    "pinecone",
    "qdrant_client",
    "qdrant_edge",
    "redis",
    "rich",
    "sentence_transformers",
    "torch",
    "transformers",
}
FACES = {"axon_integrations.langchain": "langchain", "axon_integrations.llama_index": "llama-index"}


class ImportRecorder(MetaPathFinder):
    """Note each attempt to import an optional library.

    None of them is installed here, so a look at ``sys.modules`` would miss an import that failed and was
    swallowed.
    """

    def __init__(self) -> None:
        self.attempts: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Record the name and leave the search to the other finders."""
        if fullname.partition(".")[0] in OPTIONAL:
            self.attempts.add(fullname)
        return None


def check(condition: object, complaint: str) -> None:
    """Fail with a message; unlike ``assert`` it also works under ``python -O``."""
    if not condition:
        sys.exit(f"wheel smoke: {complaint}")


def check_import() -> None:
    recorder = ImportRecorder()
    sys.meta_path.insert(0, recorder)
    axon = importlib.import_module("axon")
    for name in axon.__all__:  # a name is imported when it is first used
        getattr(axon, name)
    sys.meta_path.remove(recorder)
    loaded = {name.partition(".")[0] for name in sys.modules} & OPTIONAL
    check(not recorder.attempts, f"`import axon` tried to import {sorted(recorder.attempts)}")
    check(not loaded, f"`import axon` loaded {sorted(loaded)}")
    check(
        Path(str(axon.__file__)).resolve().is_relative_to(Path(sys.prefix).resolve()),
        f"axon was imported from {axon.__file__}, not from the environment {sys.prefix}",
    )
    version = importlib.metadata.version(DISTRIBUTION)
    check(axon.__version__ == version, f"axon.__version__ is {axon.__version__}, the wheel says {version}")


def check_files() -> None:
    for package in ("axon", "axon_integrations"):
        check(files(package).joinpath("py.typed").is_file(), f"{package}/py.typed is not in the wheel")
    licences = importlib.metadata.metadata(DISTRIBUTION).get_all("License-File")
    check(licences, "the wheel carries no licence file")
    for stray in ("core", "tests", "benchmarks", "scripts"):
        check(importlib.util.find_spec(stray) is None, f"the wheel installs a top-level package `{stray}`")


def check_command() -> None:
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="axon")
    check(callable(command.load()), "the entry point of the `axon` command is not callable")


async def store_and_recall(path: Path) -> str:
    from axon import Filter, MemoryConfig, MemorySystem

    async with MemorySystem(MemoryConfig.local(path)) as memory:
        wanted = await memory.store("The harbour lighthouse is painted red.", importance=0.9, tags=["colour"])
        await memory.store("The harbour lighthouse was built in 1871.", importance=0.9, tags=["history"])
        results = await memory.recall("harbour lighthouse", k=5, filter=Filter(tags=["colour"]))
    check([result.entry.id for result in results] == [wanted], "recall with a tag filter gave other entries")
    check(0.0 <= results[0].score <= 1.0, f"the score {results[0].score} is outside [0, 1]")
    return wanted


def recall_after_reopening(path: Path, wanted: str) -> None:
    from axon import Filter, MemoryConfig, SyncMemorySystem

    with SyncMemorySystem(MemoryConfig.local(path)) as memory:
        results = memory.recall("harbour lighthouse", k=5, filter=Filter(tags=["colour"]))
        found = [result.entry.id for result in results]
        check(found == [wanted], "the entry was lost when the file was reopened")
        check(memory.delete(wanted), "delete did not find the entry")
        check(memory.count() == 1, "one of two entries should be left")


def check_missing_extras() -> None:
    from axon.core.errors import MissingDependencyError

    for face, extra in FACES.items():
        try:
            importlib.import_module(face).AxonVectorStore  # noqa: B018 - a lazy face raises at the attribute
        except MissingDependencyError as error:
            message = str(error)
            check(
                "pip install" in message and f"{DISTRIBUTION}[{extra}]" in message,
                f"{face}: the message names no pip command for the extra {extra}: {message}",
            )
        else:
            check(False, f"{face} did not miss its extra {extra}")


def main() -> None:
    check_import()
    check_files()
    check_command()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "memory.db"
        wanted = asyncio.run(store_and_recall(path))
        recall_after_reopening(path, wanted)
    check_missing_extras()
    print(f"wheel smoke: {DISTRIBUTION} works from an empty environment")


if __name__ == "__main__":
    main()
