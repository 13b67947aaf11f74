"""How large a run is, and the memories that are measured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from axon import MemoryConfig, MemorySystem, Tier
from axon.core.policies import PersistentPolicy
from axon.core.ports import StorageAdapter
from benchmarks.corpus import Corpus, corpus
from benchmarks.report import Row

NAMESPACE = "bench"


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and rounds of a run.

    Attributes
    ----------
    rounds : rounds that count, >= 1.
    small, medium, large : entries in the memories, 1,000 / 10,000 / 100,000 in a full run.
    gathered : calls made at the same time.
    repeats : calls per round of something that takes microseconds.
    """

    rounds: int = 7
    small: int = 1_000
    medium: int = 10_000
    large: int = 100_000
    gathered: int = 1_000
    repeats: int = 10_000

    @classmethod
    def quick(cls) -> Plan:
        """Give sizes that only show that everything runs; the ratios mean nothing."""
        return cls(rounds=1, small=200, medium=400, large=800, gathered=50, repeats=100)

    def calls(self, seconds: float) -> int:
        """Tell how many calls of about ``seconds`` each make up a round of a fifth of a second."""
        return max(1, min(self.repeats, round(0.2 / seconds)))


Benchmark: TypeAlias = Callable[[Plan], Awaitable[list[Row]]]


class WrongAnswerError(AssertionError):
    """What was timed gave a wrong result: the run has failed, however fast it was."""


def expect(condition: bool, what: str) -> None:
    """Fail the run unless ``condition`` holds."""
    if not condition:
        raise WrongAnswerError(what)


def one_tier(adapter: StorageAdapter | None = None) -> MemorySystem:
    """Make a memory of a single tier, by default in this process, for comparison with a single store."""
    adapters = None if adapter is None else {Tier.PERSISTENT: adapter}
    return MemorySystem(MemoryConfig(persistent=PersistentPolicy()), namespace=NAMESPACE, adapters=adapters)


def on_backend(adapter_type: str, **options: object) -> MemorySystem:
    """Make a memory of a single tier on a named backend, closed by whoever asked for it."""
    policy = PersistentPolicy(adapter_type=adapter_type, adapter_config=options)
    return MemorySystem(MemoryConfig(persistent=policy), namespace=NAMESPACE)


async def filled(memory: MemorySystem, entries: Corpus | int) -> list[str]:
    """Store a corpus, or the one of that size, and return the ids."""
    chosen = corpus(entries) if isinstance(entries, int) else entries
    return await memory.bulk_store(chosen.items(), embeddings=chosen.vectors)
