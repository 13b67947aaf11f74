"""Turn recall@10 on the LoCoMo development conversations: ``python -m benchmarks.recall_quality DATA.json``.

The data is not part of the project (its licence forbids that); the path is an argument, and a missing file is an
error. Each conversation is a namespace, each turn one entry "Speaker: text"; the questions are asked as they stand.
A question whose evidence cannot be found among the turns is left out, and counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from statistics import fmean
from typing import Any

from axon import MemoryConfig, MemorySystem
from axon.core.policies import PersistentPolicy, RecallMode

K = 10
MODES: tuple[RecallMode, ...] = ("hybrid", "text", "vector")


def turns_of(conversation: dict[str, Any]) -> dict[str, str]:
    """Collect the turns by their id."""
    sessions = [
        turns
        for name, turns in conversation.items()
        if isinstance(turns, list) and name.startswith("session_")
    ]
    return {turn["dia_id"]: f"{turn['speaker']}: {turn['text']}" for turns in sessions for turn in turns}


async def measure(sample: dict[str, Any]) -> tuple[dict[str, list[float]], int]:
    """Ask every question of one conversation; the number is of questions left out."""
    memory = MemorySystem(MemoryConfig(persistent=PersistentPolicy()), namespace=sample["sample_id"])
    turns = turns_of(sample["conversation"])
    await memory.bulk_store(list(turns.values()), ids=list(turns))
    shares: dict[str, list[float]] = {mode: [] for mode in MODES}
    left_out = 0
    for question in sample["qa"]:
        evidence = set(question.get("evidence") or ())
        if not evidence or not evidence <= turns.keys():
            left_out += 1
            continue
        for mode in MODES:
            found = {result.entry.id for result in await memory.recall(question["question"], k=K, mode=mode)}
            shares[mode].append(len(evidence & found) / len(evidence))
    return shares, left_out


async def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    samples = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))  # noqa: ASYNC240 - nothing else runs yet
    totals: dict[str, list[float]] = {mode: [] for mode in MODES}
    for sample in samples:
        shares, left_out = await measure(sample)
        row = "  ".join(f"{mode} {100 * fmean(values):.1f}" for mode, values in shares.items())
        print(f"{sample['sample_id']}: {row}  ({len(shares['hybrid'])} questions, {left_out} left out)")
        for mode, values in shares.items():
            totals[mode] += values
    print("all: " + "  ".join(f"{mode} {100 * fmean(values):.1f}" for mode, values in totals.items()))


if __name__ == "__main__":
    asyncio.run(main())
