"""The same question through Axon itself and through the frameworks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol

from axon.cli.questions import Question
from axon.core.memory_system import MemorySystem


class Face(Protocol):
    """Something that can put a question to a memory and say how its users write the filter."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    async def ask(self, memory: MemorySystem, question: Question, k: int) -> list[str]:
        """Return the ids found, best first.

        Raises
        ------
        MissingDependencyError
            If the framework is not installed.
        """
        ...

    def written(self, question: Question) -> str:
        """Return the call as a user of the framework writes it."""
        ...


class Comparison(NamedTuple):
    """One question and the ids that each face found, by its name."""

    question: Question
    found: dict[str, list[str]]

    @property
    def agree(self) -> bool:
        """Whether all faces found the same entries in the same order."""
        first, *others = self.found.values()
        return all(other == first for other in others)


class AxonFace:
    """The memory's own recall, by vector as the frameworks do it."""

    name = "recall"

    async def ask(self, memory: MemorySystem, question: Question, k: int) -> list[str]:
        """Return the ids found, best first."""
        found = await memory.recall(question.text, k=k, filter=question.filter, mode="vector")
        return [result.entry.id for result in found]

    def written(self, question: Question) -> str:
        """Return the call as users write it."""
        parts = [f"tags={json.dumps(question.tags)}"] if question.tags else []
        parts += [f"min_importance={question.min_importance:g}"] if question.min_importance else []
        return f"memory.recall(question, filter=Filter({', '.join(parts)}))"


def framework_faces() -> Sequence[Face]:
    """Load the faces of the frameworks.

    By name, as the registry reaches adapters: the frameworks' package lies above the command, and the command
    must start without it.
    """
    faces: Sequence[Face] = import_module("axon_integrations.demo").FACES
    return faces


async def compare(
    memory: MemorySystem, questions: Sequence[Question], faces: Sequence[Face], k: int
) -> list[Comparison]:
    """Put every question to every face."""
    return [
        Comparison(question, {face.name: await face.ask(memory, question, k) for face in faces})
        for question in questions
    ]
