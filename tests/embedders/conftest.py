from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from axon.core.ports import EmbedderSpec, EmbeddingKind
from axon.embedders.base import TextEmbedder

SERVER = Path(__file__).parents[1] / "servers" / "openai_server.py"


class OpenAIServer:
    """The back door of the server process."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.base_url = f"http://127.0.0.1:{port}/v1"

    def script(self, *faults: dict[str, Any]) -> None:
        self._call("POST", "/script", list(faults))

    def reset(self) -> None:
        self._call("POST", "/reset", None)

    @property
    def requests(self) -> list[dict[str, Any]]:
        recorded: list[dict[str, Any]] = self._call("GET", "/requests", None)
        return recorded

    @property
    def inputs(self) -> list[list[str]]:
        return [request["body"]["input"] for request in self.requests]

    def _call(self, method: str, path: str, body: object) -> Any:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def openai_process() -> Iterator[OpenAIServer]:
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield OpenAIServer(int(process.stdout.readline()))
        process.terminate()


@pytest.fixture
def openai_server(openai_process: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    openai_process.reset()
    yield openai_process
    openai_process.reset()


class CountingEmbedder(TextEmbedder):
    """A model that records its calls; the vector of a text tells its length and first letter."""

    def __init__(
        self, *, max_batch: int = 256, dims: int | None = 3, revision: str = "", **options: Any
    ) -> None:
        spec = EmbedderSpec(
            provider="test", model="counting", revision=revision, dims=dims, max_batch=max_batch
        )
        super().__init__(spec, **options)
        self.calls: list[list[str]] = []
        self.kinds: list[EmbeddingKind] = []

    async def _call_model(self, texts: list[str], kind: EmbeddingKind) -> Any:
        self.calls.append(texts)
        self.kinds.append(kind)
        return self.rows(texts)

    @staticmethod
    def rows(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.array([[len(text), ord(text[0]), 1.0] for text in texts], np.float32)


@pytest.fixture
def counting() -> type[CountingEmbedder]:
    return CountingEmbedder
