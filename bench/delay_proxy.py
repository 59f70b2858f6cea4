"""A TCP proxy that delays every byte, to count round trips: the slope of time over delay is their number.

Run by hand: python bench/delay_proxy.py 127.0.0.1:22 --listen 2222 --rtt 40
The proxy accepts at once, so the round trip of the TCP handshake itself is not in the slope.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what comes, each piece ``delay`` seconds after it came; pieces do not wait for each other."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(1 << 16):
        loop.call_later(delay, writer.write, data)
    await asyncio.sleep(delay)
    writer.close()


async def serve(target: tuple[str, int], port: int, delay: float) -> asyncio.Server:
    """Return a running proxy.

    Args:
        target: host and port to connect to.
        port: to listen on, on 127.0.0.1; 0 takes a free one.
        delay: seconds in each direction: half the round trip.
    """

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*target)
        for one in (writer, far_writer):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # asyncio complains of handlers that are cancelled when the proxy ends.
        ended = (ConnectionError, asyncio.CancelledError)
        with contextlib.closing(writer), contextlib.closing(far_writer), contextlib.suppress(*ended):
            await asyncio.gather(_pump(reader, far_writer, delay), _pump(far_reader, writer, delay))

    return await asyncio.start_server(both, "127.0.0.1", port)


@contextlib.contextmanager
def delayed(target: tuple[str, int], rtt: float) -> Iterator[int]:
    """Run a proxy in a thread, and yield the port it listens on.

    Args:
        target: host and port to connect to.
        rtt: seconds of the round trip to add.
    """
    started: Future[tuple[int, Callable[[], object]]] = Future()

    async def run() -> None:
        server, end = await serve(target, 0, rtt / 2), asyncio.Event()
        loop = asyncio.get_running_loop()
        started.set_result((server.sockets[0].getsockname()[1], lambda: loop.call_soon_threadsafe(end.set)))
        async with server:
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    port, end = started.result()
    try:
        yield port
    finally:
        end()
        thread.join()


async def _run(target: tuple[str, int], port: int, delay: float) -> None:
    server = await serve(target, port, delay)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("target", help="HOST:PORT")
    parser.add_argument("--listen", type=int, required=True, metavar="PORT")
    parser.add_argument("--rtt", type=float, default=40.0, help="milliseconds")
    given = parser.parse_args()
    host, _, number = given.target.rpartition(":")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run((host, int(number)), given.listen, given.rtt / 2000))
