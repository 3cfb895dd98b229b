"""The scripted model's server: plays steps over a socket, and notices who leaves.

HTTP is read by httptools; what goes out is written by hand, because that is the
subject. A stream is one object and one timer, no task, so that thousands can be paced.
"""

import asyncio
import socket
import sys
from collections.abc import Iterator
from typing import cast

from .asked import HttpRequest
from .model import Model
from .reader import Reader
from .steps import Step

LISTENERS = 1 if sys.platform == "win32" else 16
"""How many connections are accepted before anything else is done.

libuv takes one from each listener (1.45 and newer). One at a time, the last of a crowd
would be taken after the first ones have got their answers.
"""

AT_ONCE = 64
"""Steps played before other connections get their turn."""


class Connection(asyncio.Protocol):
    """One client's connection: plays the steps of each of its requests in turn.

    While an answer goes out, it holds little, for there may be thousands.
    """

    __slots__ = (
        "_due",
        "_ended",
        "_loop",
        "_model",
        "_next",
        "_noted",
        "_paused",
        "_reader",
        "_started",
        "_steps",
        "_timer",
        "_transport",
        "_waiting",
    )

    def __init__(self, model: Model) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._reader: Reader | None = None
        self._waiting: list[HttpRequest] = []
        self._steps: Iterator[Step] | None = None
        self._next: Step | None = None
        self._timer: asyncio.Handle | None = None
        self._paused = self._ended = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read requests; serve the first, if nothing is being served."""
        if self._ended:
            return
        reader = self._reader or Reader(self._loop.time)
        self._waiting += reader.feed(data)
        self._ended = reader.ended
        self._reader = None if reader.between or reader.ended else reader
        if self._steps is not None:
            if self._waiting:
                self._transport.pause_reading()  # one that is waiting is enough
        elif self._waiting:
            self._model.turns.wait(self._wake)
        elif reader.expects:
            reader.expects = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

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

    # Playing.

    def _wake(self) -> None:
        """Play, unless there is a time for it already."""
        if self._timer is None:
            self._play()

    def _begin(self) -> Iterator[Step] | None:
        """Begin to serve the next request; close if none can come any more."""
        if not self._waiting:
            if self._ended:
                self._transport.close()
            return None
        asked = self._waiting.pop(0)
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
                elif self._waiting:
                    self._model.turns.wait(self._wake)
                    return

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
        self._steps = self._next = self._reader = None
        self._ended = True
        self._waiting.clear()


async def listen(model: Model, *, port: int = 0) -> int:
    """Serve `model` on loopback from now on; return the port.

    Port 0 is one that the system picks. Raises OSError when the port is taken.
    """
    loop = asyncio.get_running_loop()
    first = socket.create_server(("127.0.0.1", port), backlog=4096)
    for number in range(LISTENERS):
        listener = first.dup() if number else first
        await loop.create_server(lambda: Connection(model), sock=listener, backlog=4096)
    return int(first.getsockname()[1])
