"""Starting the contract server of Qdrant's REST and gRPC interfaces."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.servers.process import ServerProcess, free_port, missing_backend

BACKEND = "qdrant-rest"
_ROOT = Path(__file__).parents[2]
_IN_MEMORY = Path("/dev/shm")
_ROOM = 1 << 30


class QdrantServer(ServerProcess):
    """The contract server, in a process of its own; what it keeps outlives the process, in its folder."""

    def __init__(self) -> None:
        self._grpc_ports: dict[int, int] = {}
        self._data = tempfile.TemporaryDirectory(
            prefix="axon-qdrant-", dir=fast_place(), ignore_cleanup_errors=True
        )

        def command(port: int, folder: Path) -> Sequence[str]:
            ports = [str(port), str(self._grpc_port_beside(port))]
            return [sys.executable, "-m", "tests.servers.qdrant_contract", *ports, self._data.name]

        path = os.pathsep.join([str(_ROOT), os.environ.get("PYTHONPATH", "")])
        super().__init__(
            command, lambda port: _ask(port, "GET", "/requests") is not None, {"PYTHONPATH": path}
        )

    def close(self) -> None:
        """End the server and remove what it kept."""
        super().close()
        self._data.cleanup()

    def _grpc_port_beside(self, port: int) -> int:
        return self._grpc_ports.setdefault(port, free_port())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc_port(self) -> int:
        return self._grpc_port_beside(self.port)

    def requests(self) -> list[dict[str, Any]]:
        """What was asked so far."""
        found: list[dict[str, Any]] = _ask(self.port, "GET", "/requests")
        return found

    def script(self, *faults: dict[str, Any]) -> None:
        """Let the coming requests fail."""
        _ask(self.port, "POST", "/script", list(faults))

    def reset(self) -> None:
        """Forget the collections, the faults to come, and what was asked."""
        self.script()
        self.drop("")
        _ask(self.port, "DELETE", "/requests")

    def drop(self, prefix: str) -> None:
        """Delete the collections whose names begin so; each takes up room on the disk."""
        for each in _ask(self.port, "GET", "/collections")["result"]["collections"]:
            if each["name"].startswith(prefix):
                _ask(self.port, "DELETE", f"/collections/{each['name']}")


def _ask(port: int, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        return json.loads(answer.read())


def fast_place() -> Path | None:
    """Find where a collection is made in 10 ms instead of 200: in memory, which a killed process does not take along.

    None for the usual place, where there is no such file system or too little of it.
    """
    has_room = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > _ROOM
    return _IN_MEMORY if has_room and os.access(_IN_MEMORY, os.W_OK) else None


def new_server() -> QdrantServer:
    """Start a server for one test; the caller closes it."""
    for package in ("qdrant_client", "qdrant_edge"):
        if find_spec(package) is None:
            missing_backend(BACKEND, "install the pip packages qdrant-client and qdrant-edge-py")
    server = QdrantServer()
    server.start()
    return server


@cache
def shared_server() -> QdrantServer:
    """The server that tests share, each under a collection_name of its own; ended when the tests end."""
    return new_server()
