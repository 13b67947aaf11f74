"""Bytes per entry on every backend that can be started here: ``python -m benchmarks.capacity [ENTRIES] [NAME ...]``.

Each backend is filled by a process of its own, so that what the client's process holds can be told too. Servers are
fresh ones, started for the count and ended after it. Prints one line of JSON per backend.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from axon import MemoryConfig, MemorySystem
from axon.core.policies import PersistentPolicy
from benchmarks.corpus import K, corpus
from benchmarks.plan import NAMESPACE
from tests.servers import chroma_server, redis_server
from tests.servers.process import ServerProcess
from tests.servers.redis_server import RedisServer

_WARM = 100

Measure = Callable[[], dict[str, int]]
"""Tells what the backend takes up now, in bytes, by name."""


class Subject(NamedTuple):
    """A backend to fill, and what to look at."""

    adapter_type: str
    options: dict[str, Any]
    measure: Measure


def _nothing() -> dict[str, int]:
    return {}


def _folder(folder: Path) -> Measure:
    # Blocks, because some engines make files that are mostly holes.
    return lambda: {"disk": sum(each.stat().st_blocks * 512 for each in folder.rglob("*") if each.is_file())}


def _resident(server: ServerProcess) -> int:
    assert server.process is not None
    return int(psutil.Process(server.process.pid).memory_info().rss)


@contextmanager
def _redis(server: RedisServer, search_module: str) -> Iterator[Subject]:
    with closing(redis_server.started(server)):

        def measure() -> dict[str, int]:
            told = server.call("INFO", "everything").splitlines()
            figures = dict(line.split(":", 1) for line in told if ":" in line)
            known = {"server_used": "used_memory", "of_which_index": "search_used_memory_indexes"}
            return {place: int(figures[name]) for place, name in known.items() if name in figures}

        yield Subject("redis", {"url": server.url, "search_module": search_module}, measure)


@contextmanager
def _chroma_server() -> Iterator[Subject]:
    with closing(chroma_server.new_server()) as server:
        disk = _folder(server.folder)
        yield Subject(
            "chroma",
            {"host": "127.0.0.1", "port": server.port, "timeout": 120},
            lambda: {"server_resident": _resident(server), **disk()},
        )


@contextmanager
def _in(make: Callable[[Path], Subject]) -> Iterator[Subject]:
    with tempfile.TemporaryDirectory(prefix="axon-capacity-") as folder:
        yield make(Path(folder))


SUBJECTS: dict[str, Callable[[], Any]] = {
    "memory": lambda: _in(lambda folder: Subject("memory", {}, _nothing)),
    "sqlite": lambda: _in(lambda at: Subject("sqlite", {"path": str(at / "memory.db")}, _folder(at))),
    "redis": lambda: _redis(RedisServer(redis_server.plain_binary(), "--maxmemory", "0"), "off"),
    "redis-search": lambda: _redis(redis_server.search_server("--maxmemory", "0"), "require"),
    "chroma-folder": lambda: _in(lambda at: Subject("chroma", {"path": str(at / "chroma")}, _folder(at))),
    "chroma-server": _chroma_server,
    "qdrant-folder": lambda: _in(lambda at: Subject("qdrant", {"path": str(at / "qdrant")}, _folder(at))),
}


def count(name: str, entries: int) -> dict[str, Any]:
    """Fill one backend and return what an entry takes up, in bytes, by place."""
    with SUBJECTS[name]() as subject:
        task = [json.dumps([subject.adapter_type, subject.options, entries])]
        with subprocess.Popen(
            [sys.executable, "-m", __spec__.name, "--fill", *task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            empty = json.loads(child.stdout.readline()) | subject.measure()
            child.stdin.write(b"go on\n")
            child.stdin.flush()
            full = json.loads(child.stdout.readline()) | subject.measure()
            child.stdin.close()
            if child.wait() != 0:
                raise SystemExit(f"{name}: filling failed")
        # An engine may only write everything out, or tidy up its log, when it is closed.
        full |= {place: size for place, size in subject.measure().items() if place == "disk"}
    grown = {place: round((full[place] - empty[place]) / entries) for place in full if place in empty}
    return {"backend": name, "entries": entries, **grown}


async def fill(adapter_type: str, options: dict[str, Any], entries: int) -> None:
    """Store entries in this process, and say before and after what it holds, also once words were searched.

    A few are stored in another namespace first, so that what is made once does not count.
    """
    process = psutil.Process()
    config = MemoryConfig(persistent=PersistentPolicy(adapter_type=adapter_type, adapter_config=options))
    async with MemorySystem(config, namespace=NAMESPACE) as memory:
        warm, full = corpus(_WARM), corpus(entries)
        items, vectors = full.items(), full.vectors
        other = memory.scope("warm")
        await other.bulk_store(warm.items(), embeddings=warm.vectors)
        await other.recall(warm.queries[0], k=K)
        await other.recall(warm.questions[0], k=K)
        before = process.memory_info().rss
        print(json.dumps({"client": before, "client_with_words": before}), flush=True)
        sys.stdin.readline()
        await memory.bulk_store(items, embeddings=vectors)
        assert len(await memory.recall(full.queries[0], k=K)) == K
        searched = process.memory_info().rss
        await memory.recall(full.questions[0], k=K)
        print(json.dumps({"client": searched, "client_with_words": process.memory_info().rss}), flush=True)
        sys.stdin.readline()


def main(arguments: list[str]) -> None:
    """Count on all backends, or on those named."""
    if arguments[:1] == ["--fill"]:
        asyncio.run(fill(*json.loads(arguments[1])))
        return
    sizes = [int(each) for each in arguments if each.isdecimal()] or [10_000]
    names = [each for each in arguments if not each.isdecimal()] or list(SUBJECTS)
    for size in sizes:
        for name in names:
            print(json.dumps(count(name, size)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
