"""What the contract server of Qdrant notes of every request, and the faults that a test has asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_KEPT = 4000


class Backdoor:
    """Requests that were made and faults to come, in the order of requests over both wires."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[tuple[dict[str, Any], Callable[[], Any]]] = deque(maxlen=_KEPT)
        self._faults: list[dict[str, Any]] = []

    def note(self, about: dict[str, Any], body: Callable[[], Any]) -> dict[str, Any]:
        """Note a request, whose body is read only when somebody asks; returns its fault, empty for none."""
        with self._lock:
            self._requests.append((about, body))
            return self._faults.pop(0) if self._faults else {}

    def script(self, faults: list[dict[str, Any]]) -> None:
        with self._lock:
            self._faults = faults

    def forget(self) -> None:
        with self._lock:
            self._requests.clear()

    def requests(self) -> list[dict[str, Any]]:
        with self._lock:
            noted = list(self._requests)
        return [{**about, "body": body()} for about, body in noted]
