"""As much of OpenAI's protocol as the demo uses, on the loopback interface.

Run as a process; the first line on stdout is the port. Vectors are those of the hashing embedder. The chat
model answers with the ids of the passages it was shown, so that a test can see what was in the prompt.
"""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from axon.embedders.hashing import HashingEmbedder

DIMS = 1536
EMBEDDER = HashingEmbedder(DIMS)


def embeddings(asked: dict[str, Any]) -> dict[str, Any]:
    rows = EMBEDDER.embed_batch_sync(asked["input"])
    data = [{"object": "embedding", "index": place, "embedding": row} for place, row in enumerate(rows)]
    usage = {"prompt_tokens": 1, "total_tokens": 1}
    return {"object": "list", "data": data, "model": asked["model"], "usage": usage}


def completion(asked: dict[str, Any]) -> dict[str, Any]:
    shown = re.findall(r'<passage id="(.*?)">', asked["messages"][-1]["content"])
    message = {"role": "assistant", "content": f"read {' and '.join(shown)}"}
    choices = [{"index": 0, "finish_reason": "stop", "message": message}]
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": choices,
    }


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("/embeddings"):
            status, answer = 200, embeddings(asked)
        elif asked["model"] == "missing":
            status, answer = (
                404,
                {"error": {"message": "no such model; your key is " + self.key, "code": "404"}},
            )
        else:
            status, answer = 200, completion(asked)
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    @property
    def key(self) -> str:
        return self.headers["Authorization"].removeprefix("Bearer ")

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
