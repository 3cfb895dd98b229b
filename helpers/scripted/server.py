"""The scripted model's server: plays steps over a socket, and notices who leaves.

HTTP is read by httptools; what goes out is written by hand, because that is the
subject. A stream is one object and one timer, no task, so that thousands can be paced.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Iterator
from typing import cast

import httptools

from .faults import Refusals, change, check_fault, cut_short
from .record import Entry, Record
from .refusal import Refusal
from .reply import reply_to
from .request import parse_request
from .steps import Step, chunked, plain, refused, streamed, whole

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes; a longer request gets a 413."""

AT_ONCE = 64
"""Steps played before other connections get their turn."""

MODELS = {
    "object": "list",
    "data": [{"id": "gpt-3.5-turbo", "object": "model", "owned_by": "scripted"}],
}


class Model:
    """What all connections share: it turns a request into the steps of its answer."""

    def __init__(self, *, speed: float = 1.0) -> None:
        """`speed` divides every wait of a script, not of a fault."""
        self.record = Record()
        self._refusals = Refusals()
        self._speed = speed
        self._number = 0

    def steps(
        self, method: str, path: str, body: bytes | None
    ) -> tuple[Iterator[Step], Entry]:
        """Return what to do for one HTTP request, and its entry in the record.

        `body` is None for one that was too large to keep.
        """
        chat = (method, path) == ("POST", "/v1/chat/completions")
        entry = self.record.open() if chat else Entry()
        try:
            if body is None:
                message = f"The body has more than {LARGEST_BODY} bytes. Send less."
                raise Refusal(message, status=413)
            return self._chat(body, entry) if chat else self._other(method, path), entry
        except Refusal as refusal:
            entry.status = refusal.status
            return refused(refusal), entry
        except Exception:
            traceback.print_exc()
            entry.status = 500
            failed = "The scripted model has a bug; its log has the traceback."
            return refused(Refusal(failed, status=500)), entry

    def _chat(self, body: bytes, entry: Entry) -> Iterator[Step]:
        request = parse_request(body)
        script = request.script
        entry.prompt, entry.stream = request.prompt, request.stream
        entry.fault = script.fault
        check_fault(script, stream=request.stream)
        reply = reply_to(request)
        entry.chunks_meant = len(reply.all_chunks)
        self._refusals.check(script, body)
        self._number += 1
        reply = cut_short(reply, script)
        if not request.stream:
            steps = whole(reply, request, number=self._number, speed=self._speed)
            return change(steps, script)
        steps = streamed(reply, request, number=self._number, speed=self._speed)
        return chunked(change(steps, script))

    def _other(self, method: str, path: str) -> Iterator[Step]:
        known = {"/v1/models": MODELS, "/requests": self.record.as_json()}
        if path in known and method == "GET":
            return plain(known[path])
        paths = ["/v1/chat/completions", *known]
        if path in paths:
            raise Refusal(f"{path} does not take {method}.", status=405)
        raise Refusal(f"There is no {path}; there are {', '.join(paths)}.", status=404)


class Connection(asyncio.Protocol):
    """One client's connection: reads requests, plays the steps of each in turn."""

    __slots__ = (
        "_body",
        "_due",
        "_entry",
        "_keep",
        "_loop",
        "_model",
        "_next",
        "_parser",
        "_paused",
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
        self._waiting: deque[tuple[str, str, bytes | None]] = deque()
        self._steps: Iterator[Step] | None = None
        self._next: Step | None = None
        self._timer: asyncio.Handle | None = None
        self._paused, self._keep = False, True
        self._url, self._body, self._size = b"", list[bytes](), 0

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Read requests; serve the first, if nothing is being served."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            for step in refused(Refusal("This is not a request of HTTP/1.1.")):
                self._transport.write(step.data)
            self._transport.close()
            return
        if self._steps is None:
            self._serve_next()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the client has left, and stop."""
        if self._timer is not None:
            self._timer.cancel()
        if self._steps is not None and not self._entry.finished:
            self._entry.left_after = self._loop.time() - self._started
        self._steps = None
        self._waiting.clear()

    def pause_writing(self) -> None:
        """Wait: the client reads more slowly than this writes (backpressure)."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on: the client has caught up."""
        self._paused = False
        self._play()

    # What httptools calls.

    def on_url(self, url: bytes) -> None:
        """Collect the path."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Answer the one header that asks for something at once."""
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body, as long as it may still be served."""
        self._size += len(body)
        if self._size <= LARGEST_BODY:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """Put the request in the queue."""
        method = self._parser.get_method().decode("latin-1")
        path = self._url.decode("latin-1").partition("?")[0]
        body = b"".join(self._body) if self._size <= LARGEST_BODY else None
        self._keep = self._parser.should_keep_alive()
        self._waiting.append((method, path, body))
        self._url, self._body, self._size = b"", [], 0

    # Playing.

    def _serve_next(self) -> None:
        if self._waiting:
            self._started = self._due = self._loop.time()
            self._steps, self._entry = self._model.steps(*self._waiting.popleft())
            self._play()
        elif not self._keep:
            self._transport.close()

    def _play(self) -> None:
        """Send the steps that are due; come back for the others when they are."""
        steps, entry = self._steps, self._entry
        if steps is None or self._paused:
            return
        for _ in range(AT_ONCE):
            step = self._next or next(steps, None)
            if step is None:
                entry.finished, self._steps = True, None
                self._serve_next()
                return
            if self._next is None and step.wait:
                self._due += step.wait
                if self._due > self._loop.time():
                    self._next = step
                    self._timer = self._loop.call_at(self._due, self._play)
                    return
            self._next = None
            if step.kind == "cut":
                entry.finished = True
                self._transport.close()
                return
            self._transport.write(step.data)
            entry.chunks_sent += step.kind == "chunk"
            if self._paused:
                return
        self._timer = self._loop.call_soon(self._play)


async def serve(
    model: Model, *, host: str = "127.0.0.1", port: int = 0
) -> asyncio.Server:
    """Start to serve `model`; port 0 is one that the system picks.

    Raises OSError when the port is taken.
    """
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: Connection(model), host, port, backlog=4096
    )
