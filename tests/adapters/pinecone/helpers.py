"""Small things that the tests of this folder share."""

from __future__ import annotations

from typing import Any

import numpy as np

from axon.core.clock import to_datetime
from axon.core.filter.ast import EVERYTHING
from axon.core.models import MemoryEntry, SearchRequest
from tests.servers.pinecone_server import PineconeServer

NS = "n"
QUERY = SearchRequest(EVERYTHING, 1, np.array([1, 0], np.float32))


def entry(id: str, vector: list[float] | None = None, text: str = "text", **fields: Any) -> MemoryEntry:
    embedding = None if vector is None else np.array(vector, np.float32)
    moment = to_datetime(1_700_000_000_000_000)
    return MemoryEntry(text, id=id, created_at=moment, embedding=embedding, **fields)


def calls(server: PineconeServer, since: int = 0) -> list[str]:
    return [each["path"] for each in server.requests()[since:]]


def bodies(server: PineconeServer, path: str) -> list[Any]:
    return [each["body"] for each in server.requests() if each["path"] == path]
