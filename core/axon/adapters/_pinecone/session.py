"""What exists while the adapter is open: the connection, its threads, its namespaces. Blocking."""

from __future__ import annotations

import logging
from importlib.metadata import version

from axon.adapters._pinecone.connection import Connection
from axon.adapters._pinecone.names import ABOUT, namespace_name, namespace_of
from axon.adapters._pinecone.recent import Recent, hold, recent_of
from axon.adapters._pinecone.room import PineconeRoom, settle
from axon.adapters._pinecone.shelf import Shelf
from axon.adapters._shared.lanes import Lanes
from axon.adapters._shared.room import Room, Session
from axon.adapters._shared.walks import Walks
from axon.core.adapter_options import PineconeOptions
from axon.core.errors import AdapterError
from axon.core.ports import AdapterStats

_log = logging.getLogger(__name__)


class PineconeSession(Session):
    """An open adapter.

    Parameters
    ----------
    options : of the adapter.
    api_key : of the project.
    max_batch : most entries per write.

    Raises
    ------
    AdapterError
        If the index cannot be reached.
    ConfigError
        If it cannot be used.
    """

    def __init__(self, options: PineconeOptions, api_key: str, max_batch: int) -> None:
        self._options = options
        self._connection = Connection(options, api_key)
        self._rooms: dict[str, PineconeRoom] = {}
        self._walks = Walks()
        self.circuit = self._connection.circuit
        self.lanes: Lanes[Room] = Lanes("pinecone", options.connections, max_batch, self._connection.patience)

    def close(self) -> None:
        """Finish what was asked for, wait until Pinecone shows it, and let go of it."""
        self.lanes.close()
        try:
            if not settle(list(self._rooms.values()), self._options.settle_seconds):
                _log.warning("closed before Pinecone showed every write; they are stored, and appear later")
        except AdapterError as error:
            _log.warning("closed without knowing whether Pinecone shows every write: %s", error)
        finally:
            hold(room.recent for room in self._rooms.values())
            self._connection.close()

    def room(self, namespace: str) -> PineconeRoom:
        """Return a namespace; nothing is made in Pinecone yet."""
        room = self._rooms.get(namespace)
        if room is None:
            # setdefault: two threads may get here at once, and the order of writes needs one room.
            room = self._rooms.setdefault(namespace, self._new_room(namespace))
        return room

    def _new_room(self, namespace: str) -> PineconeRoom:
        name = namespace_name(self._options.prefix, namespace)
        recent = self._recent(name)
        return PineconeRoom(
            Shelf(self._connection, name, recent),
            recent,
            namespace,
            self._connection.dims,
            self._walks,
            self._options.max_unseen,
            self._options.settle_seconds,
        )

    def _recent(self, name: str) -> Recent:
        return recent_of(self._connection.host, name, self._options.fetch_lag)

    def sizes(self) -> dict[str, int]:
        """Count the entries of every namespace, one record in each being that of the namespace."""
        sizes: dict[str, int] = {}
        for name, count in self._counts().items():
            namespace = self._named(name)
            if namespace is not None:
                sizes[namespace] = max(0, count - 1)
        for namespace, room in list(self._rooms.items()):
            # Pinecone's counts lag behind what this process wrote.
            if not room.recent.is_idle():
                sizes[namespace] = room.size()
        return sizes

    def _counts(self) -> dict[str, int]:
        found = self._connection.call(lambda index: index.describe_index_stats())
        return {name: each.vector_count for name, each in found.namespaces.items()}

    def _named(self, name: str) -> str | None:
        """Read the namespace from its name in Pinecone; None where it is not ours."""
        namespace = namespace_of(self._options.prefix, name)
        if namespace != "":
            return namespace
        record = Shelf(self._connection, name, self._recent(name)).fetch([ABOUT]).get(ABOUT)
        return None if record is None else str((record.metadata or {}).get("about"))

    def stats(self) -> AdapterStats:
        """Describe the present state."""
        sizes = self.sizes()
        return AdapterStats(
            backend="Pinecone",
            entries=sum(sizes.values()),
            details={
                "client": version("pinecone"),
                "host": self._connection.host,
                "dimension": self._connection.dims,
                "metric": self._connection.metric,
                "namespaces": len(sizes),
                "unseen_writes": sum(room.recent.waiting() for room in self._rooms.values()),
            },
        )
