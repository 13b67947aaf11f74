"""An index as Pinecone's documentation describes it: a log per namespace, and two views of it that lag behind."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tests.servers.pinecone_schema import Vector, Where

MOST_METADATA_BYTES = 40 * 1024
MOST_ANSWER_BYTES = 4 * 1024 * 1024

Records = dict[str, Vector]


class Refused(Exception):
    """A request that the service would refuse."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Write(NamedTuple):
    position: int
    at: float
    apply: Callable[[Records], None]


class Lagging:
    """The records as far as they are shown."""

    def __init__(self) -> None:
        self.records: Records = {}
        self.position = 0

    def catch_up(self, log: list[Write], delay: float) -> None:
        until = time.monotonic() - delay
        while self.position < len(log) and (delay == 0 or log[self.position].at <= until):
            log[self.position].apply(self.records)
            self.position += 1


class Namespace:
    def __init__(self) -> None:
        self.log: list[Write] = []
        self.queried = Lagging()
        self.fetched = Lagging()

    def write(self, apply: Callable[[Records], None]) -> int:
        self.log.append(Write(len(self.log) + 1, time.monotonic(), apply))
        return len(self.log)


class Index:
    """One index.

    Attributes
    ----------
    query_delay, fetch_delay : seconds until queries, and everything else that reads, show a write.
    keeps_empty : whether a namespace stays when everything in it was deleted, and its log goes on.
    missing_differs : whether ``$ne`` and ``$nin`` hold for a field that is not there; the documentation does not say.
    """

    def __init__(self, dims: int, metric: str) -> None:
        self.dims = dims
        self.metric = metric
        self.query_delay = 0.0
        self.fetch_delay = 0.0
        self.keeps_empty = True
        self.missing_differs = False
        self.namespaces: dict[str, Namespace] = {}

    def upsert(self, name: str, vectors: list[Vector]) -> int:
        for vector in vectors:
            if len(vector.values) != self.dims:
                raise Refused(
                    400,
                    f"Vector dimension {len(vector.values)} does not match the dimension of the index {self.dims}",
                )
            if not any(vector.values):
                raise Refused(400, "Dense vectors must contain at least one non-zero value")
            _check_size(vector.metadata)
            vector.values = np.array(vector.values, np.float32).tolist()

        def apply(records: Records) -> None:
            records.update((vector.id, vector) for vector in vectors)

        return self.namespaces.setdefault(name, Namespace()).write(apply)

    def delete(self, name: str, ids: list[str] | None) -> int:
        if name not in self.namespaces:
            raise Refused(404, "Namespace not found")

        def apply(records: Records) -> None:
            if ids is None:
                records.clear()
            for id in ids or ():
                records.pop(id, None)

        if ids is None and not self.keeps_empty:
            del self.namespaces[name]
            return 0
        return self.namespaces[name].write(apply)

    def update(self, name: str, id: str, fields: dict[str, Any]) -> int:
        if name not in self.namespaces:
            raise Refused(404, "Namespace not found")

        def apply(records: Records) -> None:
            known = records.get(id)
            if known is not None:
                merged = {**known.metadata, **fields}
                records[id] = Vector(id=id, values=known.values, metadata=merged)

        return self.namespaces[name].write(apply)

    def query(
        self, name: str, vector: list[float], k: int, where: Where
    ) -> tuple[list[tuple[Vector, float]], int]:
        if len(vector) != self.dims:
            raise Refused(
                400, f"Vector dimension {len(vector)} does not match the dimension of the index {self.dims}"
            )
        if not any(vector):
            raise Refused(400, "Dense vectors must contain at least one non-zero value")
        if name not in self.namespaces:
            return [], 0
        space = self.namespaces[name]
        space.queried.catch_up(space.log, self.query_delay)
        found = [each for each in space.queried.records.values() if self.matches(where, each.metadata)]
        if not found:
            return [], space.queried.position
        scores = self._scores(
            np.array([each.values for each in found], np.float32), np.array(vector, np.float32)
        )
        order = sorted(range(len(found)), key=lambda place: (-scores[place], found[place].id))
        best = order[:k]
        if self.metric == "euclidean":
            scores = -scores
        return [(found[place], float(scores[place])) for place in best], space.queried.position

    def _scores(self, rows: Any, query: Any) -> Any:
        if self.metric == "euclidean":
            return -((rows - query) ** 2).sum(axis=1)
        if self.metric == "cosine":
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
            query = query / np.linalg.norm(query)
        return rows @ query

    def shown(self, name: str) -> Records:
        """What reads that are no queries see."""
        if name not in self.namespaces:
            return {}
        space = self.namespaces[name]
        space.fetched.catch_up(space.log, self.fetch_delay)
        return space.fetched.records

    def matches(self, where: Where, metadata: dict[str, Any]) -> bool:
        return all(self._holds(key, condition, metadata) for key, condition in where.items())

    def _holds(self, key: str, condition: Any, metadata: dict[str, Any]) -> bool:
        if key in ("$and", "$or"):
            if not isinstance(condition, list) or not condition:
                raise Refused(400, f"{key} needs a list that is not empty")
            return (all if key == "$and" else any)(self.matches(each, metadata) for each in condition)
        if key.startswith("$"):
            raise Refused(400, f"{key} is no operator at this place")
        if not isinstance(condition, dict) or len(condition) != 1:
            raise Refused(400, f"the condition on {key} needs exactly one operator")
        operator, operand = next(iter(condition.items()))
        return self._compare(operator, operand, metadata.get(key))

    def _compare(self, operator: str, operand: Any, value: Any) -> bool:
        _check_operand(operator, operand)
        if operator in ("$ne", "$nin"):
            if value is None:
                return self.missing_differs
            return not self._compare("$eq" if operator == "$ne" else "$in", operand, value)
        if value is None:
            return False
        if operator in ("$eq", "$in"):
            wanted = operand if operator == "$in" else [operand]
            held = value if isinstance(value, list) else [value]
            return any(_same(one, other) for one in held for other in wanted)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        number, bound = float(value), float(operand)
        return {
            "$lt": number < bound,
            "$lte": number <= bound,
            "$gt": number > bound,
            "$gte": number >= bound,
        }[operator]


def _check_operand(operator: str, operand: Any) -> None:
    if operator in ("$in", "$nin"):
        if not isinstance(operand, list) or not 1 <= len(operand) <= 10_000:
            raise Refused(400, f"{operator} needs a list of 1 to 10,000 values")
    elif operator in ("$lt", "$lte", "$gt", "$gte"):
        if isinstance(operand, bool) or not isinstance(operand, int | float):
            raise Refused(400, f"{operator} needs a number")
    elif operator in ("$eq", "$ne"):
        if not isinstance(operand, bool | int | float | str):
            raise Refused(400, f"{operator} needs a string, a number or a boolean")
    else:
        raise Refused(400, f"{operator} is no operator")


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, str | bool) or isinstance(other, str | bool):
        return type(one) is type(other) and bool(one == other)
    return float(one) == float(other)


def _check_size(metadata: dict[str, Any]) -> None:
    size = len(json.dumps(metadata, ensure_ascii=False).encode())
    if size > MOST_METADATA_BYTES:
        raise Refused(
            400,
            f"Metadata size is {size} bytes, which exceeds the limit of {MOST_METADATA_BYTES} bytes per vector",
        )
