"""Real servers beside the benchmarks: those that the tests start, one for each benchmark, ended after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

from tests.servers.process import ServerProcess

ServerT = TypeVar("ServerT", bound=ServerProcess)


@contextmanager
def running(make: Callable[[], ServerT]) -> Iterator[ServerT]:
    """Start a server and end it.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed here.
    """
    import pytest

    try:
        server = make()
    except pytest.skip.Exception as missing:
        raise ModuleNotFoundError(str(missing), name=str(missing)) from missing
    with closing(server):
        if server.process is None:
            server.start()
        yield server
