"""A second process on a backend: ``python -m tests.backends.other_process TYPE OPTIONS``, obeying lines of JSON.

A line is ``["put", ids]``, ``["delete", ids]``, ``["touch", id, times]`` or ``["ids"]``; the answer is a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from axon.core.clock import SystemClock
from axon.core.errors import AxonError
from axon.core.models import Touch
from axon.core.policies import PersistentPolicy
from axon.core.ports import StorageAdapter
from axon.core.registry import build_adapter
from axon.testing.entries import make_entry
from axon.testing.exact import scan_all

NAMESPACE = "shared"


async def touch(adapter: StorageAdapter, id: str, times: int) -> None:
    """Count one access after the other, as recalls do."""
    for _ in range(times):
        await adapter.touch_many(NAMESPACE, [Touch(id, SystemClock().now_us())])


async def obey(adapter: StorageAdapter, word: str, *arguments: Any) -> Any:
    """Do what one line says."""
    if word == "put":
        entries = [make_entry(id, embedding=[1, 0]) for id in arguments[0]]
        return await adapter.put_many(NAMESPACE, entries)
    if word == "delete":
        return await adapter.delete_many(NAMESPACE, arguments[0])
    if word == "touch":
        return await touch(adapter, *arguments)
    return sorted(entry.id for entry in await scan_all(adapter, NAMESPACE))


async def main(adapter_type: str, options: str) -> None:
    policy = PersistentPolicy(adapter_type=adapter_type, adapter_config=json.loads(options))
    adapter = build_adapter(policy, SystemClock())
    await adapter.open()
    print(json.dumps("open"), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await obey(adapter, *json.loads(line))), flush=True)
    await adapter.aclose()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except AxonError as error:
        print(json.dumps(f"{type(error).__name__}: {error}"), flush=True)
