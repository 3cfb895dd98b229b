"""A relay on loopback that cuts one connection after a given byte."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Side = Literal["request", "response"]
How = Literal["FIN", "RST"]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a connection is cut: after `at` bytes of one side."""

    side: Side
    at: int
    how: How


class Relay:
    """Passes bytes on between clients and one server; see `relay`.

    `request` and `response` are the bytes that passed since the last `arm`, on all
    connections.
    """

    def __init__(self, target: str, *, old: bool) -> None:
        """Relay to the server of that base URL; see `relay`."""
        self._target, self._old = urlsplit(target), old
        self._cut: Cut | None = None
        self.request = self.response = b""
        self.url = ""

    def arm(self, cut: Cut | None = None) -> None:
        """Begin to count; cut where `cut` says, once, and nothing after that."""
        self._cut, self.request, self.response = cut, b"", b""

    @property
    def has_cut(self) -> bool:
        """Whether the cut has happened, or was never asked for."""
        return self._cut is None

    async def serve(
        self, client: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> None:
        """Pass one connection on until either side ends, or the cut."""
        place = self._target.hostname, self._target.port
        server, up = await asyncio.open_connection(*place)
        how: How = "FIN"
        passing = {
            asyncio.create_task(self._pass("request", client, up)),
            asyncio.create_task(self._pass("response", server, to)),
        }
        try:
            done, _ = await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                how = each.result() or how
        except asyncio.CancelledError:
            pass  # the end of the relay; asyncio of Python 3.11 would log it
        finally:
            for each in passing:
                each.cancel()
            await asyncio.gather(*passing, return_exceptions=True)
            _close(up, how)
            _close(to, how)

    async def _pass(
        self, side: Side, source: asyncio.StreamReader, to: asyncio.StreamWriter
    ) -> How | None:
        """Pass bytes on; return how to end both connections."""
        with contextlib.suppress(ConnectionError):
            while (left := self._left(side)) != 0:
                data = await source.read(65536)
                if not data:
                    return None
                left = self._left(side)  # it may have been armed meanwhile
                data = data[:left]
                if side == "request":
                    self.request += data
                    if self._old:
                        data = data.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)
                else:
                    self.response += data
                to.write(data)
                await to.drain()
            return self._take_cut()
        return None

    def _left(self, side: Side) -> int | None:
        """Return how many bytes may pass until the cut; None without one there."""
        if self._cut is None or self._cut.side != side:
            return None
        return self._cut.at - len(self.request if side == "request" else self.response)

    def _take_cut(self) -> How:
        assert self._cut is not None
        how, self._cut = self._cut.how, None
        return how


def _close(writer: asyncio.StreamWriter, how: How) -> None:
    """End a connection: FIN sends what is still to be sent, RST drops it."""
    if how == "RST":
        connection: socket.socket = writer.get_extra_info("socket")
        at_once = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.close()


@contextlib.contextmanager
def relay(target: str, *, old: bool = False) -> Iterator[Relay]:
    """Run a relay to `target`, a base URL, in a thread of its own.

    An `old` one asks in HTTP/1.0, as nginx did by default until 1.29.7: there, nothing
    but the end of the connection marks the end of a stream.
    """
    relayed, ready = Relay(target, old=old), threading.Event()
    loop, end = asyncio.new_event_loop(), asyncio.Event()

    async def run() -> None:
        async with await asyncio.start_server(relayed.serve, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            path = urlsplit(target).path
            relayed.url = f"http://{host}:{port}{path}"
            ready.set()
            await end.wait()
        under_way = asyncio.all_tasks() - {asyncio.current_task()}
        for each in under_way:
            each.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=[run()], daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield relayed
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join(10)
        loop.close()
