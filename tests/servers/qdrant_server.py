"""Starting the contract server of Qdrant's REST interface."""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.process import ServerProcess, missing_backend

BACKEND = "qdrant-rest"


class QdrantServer(ServerProcess):
    """The contract server, in a process of its own."""

    def __init__(self) -> None:
        def command(port: int, folder: Path) -> Sequence[str]:
            return [sys.executable, str(Path(__file__).with_name("qdrant_contract.py")), str(port)]

        super().__init__(command, lambda port: _ask(port, "GET", "/requests") is not None)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self) -> list[dict[str, Any]]:
        """What was asked so far."""
        found: list[dict[str, Any]] = _ask(self.port, "GET", "/requests")
        return found

    def script(self, *faults: dict[str, Any]) -> None:
        """Let the coming requests fail."""
        _ask(self.port, "POST", "/script", list(faults))


def _ask(port: int, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())


def new_server() -> QdrantServer:
    """Start a server for one test; the caller closes it."""
    if find_spec("qdrant_client") is None:
        missing_backend(BACKEND, "install the pip package qdrant-client")
    server = QdrantServer()
    server.start()
    return server


@cache
def shared_server() -> QdrantServer:
    """The server that tests share, each under a collection_name of its own; ended when the tests end."""
    return new_server()
