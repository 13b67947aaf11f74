from __future__ import annotations

import asyncio
import threading

from axon.embedders.per_loop import PerLoop


class Client:
    def __init__(self) -> None:
        self.closed_on: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        self.closed_on = asyncio.get_running_loop()


class Made:
    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.per_loop: PerLoop[Client] = PerLoop(self.make, lambda client: client.close())

    def make(self) -> Client:
        self.clients.append(Client())
        return self.clients[-1]

    @property
    def open(self) -> list[Client]:
        return [client for client in self.clients if client.closed_on is None]


async def test_a_loop_keeps_its_client_and_surplus_ones_are_closed() -> None:
    made = Made()
    first, *others = await asyncio.gather(*(made.per_loop.get() for _ in range(5)))
    assert all(client is first for client in others)
    assert made.open == [first]
    assert await made.per_loop.get() is first
    await made.per_loop.aclose()
    assert made.open == []
    assert await made.per_loop.get() is not first
    await made.per_loop.aclose()


async def test_a_client_is_closed_on_the_loop_it_was_made_on() -> None:
    made = Made()
    here = await made.per_loop.get()
    release = threading.Event()
    ready = threading.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    def elsewhere() -> None:
        async def main() -> None:
            loops.append(asyncio.get_running_loop())
            assert await made.per_loop.get() is not here
            ready.set()
            await asyncio.to_thread(release.wait, 10)

        with asyncio.Runner() as runner:
            runner.run(main())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert await asyncio.to_thread(ready.wait, 10)
    await made.per_loop.aclose()
    release.set()
    await asyncio.to_thread(thread.join, 10)
    assert {client.closed_on for client in made.clients} == {asyncio.get_running_loop(), *loops}


def test_clients_of_closed_loops_are_let_go() -> None:
    made = Made()
    for _ in range(3):
        with asyncio.Runner() as runner:
            runner.run(made.per_loop.get())
    assert len(made.per_loop._clients) <= 1
    with asyncio.Runner() as runner:
        runner.run(made.per_loop.aclose())
