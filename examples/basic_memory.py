"""Store, recall, change, forget: the memory in a dozen calls, in this process only."""

import asyncio

from axon import Filter, MemorySystem


async def main() -> None:
    async with MemorySystem() as memory:
        key = await memory.store("The deploy key is rotated monthly.", importance=0.9, tags=["ops"])
        await memory.store("The lift is out of order today.", importance=0.1, tags=["office"])
        await memory.bulk_store([f"Backup {day} finished." for day in range(1, 8)], tags=["backup"])

        for result in await memory.recall("how often is the key rotated?", k=2, explain=True):
            print(f"{result.score:.2f}  {result.tier:<10}  {result.text}")

        entry = await memory.update(key, text="The deploy key is rotated weekly.")
        print(f"{entry.id == key}: updated to {entry.text!r}")

        report = await memory.forget(filter=Filter(tags=["backup"]))
        print(f"forgot {report.deleted} entries, {await memory.count()} are left")


asyncio.run(main())
