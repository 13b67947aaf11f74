"""Starting the contract server of Pinecone's data plane."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from axon.core.adapter_options import PineconeOptions
from tests.servers.process import ServerProcess, missing_backend

BACKEND = "pinecone-contract"
KEY = "test-key"
INDEX_NAME = "test-index"
DIMS = 64


class PineconeServer(ServerProcess):
    """The contract server, in a process of its own.

    Parameters
    ----------
    dims, metric : of its index.
    """

    def __init__(self, dims: int = DIMS, metric: str = "cosine") -> None:
        def command(port: int, folder: Path) -> Sequence[str]:
            script = Path(__file__).with_name("pinecone_contract.py")
            return [sys.executable, str(script), str(port), str(dims), metric, str(folder)]

        super().__init__(command, lambda port: _ask(port, "GET", "/requests") is not None)

    @property
    def host(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def options(self, **changes: Any) -> PineconeOptions:
        """Options of an adapter that uses this server."""
        return PineconeOptions(**{"host": self.host, "api_key": KEY, **changes})

    def requests(self) -> list[dict[str, Any]]:
        """What was asked lately."""
        found: list[dict[str, Any]] = _ask(self.port, "GET", "/requests")
        return found

    def script(self, *faults: dict[str, Any]) -> None:
        """Let the coming requests fail."""
        _ask(self.port, "POST", "/script", list(faults))

    def set(self, **settings: Any) -> None:
        """Change the index; see ``pinecone_index.Index``."""
        _ask(self.port, "POST", "/settings", settings)


def _ask(port: int, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())


def new_server(dims: int = DIMS, metric: str = "cosine") -> PineconeServer:
    """Start a server for one test; the caller closes it."""
    if find_spec("pinecone") is None:
        missing_backend(BACKEND, "install the pip package pinecone")
    server = PineconeServer(dims, metric)
    server.start()
    return server


@cache
def shared_server() -> PineconeServer:
    """The server that tests share, each under a namespace prefix of its own; it shows writes at once."""
    return new_server()


@cache
def lagging_server() -> PineconeServer:
    """A server that tests share, which shows writes late, and to fetches later than to queries."""
    server = new_server(metric="dotproduct")
    server.set(query_delay=0.05, fetch_delay=0.1, missing_differs=True)
    return server


@cache
def wide_server() -> PineconeServer:
    """A server that tests share, whose index takes the vectors of the default embedder."""
    return new_server(dims=384)
