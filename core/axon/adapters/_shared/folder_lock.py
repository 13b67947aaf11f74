"""One process per folder, for engines that do not promise to serve a second one."""

from __future__ import annotations

import os
import threading

from axon.core.errors import AdapterUnavailable

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows has no flock, and keeps open files from being shared anyway
    fcntl = None  # type: ignore[assignment]

_guard = threading.Lock()
_held: dict[str, tuple[int, int]] = {}
"""By folder: the descriptor that holds the lock, and how many adapters of this process share it."""


def lock_folder(path: str, advice: str) -> str:
    """Take the lock of a folder, making the folder where it is missing; returns the key to give it back with.

    Parameters
    ----------
    path : of the folder.
    advice : what the message says to do where another process holds it.

    Raises
    ------
    AdapterUnavailable
        If another process holds it.
    """
    os.makedirs(path, exist_ok=True)
    folder = os.path.realpath(path)
    with _guard:
        descriptor, users = _held.get(folder, (-1, 0))
        if users == 0:
            descriptor = _take(folder, advice)
        _held[folder] = descriptor, users + 1
    return folder


def unlock_folder(folder: str) -> None:
    """Give back what :func:`lock_folder` took."""
    with _guard:
        descriptor, users = _held.pop(folder)
        if users > 1:
            _held[folder] = descriptor, users - 1
        else:
            os.close(descriptor)


def _take(folder: str, advice: str) -> int:
    descriptor = os.open(os.path.join(folder, "axon.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise AdapterUnavailable(f"{folder!r} is in use by another process; {advice}") from error
    return descriptor
