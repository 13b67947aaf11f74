"""Folders opened by this process: one opens once, so the adapters of a process share what serves it."""

from __future__ import annotations

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple

from qdrant_client import QdrantClient

from axon.core.errors import AdapterUnavailable, ConfigError

Engine = Literal["client", "edge"]


class _Open(NamedTuple):
    engine: Engine
    client: Any
    turn: AbstractContextManager[object]
    users: int


_guard = threading.Lock()
_folders: dict[str, _Open] = {}


def enter_folder(path: str, engine: Engine) -> tuple[str, Any, AbstractContextManager[object]]:
    """Open a folder, or share it with those who have.

    Returns
    -------
    (folder, client, turn) : the key to leave it with; what serves it; and what a call has to hold.

    Raises
    ------
    AdapterUnavailable
        If another process has it open.
    ConfigError
        If the other engine wrote to it, or is at work there.
    """
    folder = os.path.realpath(path)
    with _guard:
        found = _folders.get(folder)
        if found is None:
            # The client's engine is not made for threads, the other is.
            turn: AbstractContextManager[object] = threading.Lock() if engine == "client" else nullcontext()
            found = _Open(engine, _open_edge(folder) if engine == "edge" else _open_client(folder), turn, 0)
        elif found.engine != engine:
            raise ConfigError(f"{folder!r} is in use with engine={found.engine!r}; name another path")
        _folders[folder] = found._replace(users=found.users + 1)
    return folder, found.client, found.turn


def leave_folder(folder: str) -> None:
    """Give back what :func:`enter_folder` gave; the last one closes it."""
    with _guard:
        found = _folders.pop(folder)
        if found.users > 1:
            _folders[folder] = found._replace(users=found.users - 1)
        else:
            found.client.close()


def _open_client(folder: str) -> Any:
    if (Path(folder) / "edge").exists():
        raise ConfigError(
            f"{folder!r} was written with engine='edge'; give that option, or name another path"
        )
    try:
        return QdrantClient(path=folder, force_disable_check_same_thread=True)
    except RuntimeError as error:
        raise AdapterUnavailable(
            f"{folder!r} is in use by another process, and Qdrant's local form serves one; run a server"
        ) from error


def _open_edge(folder: str) -> Any:
    # Here, because the package is another extra's.
    from axon.adapters._qdrant.edge_store import EdgeStore

    return EdgeStore(folder)
