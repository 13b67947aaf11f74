"""A server that speaks OpenAI's embeddings protocol on the loopback interface, with faults on demand.

Run as a process; the first line on stdout is the port. Besides ``POST /v1/embeddings`` there is a back door:
``POST /script`` takes a list of faults, one per coming request; ``GET /requests`` lists what was asked;
``POST /reset`` forgets both and lets hanging requests go.

A fault is an object with some of the keys: ``status``, ``headers``, ``message``, ``code`` (an error instead
of an answer), ``hang`` (no answer until reset), ``drip`` (a byte of the body every 50 ms), ``cut``
(``"head"`` or ``"body"``: the connection ends there), ``body`` (this text instead of the answer), ``drop``
(so many vectors fewer), ``dims``, ``nan``, ``shuffle``, ``float`` (numbers although base64 was asked).
"""

from __future__ import annotations

import base64
import json
import random
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DIMS = 8


class State:
    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.script: list[dict[str, Any]] = []
        self.released = threading.Event()

    def reset(self) -> None:
        self.released.set()
        self.released = threading.Event()
        self.requests, self.script = [], []


STATE = State()


def vector(text: str, dims: int) -> list[float]:
    source = random.Random(text)
    return list(
        struct.unpack(f"<{dims}f", struct.pack(f"<{dims}f", *(source.gauss(0, 1) for _ in range(dims))))
    )


def answer(asked: dict[str, Any], fault: dict[str, Any]) -> dict[str, Any]:
    texts = asked["input"]
    dims = fault.get("dims", asked.get("dimensions", DIMS))
    data = []
    for index, text in enumerate(texts[: len(texts) - fault.get("drop", 0)]):
        row = vector(text, dims)
        if fault.get("nan"):
            row[0] = float("nan")
        value: Any = row
        if asked.get("encoding_format") == "base64" and not fault.get("float"):
            value = base64.b64encode(struct.pack(f"<{dims}f", *row)).decode()
        data.append({"object": "embedding", "index": index, "embedding": value})
    if fault.get("shuffle"):
        data.reverse()
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "data": data, "model": asked["model"], "usage": usage}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send(200, json.dumps(STATE.requests).encode())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"null")
        if self.path == "/script":
            STATE.script = body
            self.send(200, b"{}")
        elif self.path == "/reset":
            STATE.reset()
            self.send(200, b"{}")
        else:
            self.embeddings(body)

    def embeddings(self, asked: dict[str, Any]) -> None:
        state = STATE
        authorization = self.headers.get("Authorization")
        state.requests.append({"path": self.path, "authorization": authorization, "body": asked})
        fault = state.script.pop(0) if state.script else {}
        if fault.get("hang"):
            state.released.wait(60)
        if fault.get("cut") == "head":
            self.close_connection = True
            return
        if "status" in fault:
            error = {"message": fault.get("message", "scripted"), "type": "error", "code": fault.get("code")}
            self.send(fault["status"], json.dumps({"error": error}).encode(), fault.get("headers", {}))
            return
        content = fault["body"].encode() if "body" in fault else json.dumps(answer(asked, fault)).encode()
        if fault.get("cut") == "body":
            self.head(200, len(content), {})
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
        elif fault.get("drip"):
            self.head(200, len(content), {})
            for position in range(len(content)):
                self.wfile.write(content[position : position + 1])
                self.wfile.flush()
                state.released.wait(0.05)
        else:
            self.send(200, content)

    def head(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.head(status, len(content), headers or {})
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: the tests read what was asked from the back door."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: clients that time out hang up in the middle, which is what they are asked to do."""


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
