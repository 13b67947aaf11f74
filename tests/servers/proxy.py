"""A TCP proxy between a client and a real server: counts round trips, cuts connections, refuses HTTP requests."""

from __future__ import annotations

import asyncio
import re
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards bytes on the loopback interface, on a loop and a thread of its own.

    A round trip begins when the client speaks after the server has, or first of all.

    Attributes
    ----------
    port : to connect to.
    round_trips : so far, over all connections.
    open, most_open : connections now, and at most at one time.
    refused : HTTP requests answered here instead of by the server, so far.

    Parameters
    ----------
    target : port of the server.
    tls : speak TLS with clients, and plainly with the server.
    """

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self.target = target
        self.tls = tls
        self.port = 0
        self.round_trips = 0
        self.open = 0
        self.most_open = 0
        self.refused = 0
        self._cut_requests = 0
        self._cut_answers = 0
        self._refusal: bytes | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._ready: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def cut_next_answers(self, count: int) -> None:
        """Let the next requests reach the server, and cut the connection instead of handing on the answer."""
        self._cut_answers = count

    def cut_next_requests(self, count: int) -> None:
        """Cut the connections of the next requests after half of what has come of each."""
        self._cut_requests = count

    def refuse(self, status: int, headers: Mapping[str, str] | None = None) -> None:
        """Answer HTTP requests with this status until told to stop; the server hears nothing of them."""
        fields = {"Content-Length": "7", "Connection": "close", **(headers or {})}
        lines = [f"HTTP/1.1 {status} Refused", *(f"{name}: {value}" for name, value in fields.items())]
        self._refusal = ("\r\n".join(lines) + "\r\n\r\nrefused").encode()

    def stop_refusing(self) -> None:
        """Let HTTP requests reach the server again."""
        self._refusal = None

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, ssl=self.tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set_result(None)
        await self._stop.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()  # a TLS connection would wait for the other side's farewell
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        self._writers |= {writer, back}
        turns = _Turns(client=writer)
        try:
            await asyncio.gather(
                self._forward(reader, back, turns, True), self._forward(there, writer, turns, False)
            )
        finally:
            self.open -= 1
            self._writers -= {writer, back}

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turns: _Turns, from_client: bool
    ) -> None:
        try:
            while data := await reader.read(1 << 20):
                begins = from_client and not turns.client_speaks
                self.round_trips += begins
                turns.client_speaks = from_client
                if begins and self._refusal is not None:
                    self.refused += 1
                    await _rest_of_request(data, reader)
                    turns.client.write(self._refusal)
                    break
                if begins and self._cut_requests:
                    self._cut_requests -= 1
                    writer.write(data[: len(data) // 2])
                    break
                if not from_client and self._cut_answers:
                    self._cut_answers -= 1
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


@dataclass
class _Turns:
    """Who speaks on a connection, and how the client is answered."""

    client: asyncio.StreamWriter
    client_speaks: bool = False


async def _rest_of_request(data: bytes, reader: asyncio.StreamReader) -> None:
    """Read an HTTP request to its end: closing on unread bytes would destroy the answer on its way."""
    while b"\r\n\r\n" not in data and (more := await reader.read(1 << 20)):
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head.lower())
    left = (int(length[1]) if length else 0) - len(body)
    while left > 0 and (more := await reader.read(1 << 20)):
        left -= len(more)
