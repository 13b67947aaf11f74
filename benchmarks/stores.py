"""Searches of ``AxonStore`` at 10,000 items beside LangGraph's ``InMemoryStore``, both filled by their own puts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.corpus import Corpus, K, corpus
from benchmarks.floors import nearest_in_order
from benchmarks.plan import Plan, expect, one_tier
from benchmarks.report import Row, Target
from benchmarks.timing import Contestant, interleave

if TYPE_CHECKING:
    from langgraph.store.base import BaseStore, IndexConfig

_USERS = 100
_PEER_QUERIES = 2


async def langgraph(plan: Plan) -> list[Row]:
    """Search by meaning: everything, and the items of one user."""
    from langgraph.store.memory import InMemoryStore

    from axon_integrations.langgraph import AxonStore

    entries = corpus(plan.medium)
    memory = one_tier()
    stores: dict[str, BaseStore] = {
        "ours": AxonStore(memory, index=_index(entries)),
        "peer": InMemoryStore(index=_index(entries)),
    }
    for store in stores.values():
        await _fill(store, entries)
        await _check(store, entries)
    medians = await interleave(
        [
            Contestant("ours", _asking(stores["ours"], entries.questions, ()), len(entries.questions)),
            Contestant("peer", _asking(stores["peer"], entries.questions[:_PEER_QUERIES], ()), _PEER_QUERIES),
            Contestant(
                "ours, one user",
                _asking(stores["ours"], entries.questions, ("users", "7")),
                len(entries.questions),
            ),
        ],
        plan.rounds,
    )
    await memory.aclose()
    name = f"LangGraph search, {plan.medium:,} items"
    return [
        Row(name, medians["ours"], "LangGraph InMemoryStore", medians["peer"], Target(">=", 30.0)),
        Row(
            f"{name}, those of one user in {_USERS}",
            medians["ours, one user"],
            "the same of all",
            medians["ours"],
        ),
    ]


def _index(entries: Corpus) -> IndexConfig:
    """Embed by looking up what the corpus has for a text, so that neither store waits for a model."""
    rows: dict[str, list[float]] = dict(zip(entries.texts, entries.vectors.tolist(), strict=True))
    rows.update(zip(entries.questions, entries.queries.tolist(), strict=True))

    def embed(texts: Sequence[str]) -> list[list[float]]:
        return [rows.get(text, rows[entries.questions[0]]) for text in texts]

    return {"dims": entries.vectors.shape[1], "embed": embed, "fields": ["text"]}


async def _fill(store: BaseStore, entries: Corpus) -> None:
    from langgraph.store.base import PutOp

    await store.abatch(
        [
            PutOp(("users", str(place % _USERS)), str(place), {"text": text, "number": place % 1000})
            for place, text in enumerate(entries.texts)
        ]
    )


async def _check(store: BaseStore, entries: Corpus) -> None:
    for question, query in list(zip(entries.questions, entries.queries, strict=True))[:_PEER_QUERIES]:
        found = [item.key for item in await store.asearch((), query=question, limit=K)]
        truth = [str(row) for row in nearest_in_order(entries.vectors, query, K)]
        expect(found == truth, f"{type(store).__name__} found other items")


def _asking(store: BaseStore, questions: list[str], prefix: tuple[str, ...]) -> Callable[..., Awaitable[Any]]:
    async def ask() -> None:
        for question in questions:
            await store.asearch(prefix, query=question, limit=K)

    return ask
