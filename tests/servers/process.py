"""Starting a server process for tests, waiting until it answers, and ending it by its id."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

START_SECONDS = 60.0
STOP_SECONDS = 10.0
_ATTEMPTS = 5
_POLL_SECONDS = 0.01


class ServerDied(Exception):
    """The process ended, or did not answer in time; the message ends with what it wrote last."""


class ServerProcess:
    """One server in a process of its own.

    Parameters
    ----------
    command : builds the command line for a port.
    answers : tells whether the server on a port is ready; False or OSError where it is not yet.
    environment : added to the parent's.
    """

    def __init__(
        self,
        command: Callable[[int, Path], Sequence[str]],
        answers: Callable[[int], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._command = command
        self._answers = answers
        self._environment = {**os.environ, **(environment or {})}
        self._folder = tempfile.TemporaryDirectory(prefix="axon-server-", ignore_cleanup_errors=True)
        self.folder = Path(self._folder.name)
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        atexit.register(self.close)

    def start(self) -> None:
        """Start on a free port, on another one where that is lost to somebody else; wait until it answers."""
        for attempt in range(_ATTEMPTS):
            self.port = free_port()
            try:
                self.start_again()
            except ServerDied:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    def start_again(self) -> None:
        """Start on the port of the last time, with the same folder."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self._command(self.port, self.folder),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        wait_until(self._ready, f"{self.process.args!r} did not answer; it wrote:\n{self.tail()}")

    def _ready(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise ServerDied(f"the server ended with {self.process.returncode}; it wrote:\n{self.tail()}")
        try:
            return self._answers(self.port)
        except OSError:
            return False

    def tail(self) -> str:
        """What the server wrote last."""
        return (self.folder / "log").read_bytes()[-800:].decode(errors="replace")

    def stop(self) -> None:
        """Ask the server to end; kill it where it does not."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End the server without a warning."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """Let the server answer nothing, its connections open."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End the server and remove its folder."""
        atexit.unregister(self.close)
        if self.process is not None and self.process.poll() is None:
            self.resume()
            self.stop()
        self._folder.cleanup()


def free_port(below: int = 65536) -> int:
    """Find a port that nobody listens on."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < below:
            return port


def wait_until(condition: Callable[[], bool], complaint: str, seconds: float = START_SECONDS) -> None:
    """Poll until something holds.

    Raises
    ------
    ServerDied
        With the complaint, when the time is over.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise ServerDied(complaint)
        time.sleep(_POLL_SECONDS)


def required(backend: str) -> bool:
    """Tell whether tests of a backend must run here."""
    named = os.environ.get("AXON_REQUIRE_BACKENDS", "")
    return backend in {name.strip() for name in named.split(",")} or bool(os.environ.get("CI"))


def missing_backend(backend: str, advice: str) -> None:
    """Leave a test out because its server is not installed, or fail where it is required."""
    message = f"{backend}: {advice}"
    if required(backend):
        pytest.fail(message)
    pytest.skip(message)
