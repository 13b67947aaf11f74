"""Pinecone's data-plane interface over an index in memory: shapes and limits are checked, the service is not run.

Every request and every answer is validated by the shapes in ``pinecone_schema.py``, which were written from Pinecone's
public description. Run as a process with a port, the index's dimensions and metric, and a folder: what was acknowledged
is there again when it is started anew.

The back door: ``GET /requests`` lists what was asked lately, ``POST /settings`` sets attributes of the index, and
``POST /script`` takes a list of faults, one per coming request. A fault is an object with ``status`` and ``headers``,
``cut`` (the connection ends without an answer), ``hang`` (no answer for so many seconds), ``short`` (the answer ends
too early), ``drip`` (it takes so many seconds, a byte now and then), ``nonsense`` (no JSON), ``dims`` (vectors come
back with so many numbers), or ``position`` (what a query says it is complete up to).
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.servers import pinecone_schema as s
from tests.servers.pinecone_index import MOST_ANSWER_BYTES, Index, Refused

MOST_REQUEST_BYTES = 2 * 1024 * 1024
API_VERSION = "2026-07"
KEY = "test-key"
INDEX_NAME = "test-index"

INDEX = Index(int(sys.argv[2]), sys.argv[3])
JOURNAL = Path(sys.argv[4]) / "journal"
LOCK = threading.Lock()
REQUESTS: deque[dict[str, Any]] = deque(maxlen=2000)
SCRIPT: list[dict[str, Any]] = []

Answer = tuple[Any, dict[str, str]]


def upsert(asked: s.Upsert) -> Answer:
    position = INDEX.upsert(asked.namespace, asked.vectors)
    return s.Upserted(upserted_count=len(asked.vectors)), committed(position)


def update(asked: s.Update) -> Answer:
    return s.Nothing(), committed(INDEX.update(asked.namespace, asked.id, asked.set_metadata))


def delete(asked: s.Delete) -> Answer:
    if (asked.ids is msgspec.UNSET) != asked.delete_all:
        raise Refused(400, "give ids or deleteAll")
    ids = None if asked.ids is msgspec.UNSET else list(asked.ids)
    return s.Nothing(), committed(INDEX.delete(asked.namespace, ids))


def query(asked: s.Query) -> Answer:
    found, position = INDEX.query(asked.namespace, asked.vector, asked.top_k, asked.filter)
    matches = [
        s.Match(
            id=vector.id,
            score=score,
            values=vector.values if asked.include_values else [],
            metadata=vector.metadata if asked.include_metadata else msgspec.UNSET,
        )
        for vector, score in found
    ]
    answer = s.Matches(matches=matches, namespace=asked.namespace)
    if len(msgspec.json.encode(answer)) > MOST_ANSWER_BYTES:
        raise Refused(400, "the result is larger than 4 MB")
    return answer, {"x-pinecone-max-indexed-lsn": str(position)}


def fetch(asked: s.Fetch) -> Answer:
    shown = INDEX.shown(asked.namespace)
    found = {id: shown[id] for id in asked.ids if id in shown}
    return s.Fetched(vectors=found, namespace=asked.namespace), {}


def fetch_by_metadata(asked: s.FetchByMetadata) -> Answer:
    shown = INDEX.shown(asked.namespace)
    ids = sorted(
        id
        for id, vector in shown.items()
        if id > asked.pagination_token and INDEX.matches(asked.filter, vector.metadata)
    )
    page = ids[: asked.limit]
    answer = s.FetchedByMetadata(vectors={id: shown[id] for id in page}, namespace=asked.namespace)
    if len(ids) > len(page):
        answer.pagination = s.Next(next=page[-1])
    return answer, {}


def stats(asked: s.Nothing) -> Answer:
    counts = {name: len(INDEX.shown(name)) for name in INDEX.namespaces}
    return (
        s.Stats(
            namespaces={name: s.Count(vector_count=count) for name, count in counts.items() if count},
            dimension=INDEX.dims,
            metric=INDEX.metric,
            vector_type="dense",
            index_fullness=0.0,
            total_vector_count=sum(counts.values()),
        ),
        {},
    )


def list_namespaces(asked: s.ListNamespaces) -> Answer:
    names = sorted(
        name for name in INDEX.namespaces if name.startswith(asked.prefix) and name > asked.pagination_token
    )
    page = names[: asked.limit]
    rows = [s.NamespaceRow(name=name, record_count=str(len(INDEX.shown(name)))) for name in page]
    answer = s.Namespaces(namespaces=rows)
    if len(names) > len(page):
        answer.pagination = s.Next(next=page[-1])
    return answer, {}


def committed(position: int) -> dict[str, str]:
    return {"x-pinecone-request-lsn": str(position)}


ROUTES: dict[tuple[str, str], tuple[Any, Callable[[Any], Answer]]] = {
    ("POST", "/vectors/upsert"): (s.Upsert, upsert),
    ("POST", "/vectors/update"): (s.Update, update),
    ("POST", "/vectors/delete"): (s.Delete, delete),
    ("POST", "/query"): (s.Query, query),
    ("GET", "/vectors/fetch"): (s.Fetch, fetch),
    ("POST", "/vectors/fetch_by_metadata"): (s.FetchByMetadata, fetch_by_metadata),
    ("POST", "/describe_index_stats"): (s.Nothing, stats),
    ("GET", "/namespaces"): (s.ListNamespaces, list_namespaces),
}


WRITES = {"/vectors/upsert", "/vectors/update", "/vectors/delete"}


def remember(path: str, fields: Any) -> None:
    with JOURNAL.open("ab") as journal:
        journal.write(msgspec.json.encode([path, fields]) + b"\n")


def replay() -> None:
    for line in JOURNAL.read_bytes().splitlines() if JOURNAL.exists() else ():
        path, fields = msgspec.json.decode(line)
        shape, handler = ROUTES["POST", path]
        handler(msgspec.convert(fields, shape))


def with_dims(answer: Any, dims: int) -> Any:
    """Make the vectors of an answer wrong: the service is never expected to send that."""
    plain = msgspec.to_builtins(answer)
    vectors = plain.get("matches") or list(plain.get("vectors", {}).values())
    for vector in vectors:
        vector["values"] = [0.5] * dims
    return plain


class Contract(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def send(
        self, status: int, data: bytes, headers: dict[str, str] | None = None, short: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if short else data)
        self.close_connection = self.close_connection or short

    def drip(self, data: bytes, seconds: float) -> None:
        """Send an answer so slowly that no single wait for it is long."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        end = time.monotonic() + seconds
        for place in range(len(data)):
            if time.monotonic() > end:
                self.wfile.write(data[place:])
                return
            self.wfile.write(data[place : place + 1])
            time.sleep(0.05)

    def refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.send(status, msgspec.json.encode({"code": 3, "message": message, "details": []}), headers)

    def answer(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length) if length else b""
        if parts.path == "/requests":
            return self.send(200, msgspec.json.encode(list(REQUESTS)))
        if parts.path in ("/script", "/settings"):
            given = msgspec.json.decode(data)
            if parts.path == "/script":
                SCRIPT[:] = given
            else:
                vars(INDEX).update(given)
            return self.send(200, b"{}")
        fields: Any = msgspec.json.decode(data) if data else self.parameters(parts.query)
        REQUESTS.append({"method": self.command, "path": parts.path, "body": fields, "bytes": length})
        fault = SCRIPT.pop(0) if SCRIPT else {}
        time.sleep(fault.get("hang", 0))
        if fault.get("cut"):
            self.close_connection = True
            return None
        if "status" in fault:
            return self.refuse(fault["status"], "scripted", fault.get("headers"))
        return self.serve(parts.path, fields, length, fault)

    def parameters(self, text: str) -> dict[str, Any]:
        found = parse_qs(text, keep_blank_values=True)
        return {name: values if name == "ids" else values[0] for name, values in found.items()}

    def serve(self, path: str, fields: Any, length: int, fault: dict[str, Any]) -> None:
        if self.headers.get("Api-Key") != KEY:
            return self.refuse(401, "Invalid API key")
        if self.headers.get("X-Pinecone-Api-Version") != API_VERSION:
            return self.refuse(400, "the header X-Pinecone-Api-Version is missing or of another version")
        if self.command == "GET" and path.startswith("/indexes/"):
            return self.describe(path.removeprefix("/indexes/"))
        if self.command == "DELETE" and path.startswith("/namespaces/"):
            INDEX.namespaces.pop(unquote(path.removeprefix("/namespaces/")), None)
            return self.send(200, b"{}")
        if (self.command, path) not in ROUTES:
            return self.refuse(404, f"no route for {self.command} {path}")
        if length > MOST_REQUEST_BYTES:
            return self.refuse(
                400, f"Error, message length too large: found {length} bytes, the limit is 2 MB"
            )
        shape, handler = ROUTES[self.command, path]
        try:
            with LOCK:
                result, headers = handler(msgspec.convert(fields, shape, strict=self.command != "GET"))
                encoded = s.checked(result)
                if path in WRITES:
                    remember(path, fields)
        except msgspec.ValidationError as error:
            return self.refuse(400, str(error))
        except Refused as error:
            return self.refuse(error.status, str(error))
        if "dims" in fault:
            encoded = msgspec.json.encode(with_dims(result, fault["dims"]))
        if "position" in fault:
            headers["x-pinecone-max-indexed-lsn"] = str(fault["position"])
        if fault.get("nonsense"):
            encoded = b"<html>"
        if "drip" in fault:
            return self.drip(encoded, fault["drip"])
        return self.send(200, encoded, headers, short=bool(fault.get("short")))

    def describe(self, name: str) -> None:
        """Answer the one control-plane call that finds an index by its name."""
        if name != INDEX_NAME:
            return self.refuse(404, f"Resource {name} not found")
        host, port = self.server.server_address[:2]
        found = {
            "name": name,
            "host": f"http://{host!s}:{port}",
            "schema": {
                "fields": {
                    "values": {"type": "dense_vector", "dimension": INDEX.dims, "metric": INDEX.metric}
                }
            },
            "deployment": {"deployment_type": "managed", "cloud": "aws", "region": "us-east-1"},
            "deletion_protection": "disabled",
            "status": {"ready": True, "state": "Ready"},
        }
        return self.send(200, msgspec.json.encode(found))

    do_GET = do_POST = do_DELETE = answer


def serve(arguments: Sequence[str]) -> None:
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", int(arguments[0])), Contract).serve_forever()


if __name__ == "__main__":
    replay()
    serve(sys.argv[1:])
