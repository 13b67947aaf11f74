"""Qdrant's REST interface over the client's own engine: wire shapes are checked, routing and indexes are not covered.

Every body is validated by the client's own models, which refuse unknown fields, and the answer is made from its models
too. Run as a process with a port. Besides the interface there is a back door: ``GET /requests`` lists what was asked,
``POST /script`` takes a list of faults, one per coming request: an object with ``status`` and ``headers``, ``cut`` (the
connection ends without an answer) or ``hang`` (no answer for so many seconds).
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import TypeAdapter
from qdrant_client import QdrantClient
from qdrant_client.http import models as m

CLIENT = QdrantClient(location=":memory:", force_disable_check_same_thread=True)
LOCK = threading.Lock()
REQUESTS: list[dict[str, Any]] = []
SCRIPT: list[dict[str, Any]] = []

Handler = Callable[[str, Any], Any]


def read(kind: Any, body: Any) -> Any:
    return TypeAdapter(kind).validate_python(body)


def done(operation: Any) -> Any:
    return {"operation_id": 1, "status": "completed"}


def create(name: str, body: Any) -> Any:
    asked = read(m.CreateCollection, body)
    return CLIENT.create_collection(name, vectors_config=asked.vectors or {})


def index(name: str, body: Any) -> Any:
    read(m.CreateFieldIndex, body)
    CLIENT.get_collection(name)
    return done(None)


def upsert(name: str, body: Any) -> Any:
    return done(CLIENT.upsert(name, read(m.PointsList, body).points))


def update(name: str, body: Any) -> Any:
    return [done(CLIENT.batch_update_points(name, read(m.UpdateOperations, body).operations))]


def retrieve(name: str, body: Any) -> Any:
    asked = read(m.PointRequest, body)
    return CLIENT.retrieve(name, asked.ids, with_payload=asked.with_payload, with_vectors=asked.with_vector)


def delete(name: str, body: Any) -> Any:
    return done(CLIENT.delete(name, read(m.PointsSelector, body)))


def count(name: str, body: Any) -> Any:
    return CLIENT.count(name, read(m.CountRequest, body).filter)


def scroll(name: str, body: Any) -> Any:
    asked = read(m.ScrollRequest, body)
    points, offset = CLIENT.scroll(
        name,
        asked.filter,
        limit=asked.limit,
        offset=asked.offset,
        with_payload=asked.with_payload,
        with_vectors=asked.with_vector,
    )
    return {"points": points, "next_page_offset": offset}


def query(name: str, body: Any) -> Any:
    searches = read(m.QueryRequestBatch, body).searches
    return [{"points": answer.points} for answer in CLIENT.query_batch_points(name, searches)]


def facet(name: str, body: Any) -> Any:
    asked = read(m.FacetRequest, body)
    return CLIENT.facet(name, key=asked.key, limit=asked.limit, exact=asked.exact)


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"/collections", lambda name, body: CLIENT.get_collections()),
    ("PUT", r"/collections/([^/]+)", create),
    ("DELETE", r"/collections/([^/]+)", lambda name, body: CLIENT.delete_collection(name)),
    ("PUT", r"/collections/([^/]+)/index", index),
    ("PUT", r"/collections/([^/]+)/points", upsert),
    ("POST", r"/collections/([^/]+)/points", retrieve),
    ("POST", r"/collections/([^/]+)/points/batch", update),
    ("POST", r"/collections/([^/]+)/points/delete", delete),
    ("POST", r"/collections/([^/]+)/points/count", count),
    ("POST", r"/collections/([^/]+)/points/scroll", scroll),
    ("POST", r"/collections/([^/]+)/points/query/batch", query),
    ("POST", r"/collections/([^/]+)/facet", facet),
]


def plain(value: Any) -> Any:
    return TypeAdapter(Any).dump_python(value, mode="json", exclude_none=True)


class Contract(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self) -> None:
        path = self.path.split("?")[0]
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        if path == "/requests":
            return self.send(200, REQUESTS)
        if path == "/script":
            SCRIPT[:] = body
            return self.send(200, "ok")
        REQUESTS.append(
            {"method": self.command, "path": path, "body": body, "key": self.headers.get("api-key")}
        )
        fault = SCRIPT.pop(0) if SCRIPT else {}
        time.sleep(fault.get("hang", 0))
        if fault.get("cut"):
            self.close_connection = True
            return None
        if "status" in fault:
            return self.send(fault["status"], {"status": {"error": "scripted"}}, fault.get("headers"))
        return self.serve(path, body)

    def serve(self, path: str, body: Any) -> None:
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                try:
                    with LOCK:
                        result = plain(handler(match[1] if match.groups() else "", body))
                except ValueError as error:
                    status = (
                        404 if "not found" in str(error) else 409 if "already exists" in str(error) else 400
                    )
                    return self.send(status, {"status": {"error": str(error)}})
                return self.send(200, {"result": result, "status": "ok", "time": 0.001})
        return self.send(404, {"status": {"error": f"no route for {self.command} {path}"}})

    do_GET = do_PUT = do_POST = do_DELETE = answer


if __name__ == "__main__":
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Contract).serve_forever()
