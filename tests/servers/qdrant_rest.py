"""Qdrant's REST interface: every body is validated by the client's own models, which refuse unknown fields."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pydantic import TypeAdapter, ValidationError
from qdrant_client.http import models as m

from tests.servers.qdrant_engine import Engine, Refused
from tests.servers.qdrant_faults import Backdoor

Handler = Callable[[Engine, str, bytes], Any]

_PLAIN: TypeAdapter[Any] = TypeAdapter(Any)
_DONE = {"operation_id": 1, "status": "completed"}


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(kind: Any, body: bytes) -> Any:
    return adapter(kind).validate_json(body)


def collections(engine: Engine, name: str, body: bytes) -> Any:
    return {"collections": [{"name": each} for each in engine.names()]}


def exists(engine: Engine, name: str, body: bytes) -> Any:
    return {"exists": name in engine.names()}


def create(engine: Engine, name: str, body: bytes) -> Any:
    return engine.create(name, read(m.CreateCollection, body))


def drop(engine: Engine, name: str, body: bytes) -> Any:
    return engine.drop(name)


def index(engine: Engine, name: str, body: bytes) -> Any:
    asked = read(m.CreateFieldIndex, body)
    engine.index(name, asked.field_name, asked.field_schema)
    return _DONE


def upsert(engine: Engine, name: str, body: bytes) -> Any:
    engine.upsert(name, read(m.PointsList, body).points)
    return _DONE


def update(engine: Engine, name: str, body: bytes) -> Any:
    operations = read(m.UpdateOperations, body).operations
    engine.update(name, operations)
    return [_DONE] * len(operations)


def retrieve(engine: Engine, name: str, body: bytes) -> Any:
    return engine.retrieve(name, read(m.PointRequest, body))


def delete(engine: Engine, name: str, body: bytes) -> Any:
    engine.delete(name, read(m.PointsSelector, body))
    return _DONE


def count(engine: Engine, name: str, body: bytes) -> Any:
    return {"count": engine.count(name, read(m.CountRequest, body))}


def scroll(engine: Engine, name: str, body: bytes) -> Any:
    points, offset = engine.scroll(name, read(m.ScrollRequest, body))
    return {"points": points, "next_page_offset": offset}


def query(engine: Engine, name: str, body: bytes) -> Any:
    return {"points": engine.query(name, [read(m.QueryRequest, body)])[0]}


def query_batch(engine: Engine, name: str, body: bytes) -> Any:
    searches = read(m.QueryRequestBatch, body).searches
    return [{"points": points} for points in engine.query(name, searches)]


def facet(engine: Engine, name: str, body: bytes) -> Any:
    return {"hits": engine.facet(name, read(m.FacetRequest, body))}


ROUTES: list[tuple[str, str, Handler]] = [
    ("GET", r"/collections", collections),
    ("GET", r"/collections/([^/]+)/exists", exists),
    ("PUT", r"/collections/([^/]+)", create),
    ("DELETE", r"/collections/([^/]+)", drop),
    ("PUT", r"/collections/([^/]+)/index", index),
    ("PUT", r"/collections/([^/]+)/points", upsert),
    ("POST", r"/collections/([^/]+)/points", retrieve),
    ("POST", r"/collections/([^/]+)/points/batch", update),
    ("POST", r"/collections/([^/]+)/points/delete", delete),
    ("POST", r"/collections/([^/]+)/points/count", count),
    ("POST", r"/collections/([^/]+)/points/scroll", scroll),
    ("POST", r"/collections/([^/]+)/points/query", query),
    ("POST", r"/collections/([^/]+)/points/query/batch", query_batch),
    ("POST", r"/collections/([^/]+)/facet", facet),
]


class RestFace(BaseHTTPRequestHandler):
    """Answers one connection. A fault is an object with ``status`` and ``headers``, ``cut`` or ``hang``."""

    engine: Engine
    backdoor: Backdoor
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers and body leave together.
    wbufsize = -1

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def refuse(self, status: int, why: str, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps({"status": {"error": why}, "time": 0.001}).encode(), headers)

    def answer(self) -> None:
        path = self.path.split("?")[0]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if path == "/requests":
            if self.command == "DELETE":
                self.backdoor.forget()
            return self.send(200, json.dumps(self.backdoor.requests()).encode())
        if path == "/script":
            self.backdoor.script(json.loads(body))
            return self.send(200, b'"ok"')
        about = {"method": self.command, "path": path, "key": self.headers.get("api-key")}
        fault = self.backdoor.note(about, lambda: json.loads(body) if body else None)
        time.sleep(fault.get("hang", 0))
        if fault.get("cut"):
            self.close_connection = True
            return None
        if "status" in fault:
            return self.refuse(fault["status"], "scripted", fault.get("headers"))
        return self.serve(path, body)

    def serve(self, path: str, body: bytes) -> None:
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                try:
                    result = handler(self.engine, match[1] if match.groups() else "", body)
                except Refused as error:
                    return self.refuse(error.status, str(error))
                except ValidationError as error:
                    return self.refuse(400, f"Format error in JSON body: {error}")
                answer = {"result": result, "status": "ok", "time": 0.001}
                return self.send(200, _PLAIN.dump_json(answer, exclude_none=True))
        return self.refuse(404, f"no route for {self.command} {path}")

    do_GET = do_PUT = do_POST = do_DELETE = answer


class RestServer(ThreadingHTTPServer):
    """Listens on a port of the loopback interface."""

    request_queue_size = 128

    def __init__(self, port: int, engine: Engine, backdoor: Backdoor) -> None:
        face = type("Face", (RestFace,), {"engine": engine, "backdoor": backdoor})
        super().__init__(("127.0.0.1", port), face)
