"""The scripted model without a server, for where there can be none: in a browser.

In Pyodide there are no processes and no sockets. There the model sits behind the
transport of httpx2, which the SDK's requests go through: the cells stay as they are,
and the same steps are played at the same pace.
"""

from __future__ import annotations

import asyncio
import os
import time
import warnings
from collections import deque
from collections.abc import AsyncIterator, Iterator
from weakref import WeakSet

import httpx2

from helpers.scripted.asked import HttpRequest
from helpers.scripted.model import Model
from helpers.scripted.record import Request
from helpers.scripted.steps import Step

HOST = "scripted.invalid"
"""A name that no network has (RFC 6761): no request for it can leave by mistake."""

BUFFERED = 4_000_000
"""Bytes that wait for a reader before the model does, too: as many as on loopback."""


class InProcess:
    """The scripted model in this process: what `ServerProcess` is to a server.

    From when it is made, it answers every request that httpx2 sends to its `url`.
    """

    url = f"http://{HOST}/v1"

    def __init__(self) -> None:
        """Answer from now on."""
        self._model = Model(speed=float(os.environ.get("COURSE_SPEED") or 1))
        self._answers = WeakSet[Played]()
        sync, in_async = (
            httpx2.HTTPTransport.handle_request,
            httpx2.AsyncHTTPTransport.handle_async_request,
        )
        self._theirs = sync, in_async

        def answer(
            transport: httpx2.HTTPTransport, request: httpx2.Request
        ) -> httpx2.Response:
            if request.url.host != HOST:
                return sync(transport, request)
            played = self._played(request, request.read())
            status, headers = parsed(next(iter(played)))
            return httpx2.Response(status, headers=headers, stream=played)

        async def answer_async(
            transport: httpx2.AsyncHTTPTransport, request: httpx2.Request
        ) -> httpx2.Response:
            if request.url.host != HOST:
                return await in_async(transport, request)
            played = self._played(request, await request.aread())
            status, headers = parsed(await anext(aiter(played)))
            return httpx2.Response(status, headers=headers, stream=played)

        # What it says in a browser of each client is not for the reader of a lesson.
        warnings.filterwarnings("ignore", "The following transport option")
        _handle_by(answer, answer_async)

    def ended(self) -> str | None:
        """Return None: it does not end before the kernel does."""
        return None

    def close(self) -> None:
        """Answer no more."""
        _handle_by(*self._theirs)

    def _played(self, request: httpx2.Request, body: bytes) -> Played:
        now = time.monotonic()
        asked = HttpRequest(request.method, request.url.path, body, False, now)
        for answer in self._answers:  # a record is of what has been sent by now
            answer.play()
        patience = request.extensions.get("timeout", {}).get("read")
        played = Played(*self._model.steps(asked), patience)
        self._answers.add(played)
        return played


class Played(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """An answer as it comes: status and headers first, then the body.

    It goes on at its pace while nobody reads, up to what a socket's buffers would hold.
    Raises ReadTimeout after a silence of more than `patience` seconds.
    """

    def __init__(
        self, steps: Iterator[Step], noted: Request, patience: float | None
    ) -> None:
        self._steps, self._noted, self._patience = steps, noted, patience
        self._begun = self._due = time.monotonic()
        self._next: Step | None = None
        self._ready = deque[bytes]()
        self._over = self._dropped = False

    def play(self) -> None:
        """Do all that is due by now."""
        while not self._over and sum(map(len, self._ready)) < BUFFERED:
            if self._next is None:
                self._next = next(self._steps, None)
                self._due += self._next.wait if self._next else 0
            step = self._next
            if step and self._due > time.monotonic():
                return
            self._next = None
            if step is None or step.kind == "drop":
                self._over, self._dropped = True, step is not None
                self._noted.finish()
                return
            self._noted.chunks_sent += step.kind == "chunk"
            if step.data:
                self._ready.append(step.data)

    def _moves(self) -> Iterator[bytes | float]:
        """Yield the bytes as they come, and before that the seconds to wait."""
        while True:
            self.play()
            if self._ready:
                yield self._ready.popleft()
            elif self._dropped:
                raise httpx2.RemoteProtocolError(
                    "peer closed connection without sending complete message body"
                )
            elif self._over:
                return
            else:
                wait = max(0.0, self._due - time.monotonic())
                if self._patience is not None and wait > self._patience:
                    yield self._patience
                    raise httpx2.ReadTimeout("The read operation timed out")
                yield wait

    def __iter__(self) -> Iterator[bytes]:
        """Yield what comes, when it comes."""
        for move in self._moves():
            if isinstance(move, bytes):
                yield move
            else:
                time.sleep(move)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what comes, when it comes; other tasks go on meanwhile."""
        for move in self._moves():
            if isinstance(move, bytes):
                await asyncio.sleep(0)  # as at a socket: a deadline can come between
                yield move
            else:
                await asyncio.sleep(move)

    def close(self) -> None:
        """Leave: the model stops here."""
        if not self._over:
            self._over = True
            self._noted.leave(time.monotonic() - self._begun)

    async def aclose(self) -> None:
        """Leave: the model stops here."""
        self.close()

    __del__ = close


def parsed(head: bytes) -> tuple[int, list[tuple[str, str]]]:
    """Return the status, and the headers, of the first bytes of an answer.

    A server would name the way of HTTP in which a body of unknown length is sent.
    """
    first, *lines = head.decode().rstrip("\r\n").split("\r\n")
    if not any(line.startswith("content-length") for line in lines):
        lines.insert(-1, "transfer-encoding: chunked")
    headers = (line.partition(": ") for line in lines)
    return int(first.split()[1]), [(name, value) for name, _, value in headers]


def _handle_by(sync: object, in_async: object) -> None:
    """Have these methods take the requests of every client of httpx2."""
    # setattr: to mypy, a method is not to be assigned.
    setattr(httpx2.HTTPTransport, "handle_request", sync)  # noqa: B010
    setattr(httpx2.AsyncHTTPTransport, "handle_async_request", in_async)  # noqa: B010
