"""A TCP proxy between a client and a real server that counts round trips and cuts connections."""

from __future__ import annotations

import asyncio
import ssl
import threading
from concurrent.futures import Future
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
        self._cut_answers = 0
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
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        self._writers |= {writer, back}
        turn = {"client": False}
        try:
            await asyncio.gather(
                self._forward(reader, back, turn, True), self._forward(there, writer, turn, False)
            )
        finally:
            self.open -= 1
            self._writers -= {writer, back}

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        turn: dict[str, bool],
        from_client: bool,
    ) -> None:
        try:
            while data := await reader.read(1 << 20):
                if from_client and not turn["client"]:
                    self.round_trips += 1
                turn["client"] = from_client
                if not from_client and self._cut_answers:
                    self._cut_answers -= 1
                    break
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()
