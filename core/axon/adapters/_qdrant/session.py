"""What exists while the adapter is open: the connection, its threads, the collections and namespaces in use. Blocking."""

from __future__ import annotations

import re
from importlib.metadata import version

from axon.adapters._qdrant.connection import Connection
from axon.adapters._qdrant.room import QdrantRoom
from axon.adapters._qdrant.shelf import Shelf
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.room import Room, Session
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
        self._shelves: dict[int | None, Shelf] = {}
        self._rooms: dict[str, QdrantRoom] = {}
        self._walks = Walks()
        # The local form takes one call at a time; more threads would only wait for it.
        readers = 0 if self._connection.is_local else options.connections
        self.lanes: Lanes[Room] = Lanes("qdrant", readers, max_batch)

    def close(self) -> None:
        """Finish what was asked for and let go of Qdrant."""
        self.lanes.close()
        self._connection.close()

    def room(self, namespace: str) -> QdrantRoom:
        """Return a namespace; nothing is made in Qdrant yet."""
        room = self._rooms.get(namespace)
        if room is None:
            # setdefault: two threads may get here at once, and the order of writes needs one room.
            made = QdrantRoom(self._shelf, self._options, namespace, self._walks)
            room = self._rooms.setdefault(namespace, made)
        return room

    def _shelf(self, dims: int | None) -> Shelf:
        if dims not in self._shelves:
            self._shelves[dims] = Shelf(self._connection, self._options, dims)
        return self._shelves[dims]

    def _found_shelves(self) -> list[Shelf]:
        """Find the collections that are there, whoever made them."""
        names = self._connection.call(self._connection.client.get_collections).collections
        mine = re.compile(re.escape(self._options.collection_name) + r"(?:_(\d+))?")
        found = [match for each in names if (match := mine.fullmatch(each.name))]
        return [self._shelf(None if match[1] is None else int(match[1])) for match in found]

    def sizes(self) -> dict[str, int]:
        """Count the entries of every namespace."""
        sizes: dict[str, int] = {}
        for shelf in self._found_shelves():
            for name, count in shelf.namespaces().items():
                sizes[name] = sizes.get(name, 0) + count
        return sizes

    def stats(self) -> AdapterStats:
        """Describe the present state."""
        sizes = self.sizes()
        client = version("qdrant-client")
        return AdapterStats(
            backend="Qdrant's local form" if self._connection.is_local else "Qdrant server",
            entries=sum(sizes.values()),
            details={
                "client": client,
                "place": self._connection.place,
                "collections": sorted(shelf.name for shelf in self._found_shelves()),
                "namespaces": len(sizes),
                "exact": self._options.exact or self._connection.is_local,
            },
        )
