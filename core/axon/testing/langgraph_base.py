"""What all parts of the LangGraph store suite share: the fixtures, a model one can check by hand, how time passes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from string import ascii_lowercase
from typing import Any, ClassVar, TypeAlias

import pytest
from langchain_core.embeddings import Embeddings
from langgraph.store.base import BaseStore, Item, SearchItem

from axon.testing.guard import GuardedSuite

StoreFactory: TypeAlias = Callable[..., BaseStore]
"""Makes an empty store from the keywords ``index`` (an ``IndexConfig``) and ``ttl`` (a ``TTLConfig``)."""


class LetterEmbeddings(Embeddings):
    """Counts letters: texts of the same letters are the same, those without a letter in common are orthogonal."""

    dims: ClassVar[int] = len(ascii_lowercase) + 1

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Count the letters of each text; a text without any gets a dimension of its own."""
        return [self._row(Counter(text.lower())) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        """Count the letters of a question."""
        return self.embed_documents([text])[0]

    @staticmethod
    def _row(counts: Counter[str]) -> list[float]:
        row = [float(counts[letter]) for letter in ascii_lowercase]
        return [*row, 0.0 if any(row) else 1.0]


class StoreTests(GuardedSuite):
    """Base of all parts of the suite.

    Attributes
    ----------
    lifetime : minutes that short-lived items live; the unit in which the tests let time pass.
    """

    lifetime: ClassVar[float] = 0.05

    @pytest.fixture
    def make_store(self) -> StoreFactory:
        """Make stores on data of this test's own; the one thing that a subclass has to give."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture make_store")

    @pytest.fixture
    def store(self, make_store: StoreFactory) -> BaseStore:
        """Make the store under test, without an index and without lifetimes."""
        return make_store()

    @pytest.fixture
    def indexed(self, make_store: StoreFactory) -> BaseStore:
        """Make a store that embeds the field ``text`` by its letters."""
        return make_store(index=index_of("text"))

    @pytest.fixture
    def mortal(self, make_store: StoreFactory) -> BaseStore:
        """Make a store whose items live for ``lifetime`` minutes from each access."""
        return make_store(ttl={"default_ttl": self.lifetime, "refresh_on_read": True})

    async def elapse(self, lifetimes: float) -> None:
        """Let time pass, in units of ``lifetime``; with a clock that can be set, a subclass overrides this."""
        await asyncio.sleep(lifetimes * self.lifetime * 60.0)

    async def sweep(self, store: Any) -> None:
        """Delete what has expired; for a store that calls it otherwise, a subclass overrides this."""
        swept = store.sweep_ttl()
        if asyncio.iscoroutine(swept):
            await swept


def index_of(*fields: str) -> dict[str, Any]:
    """Make an index configuration that embeds some fields by their letters."""
    return {"dims": LetterEmbeddings.dims, "embed": LetterEmbeddings(), "fields": list(fields)}


def keys(items: list[SearchItem]) -> list[str]:
    """List the keys of what a search found, in order."""
    return [item.key for item in items]


def there(item: Item | None) -> Item:
    """Return an item that has to be there."""
    assert item is not None, "the item is not there"
    return item
