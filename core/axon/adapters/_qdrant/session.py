"""What exists while the adapter is open: the connection, its threads, its namespaces. Blocking."""

from __future__ import annotations

from collections import Counter
from functools import partial
from importlib.metadata import version

from qdrant_client.models import FacetResponse, FacetValueHit

from axon.adapters._filters.qdrant import NAMESPACE
from axon.adapters._qdrant.connection import Connection
from axon.adapters._qdrant.room import QdrantRoom
from axon.adapters._qdrant.shelf import Shelf, name_pattern
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.room import Room, Session
from axon.adapters._shared.translation import NoCollectionError
from axon.adapters._shared.walks import Walks
from axon.core.adapter_options import QdrantOptions
from axon.core.ports import AdapterStats


class QdrantSession(Session):
    """An open adapter.

    Parameters
    ----------
    options : of the adapter.
    max_batch : most entries per write.

    Raises
    ------
    AdapterError
        If Qdrant cannot be reached.
    """

    def __init__(self, options: QdrantOptions, max_batch: int) -> None:
        self._options = options
        self._connection = Connection(options)
        self._shelves: dict[tuple[str | None, int | None], Shelf] = {}
        self._rooms: dict[str, QdrantRoom] = {}
        self._walks = Walks()
        self.circuit = self._connection.circuit
        # The local form takes one call at a time, and so does the embedded engine, but for what writes.
        readers = 0 if self._connection.is_local else 1 if self._connection.is_exact else options.connections
        self.lanes: Lanes[Room] = Lanes("qdrant", readers, max_batch, self._connection.patience)

    def close(self) -> None:
        """Finish what was asked for and let go of Qdrant."""
        self.lanes.close()
        self._connection.close()

    def room(self, namespace: str) -> QdrantRoom:
        """Return a namespace; nothing is made in Qdrant yet."""
        room = self._rooms.get(namespace)
        if room is None:
            # setdefault: two threads may get here at once, and the order of writes needs one room.
            made = QdrantRoom(partial(self._shelf, namespace), self._options, namespace, self._walks)
            room = self._rooms.setdefault(namespace, made)
        return room

    def _shelf(self, namespace: str, dims: int | None) -> Shelf:
        # On a server many collections are dear and a filter by tenant is cheap; in the local form, which looks at
        # every point it ever held, it is the other way round.
        owner = namespace if self._connection.is_local else None
        if (owner, dims) not in self._shelves:
            self._shelves[owner, dims] = Shelf(self._connection, self._options, dims, owner)
        return self._shelves[owner, dims]

    def _collections(self) -> list[str]:
        """Find the collections that are there, whoever made them."""
        pattern = name_pattern(self._options.collection_prefix)
        names = self._connection.call(self._connection.client.get_collections).collections
        return sorted(each.name for each in names if pattern.fullmatch(each.name))

    def sizes(self) -> dict[str, int]:
        """Count the entries of every namespace."""
        sizes: Counter[str] = Counter()
        for name in self._collections():
            for hit in self._facets(name):
                sizes[str(hit.value)] += hit.count
        return dict(sizes)

    def _facets(self, collection: str) -> list[FacetValueHit]:
        facet = partial(self._connection.client.facet, collection, key=NAMESPACE, limit=1_000_000, exact=True)
        try:
            answer: FacetResponse = self._connection.call(facet)
        except NoCollectionError:
            return []
        return list(answer.hits)

    def stats(self) -> AdapterStats:
        """Describe the present state."""
        sizes = self.sizes()
        client = version("qdrant-client")
        embedded = "Qdrant's local form" if self._connection.is_local else "Qdrant's embedded engine"
        return AdapterStats(
            backend=embedded if self._connection.is_exact else "Qdrant server",
            entries=sum(sizes.values()),
            details={
                "client": client,
                "place": self._connection.place,
                "collections": self._collections(),
                "namespaces": len(sizes),
                "exact": self._options.exact or self._connection.is_exact,
            },
        )
