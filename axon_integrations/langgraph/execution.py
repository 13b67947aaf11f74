"""Carrying out plans: reads, then writes in their turn, then the reads that follow."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from langgraph.store.base import Item, Result

from axon.core.keyed import KeyedEntries
from axon.core.models import MemoryEntry
from axon_integrations.langgraph.calls import Calls
from axon_integrations.langgraph.items import to_item, to_search_item
from axon_integrations.langgraph.lifetimes import renew
from axon_integrations.langgraph.plans import Plan, plan_batch, plan_calls
from axon_integrations.langgraph.requests import Get, ListNamespaces, Request, Search
from axon_integrations.langgraph.searching import ItemSearch
from axon_integrations.langgraph.turns import in_turns
from axon_integrations.langgraph.writing import ItemWriter


class Execution:
    """Runs requests.

    Parameters
    ----------
    entries, search, writer : what reads and writes items.

    Attributes
    ----------
    calls : the way in for calls that come alone.
    """

    def __init__(self, entries: KeyedEntries, search: ItemSearch, writer: ItemWriter) -> None:
        self._entries = entries
        self._search = search
        self._writer = writer
        self.calls = Calls(self._run_calls)

    async def run_batch(self, requests: Sequence[Request]) -> list[Result]:
        """Run an explicit batch; answers in order."""
        return await self._run([plan_batch(requests)], len(requests))

    async def _run_calls(self, requests: Sequence[Request]) -> list[Result]:
        return await self._run(plan_calls(requests), len(requests))

    async def _run(self, plans: Sequence[Plan], count: int) -> list[Result]:
        answers: list[Result] = [None] * count
        for plan in plans:
            for position, answer in (await self._carry_out(plan)).items():
                answers[position] = answer
        return answers

    async def _carry_out(self, plan: Plan) -> dict[int, Result]:
        # Asked for before this plan's own writes join the queue, for which its reads must not wait.
        earlier = self.calls.unwritten(each.id for each in plan.before.values() if isinstance(each, Get))
        if not plan.puts:
            return await self._read(plan.before, earlier)
        with self.calls.writing(list(plan.puts)) as turn:
            answers, drafts = await asyncio.gather(
                self._read(plan.before, earlier), self._writer.prepare(plan.puts.values())
            )
            await turn.come()
            written = await self._writer.write(drafts)
        for position, id in plan.echoes.items():
            answers[position] = _item(written.get(id))
        return answers | await self._read(plan.after)

    async def _read(
        self, requests: Mapping[int, Request], earlier: Collection[asyncio.Future[None]] = ()
    ) -> dict[int, Result]:
        """Answer reads at the same time, all gets in one, after the ``earlier`` writes of what they get."""
        if not requests:
            return {}
        gets = {position: each for position, each in requests.items() if isinstance(each, Get)}
        others = {position: each for position, each in requests.items() if position not in gets}
        if not others:
            return await self._get(gets, earlier)
        answers, found = await asyncio.gather(self._get(gets, earlier), self._find_all(others))
        return answers | found

    async def _find_all(self, requests: Mapping[int, Request]) -> dict[int, Result]:
        found = await asyncio.gather(*map(self._find, requests.values()))
        return dict(zip(requests, found, strict=True))

    async def _get(
        self, requests: Mapping[int, Get], earlier: Collection[asyncio.Future[None]]
    ) -> dict[int, Result]:
        if not requests:
            return {}
        ids = dict.fromkeys(request.id for request in requests.values())
        if earlier:
            await asyncio.wait(earlier)
        entries = await self._entries.get_many(ids)
        refreshed = dict.fromkeys(
            each.id for each in requests.values() if each.refresh and each.id in entries
        )
        await renew(self._entries, self.calls, [entries[id] for id in refreshed])
        items = await in_turns(lambda each: _item(entries.get(each.id)), requests.values())
        return dict(zip(requests, items, strict=True))

    async def _find(self, request: Request) -> Result:
        if isinstance(request, ListNamespaces):
            return await self._search.namespaces(request)
        assert isinstance(request, Search)  # gets and puts are dealt with by the caller
        found = await self._search.search(request)
        if request.refresh:
            await renew(self._entries, self.calls, [each.entry for each in found])
        return await in_turns(lambda each: to_search_item(each.entry, each.score), found)


def _item(entry: MemoryEntry | None) -> Item | None:
    return None if entry is None else to_item(entry)
