"""What exists while the adapter is open: the connection, its threads, the namespaces in use. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import chromadb

from axon.adapters._chroma import finding
from axon.adapters._chroma.connection import Connection
from axon.adapters._chroma.errors import quietly
from axon.adapters._chroma.room import Room
from axon.adapters._chroma.shelf import Row
from axon.adapters._filters.chroma import Where
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.walks import Key, Walks, check_scan
from axon.core.adapter_options import ChromaOptions
from axon.core.models import Hit, Page, SearchRequest
from axon.core.ports import AdapterStats, OrderBy

if TYPE_CHECKING:
    from chromadb import Collection

_PAGE = 200

_KEYS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "id": lambda metadata: "",
    "created_at": lambda metadata: metadata["created_at"],
    "updated_at": lambda metadata: metadata["updated_at"],
    "accessed_at": lambda metadata: metadata.get("accessed_at", metadata["created_at"]),
    "importance": lambda metadata: metadata["importance"],
}


class Session:
    """An open adapter.

    Parameters
    ----------
    options : of the adapter.

    Raises
    ------
    AdapterError
        If Chroma cannot be reached.
    """

    put_each = staticmethod(Room.put_each)
    delete_each = staticmethod(Room.delete_each)
    touch_each = staticmethod(Room.touch_each)
    bind_each = staticmethod(Room.bind_each)
    clear_each = staticmethod(Room.clear_each)

    def __init__(self, options: ChromaOptions) -> None:
        self._options = options
        self._connection = Connection(options)
        self._rooms: dict[str, Room] = {}
        self._walks = Walks()
        # The embedded engine answers one call at a time; more threads would only wait for it.
        readers = options.connections if options.host is not None else 0
        self.lanes: Lanes[Room] = Lanes("chroma", readers, self._connection.max_batch)

    def close(self) -> None:
        """Finish what was asked for and let go of Chroma."""
        self.lanes.close()
        self._connection.close()

    def room(self, namespace: str) -> Room:
        """Return a namespace; nothing is made in Chroma yet."""
        room = self._rooms.get(namespace)
        if room is None:
            # setdefault: two threads may get here at once, and the order of writes needs one room.
            room = self._rooms.setdefault(namespace, Room(self._connection, self._options, namespace))
        return room

    def search(self, room: Room, requests: Sequence[SearchRequest], now_us: int) -> list[list[Hit]]:
        """Answer searches."""
        return finding.search(room, requests, now_us, self._options.exact)

    def page(
        self,
        namespace: str,
        where: Where | bool,
        now_us: int,
        order_by: OrderBy,
        descending: bool,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Return one page of a walk."""
        check_scan(order_by, limit)
        room = self.room(namespace)

        def keys() -> list[Key]:
            return [_key(order_by, row) for row in room.rows(where, now_us)]

        ids, following = self._walks.page(keys, descending, order_by == "id", cursor, limit)
        return Page([entry for entry in room.get(ids, now_us) if entry is not None], following)

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


def _key(order_by: OrderBy, row: Row) -> Key:
    return _KEYS[order_by](row.metadata), row.id
