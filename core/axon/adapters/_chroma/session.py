"""What exists while the adapter is open: the connection, its threads, the namespaces in use. Blocking."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import chromadb

from axon.adapters._chroma.connection import Connection
from axon.adapters._chroma.errors import quietly
from axon.adapters._chroma.room import ChromaRoom
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.room import Room, Session
from axon.adapters._shared.walks import Walks
from axon.core.adapter_options import ChromaOptions
from axon.core.ports import AdapterStats

if TYPE_CHECKING:
    from chromadb import Collection

_PAGE = 200


class ChromaSession(Session):
    """An open adapter.

    Parameters
    ----------
    options : of the adapter.

    Raises
    ------
    AdapterError
        If Chroma cannot be reached.
    """

    def __init__(self, options: ChromaOptions) -> None:
        self._options = options
        self._connection = Connection(options)
        self._rooms: dict[str, ChromaRoom] = {}
        self._walks = Walks()
        self.circuit = self._connection.circuit
        # The embedded engine answers one call at a time; more threads would only wait for it.
        readers = options.connections if options.host is not None else 0
        self.lanes: Lanes[Room] = Lanes(
            "chroma", readers, self._connection.max_batch, self._connection.patience
        )

    def close(self) -> None:
        """Finish what was asked for and let go of Chroma."""
        self.lanes.close()
        self._connection.close()

    def room(self, namespace: str) -> ChromaRoom:
        """Return a namespace; nothing is made in Chroma yet."""
        room = self._rooms.get(namespace)
        if room is None:
            # setdefault: two threads may get here at once, and the order of writes needs one room.
            room = self._rooms.setdefault(
                namespace, ChromaRoom(self._connection, self._options, namespace, self._walks)
            )
        return room

    def sizes(self) -> dict[str, int]:
        """Count the entries of every namespace."""
        sizes: dict[str, int] = {}
        for collection in self._collections():
            metadata = collection.metadata or {}
            if metadata.get("axon_collection") == self._connection.prefix:
                name = str(metadata["axon_namespace"])
                count = quietly(lambda found=collection: self._connection.call(found.count))  # type: ignore[misc]  # the default binds it
                sizes[name] = sizes.get(name, 0) + (count or 0)
        return sizes

    def _collections(self) -> Iterator[Collection]:
        offset = 0
        while True:
            some = self._connection.call(
                lambda: self._connection.client.list_collections(limit=_PAGE, offset=offset)  # noqa: B023 - called at once
            )
            yield from some
            if len(some) < _PAGE:
                return
            offset += _PAGE

    def stats(self) -> AdapterStats:
        """Describe the present state."""
        sizes = self.sizes()
        server = self._connection.call(self._connection.client.get_version)
        return AdapterStats(
            backend=f"Chroma {server}",
            entries=sum(sizes.values()),
            details={
                "client": chromadb.__version__,
                "place": self._connection.place,
                "collection": self._connection.prefix,
                "namespaces": sum(1 for size in sizes.values() if size),
                "exact": self._options.exact,
            },
        )
