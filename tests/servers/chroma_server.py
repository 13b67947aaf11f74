"""A real Chroma server for tests, from the pip package."""

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

BACKEND = "chroma-server"


class ChromaServer(ServerProcess):
    """A Chroma server on the loopback interface."""

    def __init__(self) -> None:
        def command(port: int, folder: Path) -> Sequence[str]:
            script = Path(sys.executable).with_name("chroma")
            return [str(script), "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]

        super().__init__(command, _beats, {"ANONYMIZED_TELEMETRY": "False"})
        self._environment["HOME"] = str(self.folder)

    def call(self, method: str, path: str) -> Any:
        """Send one request below the default database, without Chroma's client."""
        url = f"http://127.0.0.1:{self.port}/api/v2/tenants/default_tenant/databases/default_database/{path}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
            return json.loads(answer.read())

    def drop(self, prefix: str) -> None:
        """Delete the collections whose names begin so."""
        while found := [each["name"] for each in self.call("GET", "collections?limit=500")]:
            mine = [name for name in found if name.startswith(prefix)]
            for name in mine:
                self.call("DELETE", f"collections/{name}")
            if not mine:
                return


def _beats(port: int) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/heartbeat", timeout=5) as answer:
        return bool(answer.status == 200)


def new_server() -> ChromaServer:
    """Start a server for one test; the caller closes it."""
    if find_spec("chromadb") is None:
        missing_backend(BACKEND, "install the pip package chromadb")
    server = ChromaServer()
    server.start()
    return server


@cache
def shared_server() -> ChromaServer:
    """The server that tests share, each under a collection_name of its own; ended when the tests end."""
    return new_server()
