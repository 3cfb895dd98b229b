"""The scripted model's server: plays steps over a socket, and notices who leaves.

HTTP is read by httptools; what goes out is written by hand, because that is the
subject. A stream is one object and one timer, no task, so that thousands can be paced.
"""

import asyncio
import re
from collections import deque
from collections.abc import Iterator
from typing import cast

import httptools

from .error import ApiError
from .model import HttpRequest, Model
from .steps import Step

LARGEST_BODY = 16 * 1024 * 1024
"""Bytes; a longer request gets a 413. A script may bring more than sockets buffer."""

AT_ONCE = 64
"""Steps played before other connections get their turn."""

_HERE = rb"(?:127\.0\.0\.1|localhost)(?::\d+)?"
_OURS = {
    b"host": re.compile(_HERE, re.IGNORECASE),
    b"origin": re.compile(rb"https?://" + _HERE, re.IGNORECASE),
}
"""What these headers hold if it is not a page of another site that asks.

Any page in the reader's browser can send requests to loopback (CSRF); one whose name is
made to point there (DNS rebinding) can read the answers too.
"""


class Connection(asyncio.Protocol):
    """One client's connection: reads requests, plays the steps of each in turn."""

    __slots__ = (
        "_body",
        "_due",
        "_foreign",
        "_loop",
        "_model",
        "_next",
        "_noted",
        "_parser",
        "_paused",
        "_reading",
        "_size",
        "_started",
        "_steps",
        "_timer",
        "_transport",
        "_url",
        "_waiting",
    )

    def __init__(self, model: Model) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[HttpRequest] = deque()
        self._steps: Iterator[Step] | None = None
        self._next: Step | None = None
        self._timer: asyncio.Handle | None = None
        self._paused, self._reading = False, True
        self._url, self._body, self._size = b"", list[bytes](), 0
        self._foreign = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read requests; serve the first, if nothing is being served."""
        if not self._reading:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._reading = False  # its request is in the queue, to be refused
        except httptools.HttpParserError:
            if self._reading:
                wrong = ApiError("This is not a request of HTTP/1.1.")
                self._waiting.append(
                    HttpRequest("", "", b"", True, self._loop.time(), wrong)
                )
            self._reading = False
        if self._steps is not None and self._waiting:
            self._transport.pause_reading()  # one that is waiting is enough
        if self._steps is None and self._waiting:
            self._model.turns.wait(self._wake)

    def eof_received(self) -> None:
        """Take a client that sends no more for one that has left, as uvicorn does."""
        self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the client has left."""
        self._stop()

    def pause_writing(self) -> None:
        """Wait: the client reads more slowly than this writes (backpressure)."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on: the client has caught up."""
        self._paused = False
        self._wake()

    # What httptools calls.

    def on_url(self, url: bytes) -> None:
        """Collect the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note who asks; answer the one header that asks for something at once."""
        ours = _OURS.get(name.lower())
        if ours and not ours.fullmatch(value.strip()):
            self._foreign = True
        asks = name.lower() == b"expect" and value.lower() == b"100-continue"
        if asks and self._steps is None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body, as long as it may still be served."""
        self._size += len(body)
        if self._size <= LARGEST_BODY:
            self._body.append(body)
        else:
            self._body.clear()

    def on_message_complete(self) -> None:
        """Put the request in the queue."""
        wrong = None
        if self._foreign:
            wrong = ApiError("This server is for this machine alone.", status=403)
        elif self._size > LARGEST_BODY:
            too_large = f"The body has more than {LARGEST_BODY} bytes. Send less."
            wrong = ApiError(too_large, status=413)
        elif self._parser.should_upgrade():  # its body has not been read
            wrong = ApiError("There is only HTTP/1.1 here: leave out the upgrade.")
        asked = HttpRequest(
            method=self._parser.get_method().decode("latin-1"),
            path=self._url.decode("latin-1").partition("?")[0],
            body=b"".join(self._body),
            in_chunks=self._parser.get_http_version() != "1.0",
            arrived=self._loop.time(),
            wrong=wrong,
        )
        self._waiting.append(asked)
        # Without chunks, the end of a body is the end of the connection.
        self._reading = asked.in_chunks and self._parser.should_keep_alive()
        self._url, self._body, self._size = b"", [], 0
        self._foreign = False

    # Playing.

    def _wake(self) -> None:
        """Play, unless there is a time for it already."""
        if self._timer is None:
            self._play()

    def _begin(self) -> Iterator[Step] | None:
        """Begin to serve the next request; close if none can come any more."""
        if not self._waiting:
            if not self._reading:
                self._transport.close()
            return None
        asked = self._waiting.popleft()
        self._started = self._due = asked.arrived
        self._steps, self._noted = self._model.steps(asked)
        if not self._waiting:
            self._transport.resume_reading()
        return self._steps

    def _play(self) -> None:
        """Send the steps that are due, in one go; come back for the others."""
        self._timer = None
        while not self._paused and self._timer is None:
            steps = self._steps or self._begin()
            if steps is None:
                return
            due = self._take_due(steps)
            self._transport.write(b"".join([step.data for step in due]))
            self._noted.chunks_sent += sum(step.kind == "chunk" for step in due)
            if self._steps is None:
                self._noted.finish()
                if due and due[-1].kind == "drop":
                    self._stop()
                    self._transport.close()

    def _take_due(self, steps: Iterator[Step]) -> list[Step]:
        """Take the steps that are due; set the timer, or that there are no more."""
        due = [self._next] if self._next else []
        self._next = None
        for step in steps:
            if step.wait:
                self._due += step.wait
                if due and due[-1].kind == "part":
                    # However late it is, the two parts have to go out apart.
                    self._due = max(self._due, self._loop.time() + step.wait)
                if self._due > self._loop.time():
                    self._next = step
                    self._timer = self._loop.call_at(self._due, self._play)
                    return due
            due.append(step)
            if step.kind == "drop":
                break
            if len(due) >= AT_ONCE and step.kind != "part":
                self._timer = self._loop.call_soon(self._play)
                return due
        self._steps = None
        return due

    def _stop(self) -> None:
        """Serve nothing more; what is being served has lost its client."""
        if self._timer is not None:
            self._timer.cancel()
        if self._steps is not None:
            self._noted.leave(self._loop.time() - self._started)
        self._steps = self._next = None
        self._reading = False
        self._waiting.clear()


async def listen(model: Model, *, port: int = 0) -> asyncio.Server:
    """Serve `model` on loopback from now on; port 0 is one that the system picks.

    Raises OSError when the port is taken.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Connection(model), "127.0.0.1", port, backlog=4096
    )
